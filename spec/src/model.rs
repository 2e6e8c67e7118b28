//! What endpoints and events have in common: users, chats, entries.

mod chat;
mod content;
mod entry;
mod user;

pub use chat::{Chat, ChatKind, Membership, Stretch};
pub use content::{Content, NewContent};
pub use entry::{Entry, Message};
pub use user::User;
