//! What every store does alike with what it has read.

use i9chat_spec::{MessageStatus, Username, Watermark};

use super::{Names, Seen};
use crate::store::StoreError;

impl<T> Seen<T> {
    /// Goes on with what was found.
    pub(in crate::store) fn then<U>(
        self,
        go_on: impl FnOnce(T) -> Result<Seen<U>, StoreError>,
    ) -> Result<Seen<U>, StoreError> {
        match self {
            Self::NoChat => Ok(Seen::NoChat),
            Self::NotMember => Ok(Seen::NotMember),
            Self::NoMessage => Ok(Seen::NoMessage),
            Self::Found(found) => go_on(found),
        }
    }
}

impl Names {
    /// The name that the list goes on after, as it is compared; every name is greater than none.
    pub(in crate::store) fn after(&self) -> String {
        self.after.as_ref().map(Username::key).unwrap_or_default()
    }
}

/// How far a message has come with those watermarks. (RCP-7)
pub(in crate::store) fn status(message: Watermark, delivered: Watermark, read: Watermark) -> MessageStatus {
    if read >= message {
        MessageStatus::Read
    } else if delivered >= message {
        MessageStatus::Delivered
    } else {
        MessageStatus::Sent
    }
}
