//! Chats: opening, listing, reading one. (CHT-1 to CHT-8)

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use i9chat_spec::{
    Chat, ChatId, Cursor, ErrorCode, FieldCode, FieldError, Refusal, UserId,
    api::chats::{
        ChatPage, ChatSnapshot, GetChat, GetChatRefusal, ListChats, ListChatsRefusal, OpenDirect, OpenDirectRefusal,
    },
};

use super::{Answer, App, Call, Failure, Handle, Start};
use crate::{
    domain::{self, Position},
    store::{ChatsQuery, Snapshot},
};

impl Handle<OpenDirect> for App {
    async fn handle(&self, call: Call<OpenDirect>) -> Result<Answer<ChatSnapshot>, Failure<OpenDirectRefusal>> {
        let opener = call.caller.user;
        let found = self.accounts.user_by_name(&call.path.username).await?;
        let partner = found.ok_or(Failure::Refused(OpenDirectRefusal::UserNotFound))?;
        let user_id = opener.user_id;
        let chat_id = self.committer.commit(domain::OpenDirect { opener, partner }).await?;
        Ok(self.chat_snapshot(user_id, chat_id).await?.into())
    }
}

impl Handle<ListChats> for App {
    async fn handle(&self, call: Call<ListChats>) -> Result<Answer<ChatPage>, Failure<ListChatsRefusal>> {
        let before = call.query.after.as_ref().map(page_start).transpose().map_err(Failure::Invalid)?;
        let changed_since = match Start::of(call.query.changed_since.as_ref(), self.epoch, &*self.log).await? {
            Start::Fresh => None,
            Start::After(place) => Some(place.position),
            Start::Reset | Start::Forgotten => return Err(Failure::refused(ErrorCode::CursorReset)),
        };
        let limit = call.query.limit.unwrap_or_default().get();
        let query = ChatsQuery { before, changed_since, limit };
        let page = self.log.chats(call.caller.user.user_id, query).await?;
        let next = page.value.next.map(page_cursor).transpose()?;
        Ok(ChatPage { items: page.value.chats, next, cursor: page.place.cursor(self.epoch) }.into())
    }
}

impl Handle<GetChat> for App {
    async fn handle(&self, call: Call<GetChat>) -> Result<Answer<ChatSnapshot>, Failure<GetChatRefusal>> {
        let read = self.log.chat(call.caller.user.user_id, call.path.chat_id).await?;
        Ok(self.snapshot(read.found()?).into())
    }
}

impl App {
    fn snapshot(&self, read: Snapshot<Chat>) -> ChatSnapshot {
        ChatSnapshot { chat: read.value, cursor: read.place.cursor(self.epoch) }
    }

    /// A chat that the user has just got.
    pub(super) async fn chat_snapshot<R: Refusal>(
        &self,
        user_id: UserId,
        chat_id: ChatId,
    ) -> Result<ChatSnapshot, Failure<R>> {
        let read = self.log.chat(user_id, chat_id).await?;
        Ok(self.snapshot(read.found()?))
    }
}

/// Where a page of chats goes on: the position of the last activity of the chat before it.
fn page_cursor<R>(position: Position) -> Result<Cursor, Failure<R>> {
    URL_SAFE_NO_PAD.encode(position.0.to_be_bytes()).parse().map_err(|_| Failure::Internal)
}

fn page_start(after: &Cursor) -> Result<Position, FieldError> {
    let bytes = URL_SAFE_NO_PAD.decode(after.as_str()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(|bytes| Position(u64::from_be_bytes(bytes))).ok_or_else(|| FieldError {
        field: "after".to_owned(),
        code: FieldCode::BadFormat,
        message: "not the `next` of a page of chats".to_owned(),
    })
}
