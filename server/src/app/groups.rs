//! Groups. (GRP-1 to GRP-22)

mod members;
mod page;

use i9chat_spec::{
    ChatId, ErrorCode, Refusal, UserId,
    api::{
        chats::ChatSnapshot,
        groups::{
            CreateGroup, CreateGroupRefusal, GetGroup, GetGroupRefusal, Group, GroupCreated, JoinGroup,
            JoinGroupRefusal, LeaveGroup, LeaveGroupRefusal, UpdateGroup, UpdateGroupRefusal,
        },
    },
    endpoint::Nothing,
};

pub(super) use self::page::{Page, names};
use super::{Answer, App, Call, Failure, Handle};
use crate::domain::groups;

impl Handle<CreateGroup> for App {
    async fn handle(&self, call: Call<CreateGroup>) -> Result<Answer<GroupCreated>, Failure<CreateGroupRefusal>> {
        let members = call.body.members.clone().map(i9chat_spec::List::into_vec).unwrap_or_default();
        let command = groups::CreateGroup {
            creator: call.caller.user,
            members: self.named("members", members).await?,
            asked: call.body,
            max_members: self.limits.max_group_members,
        };
        Ok(self.committer.commit(command).await.map_err(Failure::narrow)?.into())
    }
}

impl Handle<GetGroup> for App {
    async fn handle(&self, call: Call<GetGroup>) -> Result<Answer<Group>, Failure<GetGroupRefusal>> {
        Ok(self.group(call.caller.user.user_id, call.path.chat_id).await?.into())
    }
}

impl Handle<UpdateGroup> for App {
    async fn handle(&self, call: Call<UpdateGroup>) -> Result<Answer<Group>, Failure<UpdateGroupRefusal>> {
        let (user_id, chat_id) = (call.caller.user.user_id, call.path.chat_id);
        let command = groups::UpdateGroup { actor: call.caller.user, chat_id, asked: call.body };
        self.committer.commit(command).await.map_err(Failure::narrow)?;
        Ok(self.group(user_id, chat_id).await?.into())
    }
}

impl Handle<JoinGroup> for App {
    async fn handle(&self, call: Call<JoinGroup>) -> Result<Answer<ChatSnapshot>, Failure<JoinGroupRefusal>> {
        let (user_id, chat_id) = (call.caller.user.user_id, call.path.chat_id);
        let max_members = self.limits.max_group_members;
        let command = groups::JoinGroup { user: call.caller.user, chat_id, max_members };
        self.committer.commit(command).await.map_err(Failure::narrow)?;
        Ok(self.chat_snapshot(user_id, chat_id).await?.into())
    }
}

impl Handle<LeaveGroup> for App {
    async fn handle(&self, call: Call<LeaveGroup>) -> Result<Answer<Nothing>, Failure<LeaveGroupRefusal>> {
        let command = groups::LeaveGroup { user: call.caller.user, chat_id: call.path.chat_id };
        self.committer.commit(command).await.map_err(Failure::narrow)?;
        Ok(Nothing {}.into())
    }
}

impl App {
    /// A group with how many of its members are there. (GRP-7)
    async fn group<R: Refusal>(&self, user_id: UserId, chat_id: ChatId) -> Result<Group, Failure<R>> {
        let found = self.log.group(user_id, chat_id).await?;
        let (group, members) = found.ok_or_else(|| Failure::refused(ErrorCode::GroupNotFound))?;
        let online_members_count = self.presence.online_among(&members).await?;
        Ok(Group { online_members_count, ..group })
    }
}
