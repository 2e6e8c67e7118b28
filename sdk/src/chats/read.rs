//! What a view asks its driver to read, and what the driver answers.

use i9chat_spec::{
    ChatId,
    api::{
        chats::{ChatPage, ChatSnapshot, ChatsQuery},
        groups::NamesQuery,
        messages::{EntriesQuery, EntryPage},
        receipts::ChatReceiptPage,
        users::OwnProfile,
    },
};

/// Something that a [`View`](super::View) needs. Each is answered once, or is reported as failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Tells the answer apart from others.
    pub key: ReadKey,
    /// What is to be read.
    pub what: What,
}

/// Names a [`Read`] of one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadKey(pub(super) u64);

/// An endpoint with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// `list_chats`
    Chats(ChatsQuery),
    /// `get_chat`
    Chat(ChatId),
    /// `list_entries`
    Entries(ChatId, EntriesQuery),
    /// `list_chat_receipts`
    Receipts(ChatId, NamesQuery),
    /// `get_me`
    Profile,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// To [`What::Chats`].
    Chats(ChatPage),
    /// To [`What::Chat`].
    Chat(Box<ChatSnapshot>),
    /// To [`What::Entries`].
    Entries(EntryPage),
    /// To [`What::Receipts`].
    Receipts(ChatReceiptPage),
    /// To [`What::Profile`].
    Profile(Box<OwnProfile>),
    /// `cursor_reset`, to a list of the chats that changed: the whole list is needed.
    CursorReset,
    /// `chat_not_found` or `not_member`: the user does not have, or may not ask, what was asked for.
    Refused,
}
