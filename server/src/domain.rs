//! The rules. Pure: no I/O, no clock, no axum, no database.
//!
//! A [`Command`] looks at the [`State`] that it wanted and decides: changes to the log, or a refusal.

pub mod accounts;
mod change;
mod command;
mod end_session;
mod open_direct;
mod position;
mod send_message;
mod state;
#[cfg(test)]
mod testing;

pub use change::{Change, ChangeBody, Record};
pub use command::{Command, Decision, Stamp};
pub use end_session::EndSession;
pub use open_direct::OpenDirect;
pub use position::{LogEpoch, Place, Position};
pub use send_message::SendMessage;
pub use state::{ChatState, Pair, SentBefore, SessionState, Side, State, Wanted};
