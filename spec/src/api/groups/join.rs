use crate::{
    SignedIn,
    api::chats::{ChatSnapshot, OneChat},
    endpoint, refusals,
};

endpoint! {
    /// Joins a group; anybody may who was not removed from it. (GRP-10)
    JoinGroup("join_group"): POST "/v1/groups/{chat_id}/join" => 200 {
        caller: SignedIn,
        path: OneChat,
        response: ChatSnapshot,
        refusal: JoinGroupRefusal,
    }
}

refusals! {
    /// Why the caller does not join.
    JoinGroupRefusal { GroupNotFound, GroupClosed, AlreadyMember, RemovedFromGroup, GroupFull }
}
