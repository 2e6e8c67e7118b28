//! What endpoints and events have in common: users, chats, entries, media.

mod activity;
mod chat;
mod content;
mod entry;
mod media;
mod presence;
mod receipts;
mod snippet;
mod user;

pub use activity::{Activity, ActivityKind};
pub use chat::{Chat, ChatKind, GroupSummary, Membership, Partner, Role, Stretch};
pub use content::{Content, ContentKind, NewContent, NewVisual, NewVisuals, Visual};
pub use entry::{Entry, Message, Quote, ReactionCount};
pub(crate) use media::known;
pub use media::{Attachment, MediaKind, MediaPart, MediaPurpose, MediaRule, PartInfo, PreviewInfo};
pub use presence::{PresenceState, UserPresence};
pub use receipts::{MessageStatus, ReadState};
pub use snippet::Snippet;
pub use user::User;
