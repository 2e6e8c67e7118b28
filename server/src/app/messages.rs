//! Messages: sending, history, reading one. (MSG-1 to MSG-16)

use i9chat_spec::{
    Entry, FieldCode, FieldError, action,
    action::SendMessageData,
    api::messages::{
        EntriesQuery, EntryPage, GetMessage, GetMessageRefusal, ListEntries, ListEntriesRefusal, MessageSent,
        NewMessage, OneMessage, SendMessage, SendMessageRefusal,
    },
};

use super::{Act, Actor, Answer, App, Call, Done, Failure, Handle, Identity};
use crate::{
    domain,
    store::{self, Seek},
};

impl Act<action::SendMessage> for App {
    fn act(&self, caller: &Actor, data: SendMessageData, done: Done<action::SendMessage>) {
        let SendMessageData { chat_id, client_id, content, reply_to } = data;
        let command = domain::SendMessage { sender: caller.user.clone(), chat_id, client_id, content, reply_to };
        self.committer.submit_by(caller, command, done);
    }
}

impl Handle<SendMessage> for App {
    async fn handle(&self, call: Call<SendMessage>) -> Result<Answer<MessageSent>, Failure<SendMessageRefusal>> {
        let NewMessage { client_id, content, reply_to } = call.body;
        let sender = call.caller.user;
        let command = domain::SendMessage { sender, chat_id: call.path.chat_id, client_id, content, reply_to };
        Ok(self.committer.commit(command).await?.into())
    }
}

impl Handle<ListEntries> for App {
    async fn handle(&self, call: Call<ListEntries>) -> Result<Answer<EntryPage>, Failure<ListEntriesRefusal>> {
        let seek = seek(&call.query).map_err(Failure::Invalid)?;
        let limit = call.query.limit.unwrap_or_default().get();
        // One more than asked for tells whether more follow.
        let read = self.log.entries(call.caller.user.user_id, call.path.chat_id, seek, limit + 1).await?;
        let mut items = read.found()?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).and_then(Entry::seq);
        Ok(EntryPage { items, next }.into())
    }
}

fn seek(query: &EntriesQuery) -> Result<Seek, FieldError> {
    match (query.before, query.after) {
        (None, None) => Ok(Seek::Newest),
        (Some(before), None) => Ok(Seek::Before(before)),
        (None, Some(after)) => Ok(Seek::After(after)),
        (Some(_), Some(_)) => Err(FieldError {
            field: "after".to_owned(),
            code: FieldCode::Conflicting,
            message: "give `before` or `after`, not both".to_owned(),
        }),
    }
}

impl Handle<GetMessage> for App {
    async fn handle(&self, call: Call<GetMessage>) -> Result<Answer<Entry>, Failure<GetMessageRefusal>> {
        let message = self.log.message(wanted(&call.caller, &call.path)).await?.found()?;
        Ok(Entry::Message(*message).into())
    }
}

/// A message that a caller names.
pub(super) fn wanted(caller: &Identity, path: &OneMessage) -> store::OneMessage {
    store::OneMessage { user_id: caller.user.user_id, chat_id: path.chat_id, message_id: path.message_id }
}
