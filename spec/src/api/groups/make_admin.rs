use super::OneMember;
use crate::{SignedIn, endpoint, refusals};

endpoint! {
    /// Makes a member an admin; admins may. (GRP-14)
    MakeAdmin("make_admin"): PUT "/v1/groups/{chat_id}/admins/{username}" => 204 {
        caller: SignedIn,
        path: OneMember,
        refusal: MakeAdminRefusal,
    }
}

refusals! {
    /// Why nobody is made an admin.
    MakeAdminRefusal { GroupNotFound, NotMember, AdminRequired, UserNotFound, TargetNotMember, AlreadyAdmin }
}
