//! The rules. Pure: no I/O, no clock, no axum, no database.
//!
//! A [`Command`] looks at the [`State`] that it wanted and decides: changes to the log, or a refusal.

pub mod accounts;
mod change;
mod change_profile;
mod change_reaction;
mod command;
mod effect;
mod end_session;
mod grid;
pub mod groups;
mod mark_receipts;
pub mod media;
mod open_direct;
mod position;
mod reset_password;
mod send_message;
mod state;
#[cfg(test)]
mod testing;

pub use change::{Audience, Change, ChangeBody, GroupCreation, Record};
pub use change_profile::ChangeProfile;
pub use change_reaction::ChangeReaction;
pub use command::{Command, Decision, Stamp};
pub use effect::Effect;
pub use end_session::EndSession;
pub use grid::{Cell, Point, Space, arc_m, chord_m, rounded_m};
pub use mark_receipts::MarkReceipts;
pub use media::MediaState;
pub use open_direct::OpenDirect;
pub use position::{LogEpoch, Place, Position};
pub use reset_password::ResetPassword;
pub use send_message::SendMessage;
pub use state::{
    Belonging, ChatBody, ChatState, DoneBefore, GroupState, MessageState, Pair, ReactionsState, Reader, Reading,
    SentBefore, SessionState, Side, Standing, State, Wanted,
};
