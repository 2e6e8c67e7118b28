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

impl MailSource {
    /// Waits for a mail to the address beyond the first `seen`, and answers the text of the newest. `None` when none came within the deadline.
    ///
    /// A [`MailCommand`] cannot count: there a mail is new when its text differs from `last`.
    pub async fn next(&self, address: &str, seen: usize, last: Option<&str>, deadline: Duration) -> Option<String> {
        match self {
            Self::Receiver(mailbox) => mailbox.next(address, seen, deadline).await,
            Self::Command(command) => command.next(address, last, deadline).await,
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
