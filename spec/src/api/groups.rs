//! Groups: creating, finding, changing, and who is in them. (GRP-1 to GRP-22)

mod add_members;
mod create;
mod get;
mod join;
mod leave;
mod list_members;
mod make_admin;
mod remove_admin;
mod remove_member;
mod update;

pub use add_members::{AddMembers, AddMembersRefusal, AddedMember, MembersAdded, MembersToAdd};
pub use create::{CreateGroup, CreateGroupRefusal, FirstMembers, GroupCreated, NewGroup};
pub use get::{GetGroup, GetGroupRefusal, Group};
pub use join::{JoinGroup, JoinGroupRefusal};
pub use leave::{LeaveGroup, LeaveGroupRefusal};
pub use list_members::{ListMembers, ListMembersRefusal, Member, MemberPage, NamesQuery};
pub use make_admin::{MakeAdmin, MakeAdminRefusal};
pub use remove_admin::{RemoveAdmin, RemoveAdminRefusal};
pub use remove_member::{OneMember, RemoveMember, RemoveMemberRefusal};
pub use update::{GroupChanges, UpdateGroup, UpdateGroupRefusal};
