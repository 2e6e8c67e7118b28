use i9chat_spec::{
    ChatId, Emoji, MessageId, User,
    api::reactions::{ReactionsOf, SetReactionRefusal},
    event::ReactionChanged,
};

use super::{Belonging, ChangeBody, Command, Decision, Stamp, State, Wanted};

/// Sets a user's reaction to a message, or takes it away. (REA-1, REA-3)
#[derive(Debug, Clone)]
pub struct ChangeReaction {
    /// Whose.
    pub user: User,
    /// Where the message stands.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// What it becomes; `None` takes it away.
    pub emoji: Option<Emoji>,
    /// The most different emojis of a message. (REA-7)
    pub max_different: u64,
}

impl Command for ChangeReaction {
    type Answer = ReactionsOf;
    type Refusal = SetReactionRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        let message = (self.chat_id, self.message_id);
        wanted.chats.insert(self.chat_id);
        wanted.messages.insert(message);
        wanted.reactions.entry(message).or_default().insert(self.user.user_id);
    }

    fn decide(&self, state: &State, _: &Stamp<'_>) -> Result<Decision<ReactionsOf>, SetReactionRefusal> {
        let user_id = self.user.user_id;
        let chat = state.chats.get(&self.chat_id).ok_or(SetReactionRefusal::ChatNotFound)?;
        match chat.belonging(user_id) {
            Some(Belonging::Now) => {}
            None if chat.as_group().is_none() => return Err(SetReactionRefusal::ChatNotFound),
            Some(Belonging::Until(_)) | None => return Err(SetReactionRefusal::NotMember),
        }
        let message = state.messages.get(&(self.chat_id, self.message_id));
        let message = message.filter(|message| chat.sees(user_id, message.seq));
        let message = message.ok_or(SetReactionRefusal::MessageNotFound)?;
        let mut reactions = state.reactions.get(&(self.chat_id, self.message_id)).cloned().unwrap_or_default();
        if reactions.own.get(&user_id) == self.emoji.as_ref() {
            return Ok(Decision::nothing(ReactionsOf { reactions: reactions.list() }));
        }
        // Counted with the new one in place of the old one: replacing the last of its kind makes room.
        reactions.set(user_id, self.emoji.as_ref());
        if reactions.counts.len() as u64 > self.max_different {
            return Err(SetReactionRefusal::TooManyReactions);
        }
        let changed = ReactionChanged {
            message_id: self.message_id,
            seq: message.seq,
            user: self.user.clone(),
            emoji: self.emoji.clone(),
            reactions: reactions.list(),
        };
        let answer = ReactionsOf { reactions: changed.reactions.clone() };
        let body = ChangeBody::ReactionChanged {
            audience: chat.audience.clone(),
            chat_id: self.chat_id,
            changed: Box::new(changed),
        };
        Ok(Decision::new(answer, vec![body]))
    }
}
