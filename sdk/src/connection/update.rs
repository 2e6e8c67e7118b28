use i9chat_spec::{
    Activity, Chat, ChatId, Cursor, Event, EventFrame, Message,
    event::{
        MembershipEnded, PresenceChanged, ProfileChanged, ReactionChanged, ReadStateChanged, ReceiptsUpdated, Typing,
    },
};

/// What the application hears of, each once and in the order of the log. Typing and presence have no place in the log: they come when
/// there is room for them, and are never told again. (PRS-9)
///
/// ```no_run
/// # async fn run(client: i9chat_sdk::Client) {
/// let mut updates = client.updates();
/// while let Some(update) = updates.next().await {
///     if let Some(message) = update.message() {
///         println!("{}: {}", message.sender.username, message.content.text().unwrap_or("(no text)"));
///     } else if let Some(typing) = update.typing() {
///         println!("{} is typing", typing.user.username);
///     } else if let Some(changed) = update.reaction() {
///         println!("message {} has {:?}", changed.seq, changed.reactions);
///     } else if update.needs_reread() {
///         println!("some of it was missed: read the chats anew");
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update {
    /// Something happened. (LOG-3)
    ///
    /// Events of an unknown name are not handed out (CNV-14). [`Event::Unknown`] stands here for one whose name is known and whose data
    /// cannot be read, as from a newer server: what it is about is to be read anew.
    Event(Box<EventFrame>),
    /// Events were missed that will not come: too many, or too long ago. Ids and `seq` of the entries that the application
    /// holds stay valid; it reads its chats, and what it shows of them, anew. (RSM-5)
    Limited {
        /// Events after this one follow.
        cursor: Cursor,
    },
    /// The log is another one, as after a restore from a backup: the application drops what it holds and reads anew. (RSM-6)
    Reset {
        /// Events after this one follow.
        cursor: Cursor,
    },
}

impl Update {
    /// What happened, if this is an event.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(frame) => Some(&frame.event),
            Self::Limited { .. } | Self::Reset { .. } => None,
        }
    }

    /// The message, if one was sent to a chat of the user: by somebody else, or by the user on any device.
    pub fn message(&self) -> Option<&Message> {
        match self.event()? {
            Event::MessageCreated(created) => Some(&created.message),
            _ => None,
        }
    }

    /// What happened to a group, if that is it. (GRP-20)
    pub fn activity(&self) -> Option<&Activity> {
        match self.event()? {
            Event::GroupActivity(happened) => Some(&happened.activity),
            _ => None,
        }
    }

    /// The chat, if one was added for the user: what the application holds of that chat is dropped, and read anew. (LOG-7, GRP-17)
    pub fn chat_added(&self) -> Option<&Chat> {
        match self.event()? {
            Event::ChatAdded(added) => Some(&added.chat),
            _ => None,
        }
    }

    /// Of which group the user is no member any more, if that is it. (GRP-18)
    pub fn membership_ended(&self) -> Option<&MembershipEnded> {
        match self.event()? {
            Event::MembershipEnded(ended) => Some(ended),
            _ => None,
        }
    }

    /// Which message has other reactions now, if one has. (REA-6)
    pub fn reaction(&self) -> Option<&ReactionChanged> {
        match self.event()? {
            Event::ReactionChanged(changed) => Some(changed),
            _ => None,
        }
    }

    /// Who has got or read more of a chat, if somebody has; [`chat_id`](Self::chat_id) says of which. (RCP-11)
    pub fn receipts(&self) -> Option<&ReceiptsUpdated> {
        match self.event()? {
            Event::ReceiptsUpdated(updated) => Some(updated),
            _ => None,
        }
    }

    /// How far the user is in a chat now, if that has changed: perhaps by another device of theirs. (RCP-10)
    pub fn read_state(&self) -> Option<&ReadStateChanged> {
        match self.event()? {
            Event::ReadStateChanged(changed) => Some(changed),
            _ => None,
        }
    }

    /// The user's own profile, if it has changed. (USR-4)
    pub fn profile(&self) -> Option<&ProfileChanged> {
        match self.event()? {
            Event::ProfileChanged(changed) => Some(changed),
            _ => None,
        }
    }

    /// Who is typing where, if somebody is: to be shown for `expires_in_ms`, or until a message of theirs comes. (PRS-11)
    pub fn typing(&self) -> Option<&Typing> {
        match self.event()? {
            Event::Typing(typing) => Some(typing),
            _ => None,
        }
    }

    /// Who has come or gone, of those whose presence is watched ([`Client::presence`](crate::Client::presence)). (PRS-6)
    pub fn presence(&self) -> Option<&PresenceChanged> {
        match self.event()? {
            Event::PresenceChanged(changed) => Some(changed),
            _ => None,
        }
    }

    /// The chat that it is about, if it is about one.
    pub fn chat_id(&self) -> Option<ChatId> {
        let Self::Event(frame) = self else { return None };
        match &frame.event {
            Event::ChatAdded(added) => Some(added.chat.chat_id),
            Event::MembershipEnded(ended) => Some(ended.chat_id),
            Event::ReadStateChanged(changed) => Some(changed.chat_id),
            Event::Typing(typing) => Some(typing.chat_id),
            _ => frame.chat_id,
        }
    }

    /// The place in the log that the application has reached with this update; kept together with what it made of it,
    /// a later run goes on from there ([`ClientBuilder::resume_from`](crate::ClientBuilder::resume_from)).
    pub fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::Event(event) => event.cursor.as_ref(),
            Self::Limited { cursor } | Self::Reset { cursor } => Some(cursor),
        }
    }

    /// Whether what the application holds may be stale, and is to be read anew.
    pub const fn needs_reread(&self) -> bool {
        matches!(self, Self::Limited { .. } | Self::Reset { .. })
    }
}
