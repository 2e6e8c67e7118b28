use i9chat_spec::{ChatId, MediaId, MediaKind, MediaPurpose, Role, User, UserId, refusals};

use super::Named;
use crate::domain::{ChatState, GroupState, Standing, State};

refusals! {
    /// Why something is not done to a group.
    GroupRefusal {
        GroupNotFound, NotMember, GroupClosed, AdminRequired, UserNotFound, UseLeave, AlreadyMember, AlreadyAdmin,
        TargetNotMember, TargetNotAdmin, LastAdmin, RemovedFromGroup, GroupFull, MediaNotUsable, IdempotencyConflict,
    }
}

/// A group, as a chat and as what it is.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) chat: &'a ChatState,
    pub(super) group: &'a GroupState,
}

/// The first check of all: the group exists. (GRP-6)
pub(super) fn found(state: &State, chat_id: ChatId) -> Result<Found<'_>, GroupRefusal> {
    let chat = state.chats.get(&chat_id).ok_or(GroupRefusal::GroupNotFound)?;
    let group = chat.as_group().ok_or(GroupRefusal::GroupNotFound)?;
    Ok(Found { chat, group })
}

/// The caller is a member. A closed group has none, so a member's group is open.
pub(super) fn found_by_member(state: &State, chat_id: ChatId, caller: UserId) -> Result<Found<'_>, GroupRefusal> {
    let found = found(state, chat_id)?;
    found.group.member(caller).ok_or(GroupRefusal::NotMember)?;
    Ok(found)
}

/// The caller is an admin.
pub(super) fn found_by_admin(state: &State, chat_id: ChatId, caller: UserId) -> Result<Found<'_>, GroupRefusal> {
    let found = found_by_member(state, chat_id, caller)?;
    let is_admin = found.group.member(caller).is_some_and(|member| member.role == Role::Admin);
    is_admin.then_some(found).ok_or(GroupRefusal::AdminRequired)
}

/// The user named exists.
pub(super) fn known(named: &Named) -> Result<&User, GroupRefusal> {
    named.user.as_ref().ok_or(GroupRefusal::UserNotFound)
}

/// The user named is a member.
pub(super) fn target_member(group: &GroupState, target: UserId) -> Result<&Standing, GroupRefusal> {
    group.member(target).ok_or(GroupRefusal::TargetNotMember)
}

/// The caller may make this the picture. (MED-18)
pub(super) fn usable_picture(state: &State, caller: UserId, picture_id: MediaId) -> Result<(), GroupRefusal> {
    let media = state.media.get(&picture_id);
    media
        .is_some_and(|media| media.is_usable(caller, MediaPurpose::GroupPicture, MediaKind::Picture))
        .then_some(())
        .ok_or(GroupRefusal::MediaNotUsable)
}
