//! What the protocol says of each wish, without a look at the rules of the server.

use i9chat_server::domain::groups::Named;
use i9chat_spec::{ChatId, Emoji, ErrorCode, MessageId, ReadState, Role, User, UserId, api::groups::AddedMember};
use serde_json::{Value, json};

use super::Model;
use crate::{
    act::{Act, Deed},
    views::{Standing, mark},
};

impl Model {
    /// The refusal that is due, or the answer, as far as it can be said beforehand.
    pub(super) fn expected(&self, deed: &Deed) -> Result<Option<Value>, ErrorCode> {
        if let Some(client_id) = deed.client_id()
            && let Some((before, answer)) =
                self.done.iter().find(|(done, _)| done.by == deed.by && done.client_id() == Some(client_id))
        {
            // MSG-7, MSG-8, GRP-3
            return if same(&before.act, &deed.act) {
                Ok(Some(answer.clone()))
            } else {
                Err(ErrorCode::IdempotencyConflict)
            };
        }
        let (views, user) = (self.views(), &self.users[deed.by]);
        match &deed.act {
            Act::OpenDirect { with } if with.user_id == user.user_id => Err(ErrorCode::DirectWithSelf),
            Act::OpenDirect { .. } | Act::CreateGroup { .. } => Ok(None),
            Act::Send { chat_id, reply_to, .. } => {
                self.may_write(user.user_id, *chat_id)?;
                let is_seen = |id| {
                    views.messages().any(|message| {
                        message.message_id == id
                            && message.chat_id == *chat_id
                            && views.sees(user.user_id, *chat_id, message.seq)
                    })
                };
                if reply_to.is_some_and(|id| !is_seen(id)) { Err(ErrorCode::ReplyNotFound) } else { Ok(None) }
            }
            Act::React { chat_id, message_id, emoji } => {
                self.reaction(user.user_id, *chat_id, *message_id, emoji.as_ref())
            }
            Act::Mark { marks } => {
                let results: Vec<_> = marks
                    .iter()
                    .map(|wanted| match self.marked(user.user_id, wanted) {
                        Ok(state) => json!({ "chat_id": wanted.chat_id, "state": state }),
                        Err(code) => json!({ "chat_id": wanted.chat_id, "code": code }),
                    })
                    .collect();
                Ok(Some(json!({ "results": results })))
            }
            Act::Join { chat_id } => {
                self.is_group(*chat_id)?;
                let count = views.members(*chat_id).len() as u64;
                match self.standing(deed.by, *chat_id) {
                    _ if count == 0 => Err(ErrorCode::GroupClosed),
                    Standing::Member | Standing::Admin => Err(ErrorCode::AlreadyMember),
                    Standing::Removed => Err(ErrorCode::RemovedFromGroup),
                    Standing::None | Standing::Left if count >= self.limits.max_group_members => {
                        Err(ErrorCode::GroupFull)
                    }
                    Standing::None | Standing::Left => Ok(None),
                }
            }
            Act::Leave { chat_id } => {
                self.is_group(*chat_id)?;
                self.role(deed.by, *chat_id).map(|_| Some(Value::Null))
            }
            Act::Add { chat_id, names } => {
                self.as_admin(deed.by, *chat_id)?;
                Ok(Some(self.added(*chat_id, names)))
            }
            Act::Remove { chat_id, target } => {
                self.as_admin(deed.by, *chat_id)?;
                let target = target.user.as_ref().ok_or(ErrorCode::UserNotFound)?;
                if target.user_id == user.user_id {
                    return Err(ErrorCode::UseLeave);
                }
                match views.standing(target.user_id, *chat_id) {
                    Standing::Member | Standing::Admin => Ok(Some(Value::Null)),
                    _ => Err(ErrorCode::TargetNotMember),
                }
            }
            Act::ChangeAdmin { chat_id, target, role } => {
                self.as_admin(deed.by, *chat_id)?;
                let target = target.user.as_ref().ok_or(ErrorCode::UserNotFound)?;
                match (views.standing(target.user_id, *chat_id), role) {
                    (Standing::Admin, Role::Admin) => Err(ErrorCode::AlreadyAdmin),
                    (Standing::Admin, _) if views.admins(*chat_id).len() == 1 => Err(ErrorCode::LastAdmin),
                    (Standing::Admin, _) | (Standing::Member, Role::Admin) => Ok(Some(Value::Null)),
                    (Standing::Member, _) => Err(ErrorCode::TargetNotAdmin),
                    _ => Err(ErrorCode::TargetNotMember),
                }
            }
            Act::Update { chat_id, .. } => self.as_admin(deed.by, *chat_id).map(|()| None),
        }
    }

    fn reaction(
        &self,
        user_id: UserId,
        chat_id: ChatId,
        message_id: MessageId,
        emoji: Option<&Emoji>,
    ) -> Result<Option<Value>, ErrorCode> {
        let views = self.views();
        self.may_write(user_id, chat_id)?;
        let message = views.messages().find(|message| message.message_id == message_id && message.chat_id == chat_id);
        if !message.is_some_and(|message| views.sees(user_id, chat_id, message.seq)) {
            return Err(ErrorCode::MessageNotFound);
        }
        // REA-7
        let counts = views.counts(message_id);
        let own = views.own_reaction(user_id, message_id);
        let makes_room = counts.iter().any(|counted| counted.count == 1 && Some(&counted.emoji) == own.as_ref());
        let is_new = emoji.is_some_and(|emoji| counts.iter().all(|counted| counted.emoji != *emoji));
        let different = counts.len() as u64 - u64::from(makes_room);
        if is_new && different >= self.limits.max_different_reactions {
            Err(ErrorCode::TooManyReactions)
        } else {
            Ok(None)
        }
    }

    /// Who is in a chat writes to it. (MSG-9, REA-7)
    fn may_write(&self, user_id: UserId, chat_id: ChatId) -> Result<(), ErrorCode> {
        match self.views().is_group(chat_id) {
            Some(_) if self.views().is_in(user_id, chat_id) => Ok(()),
            Some(true) => Err(ErrorCode::NotMember),
            Some(false) | None => Err(ErrorCode::ChatNotFound),
        }
    }

    fn marked(&self, user_id: UserId, wanted: &i9chat_spec::api::receipts::Mark) -> Result<ReadState, ErrorCode> {
        let views = self.views();
        let seen = views.seen(user_id, wanted.chat_id);
        let Some(present) = seen.last() else {
            let is_group = views.is_group(wanted.chat_id) == Some(true);
            return Err(if is_group { ErrorCode::NotMember } else { ErrorCode::ChatNotFound });
        };
        let last = present.to.unwrap_or_else(|| views.count(wanted.chat_id));
        let number = |mark: Option<i9chat_spec::Watermark>| mark.map_or(0, i9chat_spec::Watermark::get);
        if number(wanted.delivered).max(number(wanted.read)) > last {
            return Err(ErrorCode::BeyondLastEntry);
        }
        let (delivered, read) = views.marks(user_id, wanted.chat_id);
        let read = read.max(number(wanted.read));
        let delivered = delivered.max(number(wanted.delivered)).max(read);
        let unread = views.unread(user_id, wanted.chat_id).into_iter().filter(|seq| *seq > read).count();
        Ok(ReadState { delivered: mark(delivered), read: mark(read), unread_count: unread as u64 })
    }

    fn is_group(&self, chat_id: ChatId) -> Result<(), ErrorCode> {
        (self.views().is_group(chat_id) == Some(true)).then_some(()).ok_or(ErrorCode::GroupNotFound)
    }

    fn role(&self, by: usize, chat_id: ChatId) -> Result<Role, ErrorCode> {
        match self.standing(by, chat_id) {
            Standing::Member => Ok(Role::Member),
            Standing::Admin => Ok(Role::Admin),
            Standing::None | Standing::Left | Standing::Removed => Err(ErrorCode::NotMember),
        }
    }

    /// The checks of GRP-6 up to the role of the caller.
    fn as_admin(&self, by: usize, chat_id: ChatId) -> Result<(), ErrorCode> {
        self.is_group(chat_id)?;
        (self.role(by, chat_id)? == Role::Admin).then_some(()).ok_or(ErrorCode::AdminRequired)
    }

    /// What becomes of each name that is added. (GRP-4, GRP-12)
    fn added(&self, chat_id: ChatId, names: &[Named]) -> Value {
        let mut count = self.views().members(chat_id).len() as u64;
        let results: Vec<_> = names
            .iter()
            .map(|Named { username, user }| {
                let code = match user.as_ref().map(|user| self.views().standing(user.user_id, chat_id)) {
                    None => Some(ErrorCode::UserNotFound),
                    Some(Standing::Member | Standing::Admin) => Some(ErrorCode::AlreadyMember),
                    Some(Standing::Left) => Some(ErrorCode::LeftGroup),
                    Some(Standing::None | Standing::Removed) if count >= self.limits.max_group_members => {
                        Some(ErrorCode::GroupFull)
                    }
                    Some(Standing::None | Standing::Removed) => None,
                };
                count += u64::from(code.is_none());
                AddedMember {
                    username: username.clone(),
                    added: code.is_none(),
                    code: code.map(|code| code.as_str().to_owned()),
                }
            })
            .collect();
        json!({ "results": results, "members_count": count })
    }

    /// Who becomes admin when that user leaves: who has been a member for longest, when no other admin is left. (GRP-11)
    pub(super) fn successor(&self, leaver: UserId, chat_id: ChatId) -> Option<&User> {
        let views = self.views();
        let admins = views.admins(chat_id);
        if admins.iter().any(|admin| admin.user_id != leaver) {
            return None;
        }
        views.members(chat_id).into_iter().find(|member| member.user_id != leaver)
    }
}

/// Whether two commands with one `client_id` are the same.
fn same(one: &Act, other: &Act) -> bool {
    match (one, other) {
        (
            Act::Send { chat_id, text, reply_to, .. },
            Act::Send { chat_id: other_chat, text: other_text, reply_to: other_reply, .. },
        ) => chat_id == other_chat && text == other_text && reply_to == other_reply,
        (Act::CreateGroup { asked, .. }, Act::CreateGroup { asked: other, .. }) => {
            let names = |group: &i9chat_spec::api::groups::NewGroup| -> Vec<String> {
                let names = group.members.iter().flat_map(|names| names.iter());
                names.map(|name| name.as_str().to_lowercase()).collect()
            };
            let description = |group: &i9chat_spec::api::groups::NewGroup| {
                group.description.as_ref().map_or(String::new(), |text| text.as_str().to_owned())
            };
            asked.name == other.name && description(asked) == description(other) && names(asked) == names(other)
        }
        _ => false,
    }
}
