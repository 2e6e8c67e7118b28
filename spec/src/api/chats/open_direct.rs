use super::ChatSnapshot;
use crate::{SignedIn, api::users::OneUser, endpoint, refusals};

endpoint! {
    /// Opens the direct chat with another user, or finds it.
    ///
    /// The partner sees it with its first message, unless they open it too. (CHT-1, CHT-2)
    OpenDirect("open_direct"): PUT "/v1/direct/{username}" => 200 {
        caller: SignedIn,
        path: OneUser,
        response: ChatSnapshot,
        refusal: OpenDirectRefusal,
    }
}

refusals! {
    /// Why no chat is opened.
    OpenDirectRefusal { UserNotFound, DirectWithSelf }
}
