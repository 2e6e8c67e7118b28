use i9chat_spec::{Content, Entry, Message, UserId};

use super::{Name, Phrase};

/// The most characters of what somebody wrote that stand in a line.
const MAX_CHARS: usize = 100;

/// One line of an entry; [`Display`](std::fmt::Display) is the English for it.
///
/// ```
/// use i9chat_sdk::{render::{Line, Preview}, spec::{Entry, Example, Message, UserId}};
///
/// let preview = Preview::of(&Entry::Message(Message::example()), UserId::from_uuid(Default::default()));
/// let Preview::Message { is_reply, line, .. } = preview else { panic!() };
/// assert_eq!((is_reply, line.to_string().as_str()), (false, "Hello, Bob!"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preview {
    /// A message.
    Message {
        /// Who sent it.
        sender: Name,
        /// Whether it replies to another.
        is_reply: bool,
        /// What it says; in a direct chat that is enough to show.
        line: Line,
    },
    /// Something that happened to a group.
    Activity(Phrase),
    /// An entry of a type that this version does not know. (CNV-14)
    Unknown,
}

/// What a message says, in one line: text is without line breaks, and cut after 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// A text.
    Text(String),
    /// A voice message.
    Voice {
        /// Its length in whole seconds, at least 1.
        seconds: u64,
    },
    /// Images.
    Images {
        /// How many.
        count: usize,
        /// What is written below.
        caption: Option<String>,
    },
    /// Videos.
    Videos {
        /// How many.
        count: usize,
        /// What is written below.
        caption: Option<String>,
    },
    /// A piece of audio.
    Audio {
        /// What it is called.
        title: Option<String>,
    },
    /// A file.
    File {
        /// What it is called.
        name: String,
    },
    /// Content of a kind that this version does not know. (CNV-14)
    Unknown,
}

impl Preview {
    /// What an entry says to a viewer.
    pub fn of(entry: &Entry, viewer: UserId) -> Self {
        match entry {
            Entry::Message(message) => Self::of_message(message, viewer),
            Entry::Activity(activity) => Self::Activity(Phrase::of(activity, viewer)),
            Entry::Unknown(_) => Self::Unknown,
        }
    }

    fn of_message(message: &Message, viewer: UserId) -> Self {
        Self::Message {
            sender: Name::of(&message.sender, viewer),
            is_reply: message.reply_to.is_some(),
            line: Line::of(&message.content),
        }
    }
}

impl Line {
    /// What content says.
    pub fn of(content: &Content) -> Self {
        match content {
            Content::Text { text } => Self::Text(one_line(text.as_str())),
            Content::Voice { duration_ms, .. } => Self::Voice { seconds: u64::from(duration_ms.get()).div_ceil(1000) },
            Content::Image { items, caption } => {
                Self::Images { count: items.len(), caption: caption.as_ref().map(|caption| one_line(caption.as_str())) }
            }
            Content::Video { items, caption } => {
                Self::Videos { count: items.len(), caption: caption.as_ref().map(|caption| one_line(caption.as_str())) }
            }
            Content::Audio { title, .. } => Self::Audio { title: title.as_ref().map(|title| one_line(title.as_str())) },
            Content::File { name, .. } => Self::File { name: one_line(name.as_str()) },
            Content::Unknown(_) => Self::Unknown,
        }
    }
}

/// Words with one space between them, and no more than fit.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
