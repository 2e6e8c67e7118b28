//! The rules of groups. (GRP-1 to GRP-22)

mod add_members;
mod change_admin;
mod checks;
mod create_group;
mod entries;
mod join_group;
mod leave_group;
mod remove_member;
#[cfg(test)]
mod tests;
mod update_group;

pub use add_members::AddMembers;
pub use change_admin::ChangeAdmin;
pub use checks::GroupRefusal;
pub use create_group::CreateGroup;
pub use join_group::JoinGroup;
pub use leave_group::LeaveGroup;
pub use remove_member::RemoveMember;
pub use update_group::UpdateGroup;

use i9chat_spec::{User, Username};

/// A user whom a command names, as the name was given.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name as it was given.
    pub username: Username,
    /// Who has that name, if anybody has.
    pub user: Option<User>,
}
