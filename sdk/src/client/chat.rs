use i9chat_spec::{
    ChatId, ClientId, Entry, Message, MessageId, MessageText, NewContent, Nothing, Seq, Watermark,
    action::SendMessageData,
    api::{
        chats::{ChatSnapshot, GetChat, OneChat},
        messages::{EntriesQuery, EntryPage, GetMessage, ListEntries, MessageSent, OneMessage},
    },
};
use tokio::sync::oneshot;

use super::{Client, Pages, driver::Command};
use crate::{Error, StopReason};

/// One chat of a client's user. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChatHandle {
    client: Client,
    chat_id: ChatId,
}

impl ChatHandle {
    pub(super) fn new(client: Client, chat_id: ChatId) -> Self {
        Self { client, chat_id }
    }

    /// Names the chat.
    pub const fn id(&self) -> ChatId {
        self.chat_id
    }

    /// Sends a text of 1 to 4,096 characters, and returns when it is durable. (MSG-1 to MSG-3)
    ///
    /// Breaks and errors that are worth a retry are dealt with behind the scenes, for as long as it takes; the message is stored once.
    /// To drop the future does not take the message back. Texts sent one after the other, without waiting, keep their order unless
    /// the server asks to retry one of them later; who waits for each keeps it always.
    ///
    /// [`Error::Overloaded`] when too many messages wait already ([`ClientBuilder::max_pending_sends`](crate::ClientBuilder::max_pending_sends)), [`Error::Refused`] when the server
    /// refuses (`chat_not_found`), [`Error::Stopped`] when the connection has ended for good.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let sent = client.direct("bob").await?.send("hello").await?;
    /// println!("number {} of the chat, at {}", sent.seq, sent.created_at);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, text: impl AsRef<str>) -> Result<MessageSent, Error> {
        let text: MessageText = text.as_ref().parse()?;
        self.send_content(ClientId::from_uuid(uuid::Uuid::new_v4()), NewContent::Text { text }).await
    }

    /// The same with an id that the program made and kept: sent again by a later run, whatever became of the first, it is stored once. (MSG-7)
    ///
    /// The same id with another chat or content is refused with `idempotency_conflict`. (MSG-8)
    pub async fn send_content(&self, client_id: ClientId, content: NewContent) -> Result<MessageSent, Error> {
        let message = SendMessageData { chat_id: self.chat_id, client_id, content, reply_to: None };
        let (outcome, settled) = oneshot::channel();
        let stopped = || Error::Stopped(self.stop_reason());
        self.client.commands().send(Command::Send { message, outcome }).await.map_err(|_| stopped())?;
        settled.await.map_err(|_| stopped())?.map_err(Error::from)
    }

    /// The chat as it is now, with the cursor after which its updates go on. (CHT-6, CHT-7)
    pub async fn read(&self) -> Result<ChatSnapshot, Error> {
        self.client.http().call::<GetChat>(&self.path(), &Nothing {}, &Nothing {}).await
    }

    /// One message; refused with `message_not_found`. (MSG-11)
    pub async fn message(&self, message_id: MessageId) -> Result<Message, Error> {
        let path = OneMessage { chat_id: self.chat_id, message_id };
        match self.client.http().call::<GetMessage>(&path, &Nothing {}, &Nothing {}).await? {
            Entry::Message(message) => Ok(message),
            Entry::Activity(_) | Entry::Unknown(_) => Err(Error::Unexpected("an entry that is no message".to_owned())),
        }
    }

    /// The history from its end backwards, newest first, page by page. (MSG-10)
    ///
    /// ```no_run
    /// # async fn run(bob: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// let mut entries = bob.history().items();
    /// while let Some(entry) = entries.next().await {
    ///     if let Some(message) = entry?.as_message() {
    ///         println!("{} {}", message.seq, message.sender.username);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn history(&self) -> Pages<EntryPage> {
        self.entries(EntriesQuery::default())
    }

    /// The history before an entry, newest first, page by page. (MSG-10)
    pub fn entries_before(&self, seq: Seq) -> Pages<EntryPage> {
        self.entries(EntriesQuery { before: Some(seq), ..EntriesQuery::default() })
    }

    /// The history after an entry, oldest first, page by page; after [`Watermark::ZERO`] all of it. (MSG-10)
    pub fn entries_after(&self, seq: impl Into<Watermark>) -> Pages<EntryPage> {
        self.entries(EntriesQuery { after: Some(seq.into()), ..EntriesQuery::default() })
    }

    fn entries(&self, first: EntriesQuery) -> Pages<EntryPage> {
        let (http, path) = (self.client.http().clone(), self.path());
        Pages::new(first, move |query: EntriesQuery| {
            let (http, path) = (http.clone(), path.clone());
            async move {
                let page = http.call::<ListEntries>(&path, &query, &Nothing {}).await?;
                let next = page.next.map(|seq| match query.after {
                    Some(_) => EntriesQuery { after: Some(seq.into()), ..query },
                    None => EntriesQuery { before: Some(seq), ..query },
                });
                Ok((page, next))
            }
        })
    }

    fn path(&self) -> OneChat {
        OneChat { chat_id: self.chat_id }
    }

    fn stop_reason(&self) -> StopReason {
        match *self.client.state().borrow() {
            crate::ConnectionState::Stopped(reason) => reason,
            _ => StopReason::ByApplication,
        }
    }
}
