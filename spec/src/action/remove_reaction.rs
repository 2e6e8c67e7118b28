use crate::{
    Action,
    api::{
        messages::OneMessage,
        reactions::{ReactionsOf, RemoveReactionRefusal},
    },
};

/// Removes the caller's reaction from a message, as the endpoint of the same name does. (REA-3)
#[derive(Debug)]
pub enum RemoveReaction {}

impl Action for RemoveReaction {
    const NAME: &'static str = "remove_reaction";
    const DOCS: &'static [&'static str] =
        &[" Removes the caller's reaction from a message; without one it changes nothing. (REA-3)"];
    type Data = OneMessage;
    type Reply = ReactionsOf;
    type Refusal = RemoveReactionRefusal;
}
