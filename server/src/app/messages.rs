//! Messages: sending, history, reading one. (MSG-1 to MSG-12)

use i9chat_spec::{
    Entry, FieldCode, FieldError, action,
    action::SendMessageData,
    api::messages::{
        EntriesQuery, EntryPage, GetMessage, GetMessageRefusal, ListEntries, ListEntriesRefusal, MessageSent,
        SendMessage, SendMessageRefusal,
    },
};

use super::{Act, Answer, App, Call, Done, Failure, Handle, Identity};
use crate::{
    domain,
    store::{MessageRead, Seek},
};

impl Act<action::SendMessage> for App {
    fn act(&self, caller: &Identity, data: SendMessageData, done: Done<action::SendMessage>) {
        let SendMessageData { chat_id, client_id, content } = data;
        let command = domain::SendMessage { sender: caller.user.clone(), chat_id, client_id, content };
        self.committer.submit(command, done);
    }
}

impl Handle<SendMessage> for App {
    async fn handle(&self, call: Call<SendMessage>) -> Result<Answer<MessageSent>, Failure<SendMessageRefusal>> {
        let command = domain::SendMessage {
            sender: call.caller.user,
            chat_id: call.path.chat_id,
            client_id: call.body.client_id,
            content: call.body.content,
        };
        Ok(self.committer.commit(command).await?.into())
    }
}

impl Handle<ListEntries> for App {
    async fn handle(&self, call: Call<ListEntries>) -> Result<Answer<EntryPage>, Failure<ListEntriesRefusal>> {
        let seek = seek(&call.query).map_err(Failure::Invalid)?;
        let limit = call.query.limit.unwrap_or_default().get();
        // One more than asked for tells whether more follow.
        let read = self.log.entries(call.caller.user.user_id, call.path.chat_id, seek, limit + 1).await?;
        let mut items = read.ok_or(Failure::Refused(ListEntriesRefusal::ChatNotFound))?;
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
        let found = self.log.message(call.caller.user.user_id, call.path.chat_id, call.path.message_id).await?;
        match found {
            MessageRead::Found(message) => Ok(Entry::Message(*message).into()),
            MessageRead::NoChat => Err(Failure::Refused(GetMessageRefusal::ChatNotFound)),
            MessageRead::NoMessage => Err(Failure::Refused(GetMessageRefusal::MessageNotFound)),
        }
    }
}
