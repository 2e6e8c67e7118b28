use std::collections::HashSet;

use i9chat_spec::{
    ErrorCode, FieldCode, FieldError, Role, User, Username,
    api::groups::{
        AddMembers, AddMembersRefusal, ListMembers, ListMembersRefusal, MakeAdmin, MakeAdminRefusal, Member,
        MemberPage, MembersAdded, OneMember, RemoveAdmin, RemoveAdminRefusal, RemoveMember, RemoveMemberRefusal,
    },
    endpoint::Nothing,
};

use super::{Page, names};
use crate::{
    app::{Answer, App, Call, Failure, Handle},
    domain::groups::{self, ChangeAdmin, Named},
    store::MemberRead,
};

impl Handle<ListMembers> for App {
    async fn handle(&self, call: Call<ListMembers>) -> Result<Answer<MemberPage>, Failure<ListMembersRefusal>> {
        let names = names(&call.query);
        let read = self.log.members(call.caller.user.user_id, call.path.chat_id, names.one_more()).await?;
        let Page { items, next } = names.page(read.found_or(ErrorCode::GroupNotFound)?, |member| &member.user);
        let users: Vec<_> = items.iter().map(|member| member.user.user_id).collect();
        let states = self.presence.states(&users).await?;
        let items = items
            .into_iter()
            .zip(states)
            .map(|(MemberRead { user, role, joined_at }, there)| Member {
                user,
                role,
                joined_at,
                presence: there.presence,
                last_seen: there.last_seen,
            })
            .collect();
        Ok(MemberPage { items, next }.into())
    }
}

impl Handle<AddMembers> for App {
    async fn handle(&self, call: Call<AddMembers>) -> Result<Answer<MembersAdded>, Failure<AddMembersRefusal>> {
        let command = groups::AddMembers {
            actor: call.caller.user,
            chat_id: call.path.chat_id,
            names: self.named("usernames", call.body.usernames.into_vec()).await?,
            max_members: self.limits.max_group_members,
        };
        Ok(self.committer.commit(command).await.map_err(Failure::narrow)?.into())
    }
}

impl Handle<RemoveMember> for App {
    async fn handle(&self, call: Call<RemoveMember>) -> Result<Answer<Nothing>, Failure<RemoveMemberRefusal>> {
        let OneMember { chat_id, username } = call.path;
        let target = self.one_named(username).await?;
        let command = groups::RemoveMember { actor: call.caller.user, chat_id, target };
        self.committer.commit(command).await.map_err(Failure::narrow)?;
        Ok(Nothing {}.into())
    }
}

impl Handle<MakeAdmin> for App {
    async fn handle(&self, call: Call<MakeAdmin>) -> Result<Answer<Nothing>, Failure<MakeAdminRefusal>> {
        let command = self.change_admin(call.caller.user, call.path, Role::Admin).await?;
        self.committer.commit(command).await.map_err(Failure::narrow)?;
        Ok(Nothing {}.into())
    }
}

impl Handle<RemoveAdmin> for App {
    async fn handle(&self, call: Call<RemoveAdmin>) -> Result<Answer<Nothing>, Failure<RemoveAdminRefusal>> {
        let command = self.change_admin(call.caller.user, call.path, Role::Member).await?;
        self.committer.commit(command).await.map_err(Failure::narrow)?;
        Ok(Nothing {}.into())
    }
}

impl App {
    async fn change_admin<R>(&self, actor: User, path: OneMember, role: Role) -> Result<ChangeAdmin, Failure<R>> {
        let target = self.one_named(path.username).await?;
        Ok(ChangeAdmin { actor, chat_id: path.chat_id, target, role })
    }

    async fn one_named<R>(&self, username: Username) -> Result<Named, Failure<R>> {
        let user = self.accounts.user_by_name(&username).await?;
        Ok(Named { username, user })
    }

    /// Who the names are; none may stand there twice. (GRP-4)
    pub(super) async fn named<R>(&self, field: &str, names: Vec<Username>) -> Result<Vec<Named>, Failure<R>> {
        let mut keys = HashSet::new();
        if let Some(index) = names.iter().position(|name| !keys.insert(name.key())) {
            return Err(Failure::Invalid(FieldError {
                field: format!("{field}[{index}]"),
                code: FieldCode::Conflicting,
                message: "the name stands there twice".to_owned(),
            }));
        }
        let users = self.accounts.store().users_by_name(names.clone()).await?;
        Ok(names.into_iter().zip(users).map(|(username, user)| Named { username, user }).collect())
    }
}
