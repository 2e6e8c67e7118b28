//! The Rust of the guides is compiled with the documentation's other examples.

#[doc = include_str!("../../docs/guide-first-chat.md")]
struct FirstChat;

#[doc = include_str!("../../docs/guide-groups.md")]
struct Groups;

#[doc = include_str!("../../docs/guide-media.md")]
struct Media;

#[doc = include_str!("../../docs/guide-offline-and-resume.md")]
struct OfflineAndResume;
