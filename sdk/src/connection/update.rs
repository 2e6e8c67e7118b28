use i9chat_spec::{Chat, Cursor, Event, EventFrame, Message};

/// What the application hears of, each once and in the order of the log.
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

    /// The chat, if one was added for the user.
    pub fn chat_added(&self) -> Option<&Chat> {
        match self.event()? {
            Event::ChatAdded(added) => Some(&added.chat),
            _ => None,
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
