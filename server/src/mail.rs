//! Mail: what it says, how it goes out, and the queue that it waits in.

mod console;
mod letter;
mod queue;
mod smtp;

use async_trait::async_trait;

pub use console::ConsoleMailer;
pub use letter::{AddressedLetter, Letter};
pub use queue::MailQueue;
pub use smtp::{SmtpAddressError, SmtpMailer};

/// Sends letters.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Hands a letter on; it is out when this returns.
    async fn send(&self, letter: &AddressedLetter) -> Result<(), MailError>;
}

/// Why a letter is not out. Says nothing of the letter, its receiver or what a mail server wrote, which may hold both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// A later try may succeed.
    #[error("the mail server could not be reached or told to try later ({reason})")]
    Later {
        /// The kind of failure, such as `timeout` or `code 451`.
        reason: String,
    },
    /// No try will succeed.
    #[error("the mail server refuses the mail for good ({reason})")]
    Never {
        /// The kind of failure, such as `code 550`.
        reason: String,
    },
}
