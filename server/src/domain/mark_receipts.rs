use i9chat_spec::{
    ErrorCode, ReadState, User, Watermark,
    api::receipts::{Mark, MarkResult, MarksMade},
    error::NoRefusal,
    event::{ReadStateChanged, ReceiptsUpdated},
};

use super::{Belonging, ChangeBody, ChatBody, ChatState, Command, Decision, Stamp, State, Wanted};

/// Moves a user's watermarks in several chats. (RCP-2)
#[derive(Debug, Clone)]
pub struct MarkReceipts {
    /// Who.
    pub user: User,
    /// Where to.
    pub marks: Vec<Mark>,
    /// The largest group in which the others hear of it. (RCP-11)
    pub fanout_members: u64,
    /// Unread messages are counted up to this. (CHT-4)
    pub max_unread_count: u64,
}

impl Command for MarkReceipts {
    type Answer = MarksMade;
    type Refusal = NoRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        for mark in &self.marks {
            wanted.chats.insert(mark.chat_id);
            wanted.reading.insert((mark.chat_id, self.user.user_id));
        }
    }

    fn decide(&self, state: &State, _: &Stamp<'_>) -> Result<Decision<MarksMade>, NoRefusal> {
        let mut changes = Vec::new();
        let results = self
            .marks
            .iter()
            .map(|mark| match self.mark(state, *mark, &mut changes) {
                Ok(now) => MarkResult::moved(mark.chat_id, now),
                Err(code) => MarkResult::refused(mark.chat_id, code),
            })
            .collect();
        Ok(Decision::new(MarksMade { results }, changes))
    }
}

impl MarkReceipts {
    fn mark(&self, state: &State, mark: Mark, changes: &mut Vec<ChangeBody>) -> Result<ReadState, ErrorCode> {
        let user_id = self.user.user_id;
        let chat = state.chats.get(&mark.chat_id).ok_or(ErrorCode::ChatNotFound)?;
        let belonging = chat.belonging(user_id);
        let last = match belonging {
            Some(Belonging::Now) => chat.last(),
            Some(Belonging::Until(seq)) => seq.into(),
            None if chat.as_group().is_some() => return Err(ErrorCode::NotMember),
            None => return Err(ErrorCode::ChatNotFound),
        };
        if mark.delivered.max(mark.read).is_some_and(|mark| mark > last) {
            return Err(ErrorCode::BeyondLastEntry);
        }
        let reader = state.reading.of(mark.chat_id, user_id).ok_or(ErrorCode::ChatNotFound)?;
        let read = mark.read.unwrap_or_default().max(reader.read);
        // What was read was got. (RCP-3)
        let delivered = mark.delivered.unwrap_or_default().max(reader.delivered).max(read);
        let unread_count = reader.unread(read, last, self.max_unread_count);
        if (delivered, read) != (reader.delivered, reader.read) {
            let state = ReadStateChanged { chat_id: mark.chat_id, delivered, read, unread_count };
            changes.push(ChangeBody::ReadStateChanged { user_id, state });
            if belonging == Some(Belonging::Now) && self.is_told(chat) {
                changes.push(self.told(chat, delivered, read));
            }
        }
        Ok(ReadState { delivered, read, unread_count })
    }

    /// Whether the others hear how far a member is. (RCP-11)
    fn is_told(&self, chat: &ChatState) -> bool {
        match &chat.body {
            ChatBody::Direct(_) => true,
            ChatBody::Group(group) => group.members_count() <= self.fanout_members,
        }
    }

    fn told(&self, chat: &ChatState, delivered: Watermark, read: Watermark) -> ChangeBody {
        let updated = ReceiptsUpdated { user: self.user.clone(), delivered, read };
        let audience = chat.audience.clone();
        ChangeBody::ReceiptsUpdated { audience, chat_id: chat.chat_id, updated: Box::new(updated) }
    }
}
