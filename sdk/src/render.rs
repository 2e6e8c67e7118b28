//! Words for what travels as data: what happened in a group, and one line of an entry for a list of chats.
//!
//! Each comes in two steps, so that an application can translate: a value that names what is to be said and whom it is about
//! ([`Phrase`], [`Preview`]), and the English for it.
//!
//! ```
//! use i9chat_sdk::{render, spec::{Activity, ActivityKind, Example, User}};
//!
//! let bob = User { username: "bob".parse().unwrap(), ..User::example() };
//! let activity = Activity { kind: ActivityKind::MemberLeft, actor: bob.clone(), targets: vec![], ..Activity::example() };
//! assert_eq!(render::activity(&activity, bob.user_id), "You left");
//! ```

mod english;
mod phrase;
mod preview;

use i9chat_spec::{Activity, Entry, UserId};

pub use self::{
    phrase::{Name, Phrase},
    preview::{Line, Preview},
};

/// What happened to a group, in English, as somebody who looks at it would be told: "You added bob", "alice added you". (GRP-20)
///
/// A kind that this version does not know is told of in a general way (CNV-14).
///
/// ```
/// use i9chat_sdk::{render, spec::{Activity, Example, UserId}};
///
/// let activity = Activity::example(); // alice adds herself: only an example
/// let stranger = UserId::from_uuid(Default::default());
/// assert_eq!(render::activity(&activity, stranger), "alice added alice");
/// ```
pub fn activity(activity: &Activity, viewer: UserId) -> String {
    Phrase::of(activity, viewer).to_string()
}

/// One line of an entry, in English, for a list of chats: "alice: 📷 Photo", "You: see you", "bob left".
///
/// ```
/// use i9chat_sdk::{render, spec::{Entry, Example, Message, UserId}};
///
/// let entry = Entry::Message(Message::example());
/// let stranger = UserId::from_uuid(Default::default());
/// assert_eq!(render::preview(&entry, stranger), "alice: Hello, Bob!");
/// ```
pub fn preview(entry: &Entry, viewer: UserId) -> String {
    Preview::of(entry, viewer).to_string()
}
