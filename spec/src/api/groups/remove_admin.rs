use super::OneMember;
use crate::{SignedIn, endpoint, refusals};

endpoint! {
    /// Removes a member from the admins; admins may, themselves too, but not the last one. (GRP-15)
    RemoveAdmin("remove_admin"): DELETE "/v1/groups/{chat_id}/admins/{username}" => 204 {
        caller: SignedIn,
        path: OneMember,
        refusal: RemoveAdminRefusal,
    }
}

refusals! {
    /// Why nobody is removed from the admins.
    RemoveAdminRefusal { GroupNotFound, NotMember, AdminRequired, UserNotFound, TargetNotMember, TargetNotAdmin, LastAdmin }
}
