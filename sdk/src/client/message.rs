use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use i9chat_spec::{
    ChatId, Emoji, Entry, Message, MessageId, MessageStatus, Nothing, ReactionCount,
    api::{
        groups::NamesQuery,
        messages::{GetMessage, MessageSent, OneMessage},
        reactions::{ListReactions, NewReaction, ReactionPage, RemoveReaction, SetReaction},
        receipts::{ListMessageReceipts, MessageReceiptPage},
    },
};

use super::{ChatHandle, Pages};
use crate::{Error, content::IntoContent};

/// One message of a chat. Cheap to clone; awaited, it reads the message. (MSG-11)
///
/// ```no_run
/// # async fn run(chat: i9chat_sdk::ChatHandle) -> Result<(), i9chat_sdk::Error> {
/// let sent = chat.send("Shall we?").await?;
/// let question = chat.message(sent.message_id);
/// question.react("👍").await?;
/// println!("{:?}", question.status().await?); // Sent, Delivered or Read
/// println!("{:?}", question.await?.reactions); // the message itself, as it is now
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MessageHandle {
    chat: ChatHandle,
    message_id: MessageId,
}

impl MessageHandle {
    pub(super) fn new(chat: ChatHandle, message_id: MessageId) -> Self {
        Self { chat, message_id }
    }

    /// Names the message.
    pub const fn id(&self) -> MessageId {
        self.message_id
    }

    /// Names its chat.
    pub const fn chat_id(&self) -> ChatId {
        self.chat.id()
    }

    /// The message as it is now, with its reactions; refused with `message_not_found`. (MSG-11, REA-4)
    pub async fn read(&self) -> Result<Message, Error> {
        match self.chat.http().call::<GetMessage>(&self.path(), &Nothing {}, &Nothing {}).await? {
            Entry::Message(message) => Ok(message),
            Entry::Activity(_) | Entry::Unknown(_) => Err(Error::Unexpected("an entry that is no message".to_owned())),
        }
    }

    /// How far the message has come: sent, delivered to everybody else, or read by everybody else. (RCP-7, RCP-8)
    ///
    /// Refused with `message_not_found`, and with `not_member` when the user is no member of the group any more.
    ///
    /// ```no_run
    /// # async fn run(message: i9chat_sdk::MessageHandle) -> Result<(), i9chat_sdk::Error> {
    /// use i9chat_sdk::spec::MessageStatus;
    ///
    /// let ticks = match message.status().await? {
    ///     MessageStatus::Sent => "✓",
    ///     MessageStatus::Delivered => "✓✓",
    ///     MessageStatus::Read => "✓✓ read",
    ///     MessageStatus::Unknown => "?",
    /// };
    /// println!("{ticks}");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn status(&self) -> Result<MessageStatus, Error> {
        Ok(self.receipts_page(&NamesQuery::default()).await?.status)
    }

    /// Who of the others has got the message and who has read it, by name, page by page. (RCP-8)
    ///
    /// ```no_run
    /// # async fn run(message: i9chat_sdk::MessageHandle) -> Result<(), i9chat_sdk::Error> {
    /// let mut receipts = message.receipts().items();
    /// while let Some(receipt) = receipts.next().await {
    ///     let receipt = receipt?;
    ///     println!("{}: {:?}", receipt.user.username, receipt.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn receipts(&self) -> Pages<MessageReceiptPage> {
        let message = self.clone();
        Pages::new(NamesQuery::default(), move |query| {
            let message = message.clone();
            async move {
                let page = message.receipts_page(&query).await?;
                let next = page.next.clone().map(|after| NamesQuery { after: Some(after), ..query });
                Ok((page, next))
            }
        })
    }

    /// Sets the user's reaction, in place of the one before, and answers all reactions of the message: one emoji. (REA-1, REA-2)
    ///
    /// [`Error::Invalid`] when it is not one emoji; refused with `message_not_found`, `not_member` and `too_many_reactions`.
    ///
    /// ```no_run
    /// # async fn run(message: i9chat_sdk::MessageHandle) -> Result<(), i9chat_sdk::Error> {
    /// for reaction in message.react("🎉").await? {
    ///     println!("{} {}", reaction.emoji, reaction.count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn react(&self, emoji: &str) -> Result<Vec<ReactionCount>, Error> {
        let body = NewReaction { emoji: emoji.parse::<Emoji>()? };
        Ok(self.chat.http().call::<SetReaction>(&self.path(), &Nothing {}, &body).await?.reactions)
    }

    /// Takes the user's reaction away, if there is one, and answers the others. (REA-3)
    pub async fn unreact(&self) -> Result<Vec<ReactionCount>, Error> {
        Ok(self.chat.http().call::<RemoveReaction>(&self.path(), &Nothing {}, &Nothing {}).await?.reactions)
    }

    /// Who reacted with what, by name, page by page. (REA-5)
    ///
    /// ```no_run
    /// # async fn run(message: i9chat_sdk::MessageHandle) -> Result<(), i9chat_sdk::Error> {
    /// let mut reactions = message.reactions().items();
    /// while let Some(reaction) = reactions.next().await {
    ///     let reaction = reaction?;
    ///     println!("{} {}", reaction.emoji, reaction.user.username);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reactions(&self) -> Pages<ReactionPage> {
        let message = self.clone();
        Pages::new(NamesQuery::default(), move |query| {
            let message = message.clone();
            async move {
                let page = message.chat.http().call::<ListReactions>(&message.path(), &query, &Nothing {}).await?;
                let next = page.next.clone().map(|after| NamesQuery { after: Some(after), ..query });
                Ok((page, next))
            }
        })
    }

    /// Replies to the message, in its chat; see [`ChatHandle::send`]. (MSG-15)
    ///
    /// ```no_run
    /// # async fn run(message: i9chat_sdk::MessageHandle) -> Result<(), i9chat_sdk::Error> {
    /// message.reply("Me too").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reply(&self, content: impl IntoContent) -> Result<MessageSent, Error> {
        self.chat.reply(self.message_id, content).await
    }

    async fn receipts_page(&self, query: &NamesQuery) -> Result<MessageReceiptPage, Error> {
        self.chat.http().call::<ListMessageReceipts>(&self.path(), query, &Nothing {}).await
    }

    fn path(&self) -> OneMessage {
        OneMessage { chat_id: self.chat.id(), message_id: self.message_id }
    }
}

impl IntoFuture for MessageHandle {
    type Output = Result<Message, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Reads the message, as [`read`](MessageHandle::read) does.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.read().await })
    }
}
