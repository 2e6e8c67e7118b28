use i9chat_spec::{
    ChatId, ClientId, MessageId, Nothing, ReactionCount, ReadState, Seq, Watermark,
    action::{SendMessageData, SetTyping, TypingIn},
    api::{
        chats::{ChatSnapshot, GetChat, OneChat},
        groups::NamesQuery,
        messages::{EntriesQuery, EntryPage, ListEntries, MessageSent, NewMessage},
        receipts::{ChatReceiptPage, ListChatReceipts, Mark},
    },
};
use tokio::sync::oneshot;

use super::{Client, MessageHandle, Pages, ask, driver::Command};
use crate::{Error, Http, content::IntoContent};

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

    /// Sends a text of 1 to 4,096 characters, or anything else that [`content`](crate::content) makes, and returns when it is
    /// durable. (MSG-1 to MSG-3, MSG-14)
    ///
    /// Breaks and errors that are worth a retry are dealt with behind the scenes, for as long as it takes; the message is stored once.
    /// To drop the future does not take the message back. Messages sent one after the other, without waiting, keep their order unless
    /// the server asks to retry one of them later; who waits for each keeps it always.
    ///
    /// [`Error::Overloaded`] when too many messages wait already ([`ClientBuilder::max_pending_sends`](crate::ClientBuilder::max_pending_sends)), [`Error::Refused`] when the server
    /// refuses (`chat_not_found`, `not_member`, `media_not_usable`), [`Error::Stopped`] when the connection has ended for good.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let sent = client.direct("bob").await?.send("hello").await?;
    /// println!("number {} of the chat, at {}", sent.seq, sent.created_at);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, content: impl IntoContent) -> Result<MessageSent, Error> {
        let content = content.into_content()?;
        self.send_message(NewMessage { client_id: new_client_id(), content, reply_to: None }).await
    }

    /// Sends a message that replies to another one of the chat; refused with `reply_not_found` besides. (MSG-15)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client, update: i9chat_sdk::Update) -> Result<(), i9chat_sdk::Error> {
    /// if let Some(message) = update.message() {
    ///     client.chat(message.chat_id).reply(message.message_id, "Got it").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reply(&self, to: MessageId, content: impl IntoContent) -> Result<MessageSent, Error> {
        let content = content.into_content()?;
        self.send_message(NewMessage { client_id: new_client_id(), content, reply_to: Some(to) }).await
    }

    /// Sends with a `client_id` that the program made and kept: sent again by a later run, whatever became of the first, it is
    /// stored once. (MSG-7)
    ///
    /// The same id with another chat, content or `reply_to` is refused with `idempotency_conflict`. (MSG-8)
    ///
    /// ```no_run
    /// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// use i9chat_sdk::{content::IntoContent, spec::{ClientId, api::messages::NewMessage}};
    ///
    /// # fn stored_id() -> ClientId { ClientId::from_uuid(uuid::Uuid::nil()) }
    /// let client_id: ClientId = stored_id(); // kept by the program before the first try
    /// let content = "The order is confirmed".into_content()?;
    /// chat.send_message(NewMessage { client_id, content, reply_to: None }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_message(&self, message: NewMessage) -> Result<MessageSent, Error> {
        let NewMessage { client_id, content, reply_to } = message;
        let message = SendMessageData { chat_id: self.chat_id, client_id, content, reply_to };
        self.client.typing().ended(self.chat_id);
        let (outcome, settled) = oneshot::channel();
        let stopped = || self.client.stopped();
        self.client.commands().send(Command::Send { message, outcome }).await.map_err(|_| stopped())?;
        settled.await.map_err(|_| stopped())?.map_err(Error::from)
    }

    /// One message. Nothing is asked until the handle is used: awaited, it reads the message.
    ///
    /// ```no_run
    /// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// # let message_id: i9chat_sdk::spec::MessageId = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6074".parse()?;
    /// println!("{:?}", chat.message(message_id).status().await?);
    /// println!("{:?}", chat.message(message_id).await?.content);
    /// # Ok(())
    /// # }
    /// ```
    pub fn message(&self, message_id: MessageId) -> MessageHandle {
        MessageHandle::new(self.clone(), message_id)
    }

    /// Reacts to a message with one emoji, as [`MessageHandle::react`] does. (REA-1)
    pub async fn react(&self, message_id: MessageId, emoji: &str) -> Result<Vec<ReactionCount>, Error> {
        self.message(message_id).react(emoji).await
    }

    /// Takes the user's reaction to a message away, as [`MessageHandle::unreact`] does. (REA-3)
    pub async fn unreact(&self, message_id: MessageId) -> Result<Vec<ReactionCount>, Error> {
        self.message(message_id).unreact().await
    }

    /// The user has read the chat up to that entry. Returns how far they are then. (RCP-1 to RCP-5)
    ///
    /// Meant to be called for each message that is shown: marks that come together travel together, only the furthest of a chat,
    /// over the connection or by a call while there is none, and are tried again until the server has them. To drop the future does
    /// not take the mark back. Refused with `chat_not_found`, `not_member` and `beyond_last_entry`.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client, update: i9chat_sdk::Update) -> Result<(), i9chat_sdk::Error> {
    /// if let Some(message) = update.message() {
    ///     println!("{}", message.content.text().unwrap_or("(something newer)"));
    ///     let state = client.chat(message.chat_id).mark_read(message.seq).await?;
    ///     println!("{} to go", state.unread_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_read(&self, up_to: impl Into<Watermark>) -> Result<ReadState, Error> {
        self.mark(Mark { chat_id: self.chat_id, delivered: None, read: Some(up_to.into()) }).await
    }

    /// The user's device has got the chat up to that entry; as [`mark_read`](Self::mark_read) otherwise.
    ///
    /// A client does this by itself ([`ClientBuilder::auto_delivered`](crate::ClientBuilder::auto_delivered)).
    pub async fn mark_delivered(&self, up_to: impl Into<Watermark>) -> Result<ReadState, Error> {
        self.mark(Mark { chat_id: self.chat_id, delivered: Some(up_to.into()), read: None }).await
    }

    async fn mark(&self, mark: Mark) -> Result<ReadState, Error> {
        self.client.marks().mark(mark).await.map_err(|_| self.client.stopped())?
    }

    /// How far each member is in the chat, the user included, by name, page by page. (RCP-9)
    ///
    /// ```no_run
    /// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// let mut receipts = chat.receipts().items();
    /// while let Some(receipt) = receipts.next().await {
    ///     let receipt = receipt?;
    ///     println!("{} has read up to {}", receipt.user.username, receipt.read.get());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn receipts(&self) -> Pages<ChatReceiptPage> {
        let (http, path) = (self.http().clone(), self.path());
        Pages::new(NamesQuery::default(), move |query| {
            let (http, path) = (http.clone(), path.clone());
            async move {
                let page = http.call::<ListChatReceipts>(&path, &query, &Nothing {}).await?;
                let next = page.next.clone().map(|after| NamesQuery { after: Some(after), ..query });
                Ok((page, next))
            }
        })
    }

    /// Tells the others that the user is typing: for an application to call at every key press. (PRS-10)
    ///
    /// It returns at once and tells at most every three seconds. While there is no connection nobody is told; a message that is sent
    /// ends it.
    ///
    /// ```no_run
    /// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// # fn key_pressed() -> bool { false }
    /// while key_pressed() {
    ///     chat.typing();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn typing(&self) {
        if !self.client.typing().is_due(self.chat_id) {
            return;
        }
        let told = |outcome| {
            if let Err(error) = outcome {
                tracing::debug!(%error, "nobody was told of the typing");
            }
        };
        let Ok(command) = ask::command::<SetTyping>(&TypingIn { chat_id: self.chat_id }, told) else { return };
        if self.client.commands().try_send(command).is_err() {
            tracing::debug!("no room to tell of the typing");
        }
    }

    /// The chat as it is now, with the cursor after which its updates go on. (CHT-6, CHT-7)
    ///
    /// ```no_run
    /// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// let now = chat.read().await?;
    /// println!("{} unread, as of {}", now.chat.unread_count, now.cursor.as_str());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read(&self) -> Result<ChatSnapshot, Error> {
        self.client.http().call::<GetChat>(&self.path(), &Nothing {}, &Nothing {}).await
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
    ///
    /// ```no_run
    /// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
    /// use i9chat_sdk::spec::Watermark;
    ///
    /// let mut entries = chat.entries_after(Watermark::ZERO).items(); // from the first on
    /// while let Some(entry) = entries.next().await {
    ///     println!("{:?}", entry?.seq());
    /// }
    /// # Ok(())
    /// # }
    /// ```
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

    pub(super) fn http(&self) -> &Http {
        self.client.http()
    }
}

fn new_client_id() -> ClientId {
    ClientId::from_uuid(uuid::Uuid::new_v4())
}
