use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Attachment,
    snippet::{Snippet, snippet},
};
use crate::{
    Caption, DurationMs, Example, FieldCode, FileName, MediaId, MediaTitle, MessageText, Pixels,
    codec::{Fields, Map, field_error},
    list::List,
};

/// The images or videos of one message. (MSG-14)
pub type NewVisuals = List<NewVisual, 1, 10>;

/// What a new message says. A kind that the server does not know is refused. (MSG-3, MSG-14)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NewContent {
    /// Plain text.
    Text {
        /// 1 to 4,096 characters.
        text: MessageText,
    },
    /// Something spoken.
    Voice {
        /// A complete upload of the kind `voice`.
        media_id: MediaId,
        /// How long it is.
        duration_ms: DurationMs,
    },
    /// One image or several.
    Image {
        /// 1 to 10 images.
        items: NewVisuals,
        /// What is written below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<Caption>,
    },
    /// One video or several.
    Video {
        /// 1 to 10 videos.
        items: NewVisuals,
        /// What is written below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<Caption>,
    },
    /// A piece of audio.
    Audio {
        /// A complete upload of the kind `audio`.
        media_id: MediaId,
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<MediaTitle>,
    },
    /// A file of any type.
    File {
        /// A complete upload of the kind `file`.
        media_id: MediaId,
        /// What it is called.
        name: FileName,
    },
}

/// An image or a video of a new message. (MSG-14)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewVisual {
    /// A complete upload of the kind of the message.
    pub media_id: MediaId,
    /// How wide it is, as far as the sender knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Pixels>,
    /// How high it is, as far as the sender knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Pixels>,
}

impl<'de> Deserialize<'de> for NewVisual {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            media_id: MediaId,
            width: Option<Pixels>,
            height: Option<Pixels>,
        }

        let Map(Raw { media_id, width, height }) = Deserialize::deserialize(deserializer)?;
        Ok(Self { media_id, width, height })
    }
}

/// By hand: the derived way loses which field is wrong, and fields that another kind has are unknown ones here. (CNV-6, ERR-4)
impl<'de> Deserialize<'de> for NewContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Map(Fields(mut fields)) = Deserialize::deserialize(deserializer)?;
        let mut fields = FieldsOf(&mut fields);
        let kind: String = fields.need("kind")?;
        match kind.as_str() {
            "text" => Ok(Self::Text { text: fields.need("text")? }),
            "voice" => Ok(Self::Voice { media_id: fields.need("media_id")?, duration_ms: fields.need("duration_ms")? }),
            "image" => Ok(Self::Image { items: fields.need("items")?, caption: fields.take("caption")? }),
            "video" => Ok(Self::Video { items: fields.need("items")?, caption: fields.take("caption")? }),
            "audio" => Ok(Self::Audio { media_id: fields.need("media_id")?, title: fields.take("title")? }),
            "file" => Ok(Self::File { media_id: fields.need("media_id")?, name: fields.need("name")? }),
            _ => Err(de::Error::custom(format_args!(
                "{}(kind): the server knows the kinds text, voice, image, video, audio, file",
                FieldCode::UnknownValue
            ))),
        }
    }
}

/// The fields of a content that are not yet read.
struct FieldsOf<'a>(&'a mut serde_json::Map<String, Value>);

impl FieldsOf<'_> {
    fn take<T: DeserializeOwned, E: de::Error>(&mut self, name: &str) -> Result<Option<T>, E> {
        let Some(value) = self.0.remove(name).filter(|value| !value.is_null()) else { return Ok(None) };
        serde_path_to_error::deserialize(value).map(Some).map_err(|error| {
            let path = error.path().to_string();
            // An index follows its list without a dot.
            let path = match path.as_str() {
                "." => name.to_owned(),
                path if path.starts_with('[') => format!("{name}{path}"),
                path => format!("{name}.{path}"),
            };
            let fault = field_error(&path, &error.inner().to_string());
            E::custom(format_args!("{}({}): {}", fault.code, fault.field, fault.message))
        })
    }

    fn need<T: DeserializeOwned, E: de::Error>(&mut self, name: &str) -> Result<T, E> {
        self.take(name)?.ok_or_else(|| E::custom(format_args!("{}({name}): must be there", FieldCode::Missing)))
    }
}

/// The kinds of content. (MSG-3, MSG-14)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// Plain text.
    Text,
    /// Something spoken.
    Voice,
    /// One image or several.
    Image,
    /// One video or several.
    Video,
    /// A piece of audio.
    Audio,
    /// A file of any type.
    File,
    /// Something that this version does not know: a client shows a placeholder. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl ContentKind {
    /// Every kind.
    pub const ALL: &[Self] = &[Self::Text, Self::Voice, Self::Image, Self::Video, Self::Audio, Self::File];
}

/// What a message says. (MSG-3, MSG-14)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// 1 to 4,096 characters.
        text: MessageText,
    },
    /// Something spoken.
    Voice {
        /// What to play.
        media: Attachment,
        /// How long it is.
        duration_ms: DurationMs,
    },
    /// One image or several.
    Image {
        /// 1 to 10 images.
        items: Vec<Visual>,
        /// What is written below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<Caption>,
    },
    /// One video or several.
    Video {
        /// 1 to 10 videos.
        items: Vec<Visual>,
        /// What is written below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<Caption>,
    },
    /// A piece of audio.
    Audio {
        /// What to play.
        media: Attachment,
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<MediaTitle>,
    },
    /// A file of any type.
    File {
        /// What to save.
        media: Attachment,
        /// What it is called.
        name: FileName,
    },
    /// Content of a kind that this version does not know, kept as it came; shown as a placeholder. (CNV-14)
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(serde_json::Map<String, Value>),
}

/// An image or a video of a message. (MSG-14)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Visual {
    /// What to show.
    pub media: Attachment,
    /// How wide it is, as its sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Pixels>,
    /// How high it is, as its sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Pixels>,
}

impl NewContent {
    /// The uploads that the content names, in its order.
    pub fn media_ids(&self) -> Vec<MediaId> {
        match self {
            Self::Text { .. } => Vec::new(),
            Self::Voice { media_id, .. } | Self::Audio { media_id, .. } | Self::File { media_id, .. } => {
                vec![*media_id]
            }
            Self::Image { items, .. } | Self::Video { items, .. } => items.iter().map(|item| item.media_id).collect(),
        }
    }
}

impl Content {
    /// The text, if the message is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text.as_str()),
            _ => None,
        }
    }

    /// The media that the content shows, in its order.
    pub fn media(&self) -> Vec<&Attachment> {
        match self {
            Self::Text { .. } | Self::Unknown(_) => Vec::new(),
            Self::Voice { media, .. } | Self::Audio { media, .. } | Self::File { media, .. } => vec![media],
            Self::Image { items, .. } | Self::Video { items, .. } => items.iter().map(|item| &item.media).collect(),
        }
    }

    /// The kind.
    pub fn kind(&self) -> ContentKind {
        match self {
            Self::Text { .. } => ContentKind::Text,
            Self::Voice { .. } => ContentKind::Voice,
            Self::Image { .. } => ContentKind::Image,
            Self::Video { .. } => ContentKind::Video,
            Self::Audio { .. } => ContentKind::Audio,
            Self::File { .. } => ContentKind::File,
            Self::Unknown(_) => ContentKind::Unknown,
        }
    }

    /// The first characters of what it says in words, as a reply quotes it. (MSG-16)
    pub fn snippet(&self) -> Option<Snippet> {
        match self {
            Self::Text { text } => Some(snippet(text.as_str())),
            Self::Image { caption, .. } | Self::Video { caption, .. } => {
                caption.as_ref().map(|caption| snippet(caption.as_str()))
            }
            Self::Audio { title, .. } => title.as_ref().map(|title| snippet(title.as_str())),
            Self::File { name, .. } => Some(snippet(name.as_str())),
            Self::Voice { .. } | Self::Unknown(_) => None,
        }
    }
}

/// What the sender asked for, as far as it can be told from what became of it: for comparing a retry with it. (MSG-7)
impl PartialEq<NewContent> for Content {
    fn eq(&self, new: &NewContent) -> bool {
        match (self, new) {
            (Self::Text { text }, NewContent::Text { text: new }) => text == new,
            (Self::Voice { media, duration_ms }, NewContent::Voice { media_id, duration_ms: new }) => {
                media.media_id == *media_id && duration_ms == new
            }
            (Self::Image { items, caption }, NewContent::Image { items: new, caption: new_caption })
            | (Self::Video { items, caption }, NewContent::Video { items: new, caption: new_caption }) => {
                caption == new_caption && items.len() == new.len() && items.iter().zip(new.iter()).all(same_visual)
            }
            (Self::Audio { media, title }, NewContent::Audio { media_id, title: new }) => {
                media.media_id == *media_id && title == new
            }
            (Self::File { media, name }, NewContent::File { media_id, name: new }) => {
                media.media_id == *media_id && name == new
            }
            _ => false,
        }
    }
}

fn same_visual((stored, new): (&Visual, &NewVisual)) -> bool {
    stored.media.media_id == new.media_id && stored.width == new.width && stored.height == new.height
}

impl Example for NewContent {
    fn example() -> Self {
        Self::Text { text: MessageText::example() }
    }
}

impl Example for NewVisual {
    fn example() -> Self {
        Self { media_id: MediaId::example(), width: Some(Pixels::example()), height: Some(Pixels::example()) }
    }
}

impl Example for Content {
    fn example() -> Self {
        Self::Text { text: MessageText::example() }
    }
}

impl Example for Visual {
    fn example() -> Self {
        Self { media: Attachment::example(), width: Some(Pixels::example()), height: Some(Pixels::example()) }
    }
}
