//! Receipts. (RCP-1 to RCP-12)

use std::collections::HashSet;

use i9chat_spec::{
    FieldCode, FieldError, User, action,
    api::receipts::{
        ChatReceiptPage, ListChatReceipts, ListChatReceiptsRefusal, ListMessageReceipts, ListMessageReceiptsRefusal,
        MarkReceipts, Marks, MarksMade, MessageReceiptPage,
    },
    error::NoRefusal,
};

use super::{
    Act, Actor, Answer, App, Call, Done, Failure, Handle,
    groups::{Page, names},
    messages::wanted,
};
use crate::domain;

impl App {
    fn mark(&self, user: User, marks: Marks) -> Result<domain::MarkReceipts, FieldError> {
        let mut chats = HashSet::new();
        for (index, mark) in marks.marks.iter().enumerate() {
            if mark.delivered.is_none() && mark.read.is_none() {
                return Err(FieldError {
                    field: format!("marks[{index}].read"),
                    code: FieldCode::Missing,
                    message: "give `delivered` or `read`, or both".to_owned(),
                });
            }
            if !chats.insert(mark.chat_id) {
                return Err(FieldError {
                    field: format!("marks[{index}].chat_id"),
                    code: FieldCode::Conflicting,
                    message: "the chat stands there twice".to_owned(),
                });
            }
        }
        Ok(domain::MarkReceipts {
            user,
            marks: marks.marks.into_vec(),
            fanout_members: self.limits.receipt_fanout_members,
            max_unread_count: self.limits.max_unread_count,
        })
    }
}

impl Act<action::MarkReceipts> for App {
    fn act(&self, caller: &Actor, marks: Marks, done: Done<action::MarkReceipts>) {
        match self.mark(caller.user.clone(), marks) {
            Ok(command) => self.committer.submit_by(caller, command, done),
            Err(fault) => done(Err(Failure::Invalid(fault))),
        }
    }
}

impl Handle<MarkReceipts> for App {
    async fn handle(&self, call: Call<MarkReceipts>) -> Result<Answer<MarksMade>, Failure<NoRefusal>> {
        let command = self.mark(call.caller.user, call.body).map_err(Failure::Invalid)?;
        Ok(self.committer.commit(command).await?.into())
    }
}

impl Handle<ListMessageReceipts> for App {
    async fn handle(
        &self,
        call: Call<ListMessageReceipts>,
    ) -> Result<Answer<MessageReceiptPage>, Failure<ListMessageReceiptsRefusal>> {
        let names = names(&call.query);
        let read = self.log.message_receipts(wanted(&call.caller, &call.path), names.one_more()).await?;
        let (status, receipts) = read.found()?;
        let Page { items, next } = names.page(receipts, |receipt| &receipt.user);
        Ok(MessageReceiptPage { status, items, next }.into())
    }
}

impl Handle<ListChatReceipts> for App {
    async fn handle(
        &self,
        call: Call<ListChatReceipts>,
    ) -> Result<Answer<ChatReceiptPage>, Failure<ListChatReceiptsRefusal>> {
        let names = names(&call.query);
        let read = self.log.chat_receipts(call.caller.user.user_id, call.path.chat_id, names.one_more()).await?;
        let Page { items, next } = names.page(read.found()?, |receipt| &receipt.user);
        Ok(ChatReceiptPage { items, next }.into())
    }
}
