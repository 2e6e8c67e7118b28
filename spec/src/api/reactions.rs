//! Reactions: one emoji for each user and message. (REA-1 to REA-7)

mod list;
mod remove;
mod set;

pub use list::{ListReactions, ListReactionsRefusal, Reaction, ReactionPage};
pub use remove::{RemoveReaction, RemoveReactionRefusal};
pub use set::{NewReaction, ReactionsOf, SetReaction, SetReactionRefusal};
