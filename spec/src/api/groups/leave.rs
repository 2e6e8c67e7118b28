use crate::{SignedIn, api::chats::OneChat, endpoint, refusals};

endpoint! {
    /// Leaves a group. The last admin hands over to the longest-standing member; with the last member the group is closed. (GRP-11)
    LeaveGroup("leave_group"): POST "/v1/groups/{chat_id}/leave" => 204 {
        caller: SignedIn,
        path: OneChat,
        refusal: LeaveGroupRefusal,
    }
}

refusals! {
    /// Why the caller does not leave.
    LeaveGroupRefusal { GroupNotFound, NotMember }
}
