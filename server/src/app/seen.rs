use i9chat_spec::{ErrorCode, Refusal};

use super::Failure;
use crate::store::Seen;

impl<T> Seen<T> {
    /// What was found, or why it may not be seen. (CHT-6)
    pub(super) fn found<R: Refusal>(self) -> Result<T, Failure<R>> {
        self.found_or(ErrorCode::ChatNotFound)
    }

    /// What was found; a chat that is not there is refused with that code.
    pub(super) fn found_or<R: Refusal>(self, no_chat: ErrorCode) -> Result<T, Failure<R>> {
        match self {
            Self::Found(found) => Ok(found),
            Self::NoChat => Err(Failure::refused(no_chat)),
            Self::NotMember => Err(Failure::refused(ErrorCode::NotMember)),
            Self::NoMessage => Err(Failure::refused(ErrorCode::MessageNotFound)),
        }
    }
}
