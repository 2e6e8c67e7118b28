//! Where the codes that a server mails are found. (ACC-2)

mod command;
mod receiver;
mod text;

use std::time::Duration;

pub use command::MailCommand;
pub use receiver::{Held, Mailbox};
pub use text::{codes_in, text_part};

/// Where the server's mail is found.
#[derive(Debug, Clone)]
pub enum MailSource {
    /// The suite's own SMTP receiver, which the server sends to.
    Receiver(Mailbox),
    /// A command that prints the newest mail to an address.
    Command(MailCommand),
    /// Nowhere: for cases that need no user.
    None,
}

/// What mail to an address has come already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    count: usize,
    newest: Option<String>,
}

impl MailSource {
    /// What mail to the address has come up to now. Asked before what makes a new mail come.
    pub async fn seen(&self, address: &str) -> Seen {
        match self {
            Self::Receiver(mailbox) => Seen { count: mailbox.count(address), newest: None },
            // A command cannot count, but no two mails are the same.
            Self::Command(command) => Seen { count: 0, newest: command.newest(address).await },
            Self::None => Seen::default(),
        }
    }

    /// Waits for a mail to the address beyond those seen, and answers the text of the newest. `None` when none came within the deadline.
    pub async fn next(&self, address: &str, seen: &Seen, deadline: Duration) -> Option<String> {
        match self {
            Self::Receiver(mailbox) => mailbox.next(address, seen.count, deadline).await,
            Self::Command(command) => command.next(address, seen.newest.as_deref(), deadline).await,
            Self::None => None,
        }
    }

    /// How many mails to the address have come, where that can be told.
    pub fn count(&self, address: &str) -> Option<usize> {
        match self {
            Self::Receiver(mailbox) => Some(mailbox.count(address)),
            Self::Command(_) | Self::None => None,
        }
    }
}
