//! What the mail queue needs of a store. Mails come into it with the claims that they belong to: see
//! [`ClaimStore::save_claim`](super::claims::ClaimStore::save_claim).

use async_trait::async_trait;
use i9chat_spec::{EmailAddress, Timestamp};

use super::StoreError;
use crate::domain::accounts::hashes::SecretHash;

/// The mails that wait.
#[async_trait]
pub trait MailStore: Send + Sync + 'static {
    /// Takes mails that are due, the longest due first, at most so many; and says when to look again. What one node has taken
    /// others do not get, until it was neither removed nor postponed for so long that the node must be gone.
    async fn due_mails(&self, now: Timestamp, at_most: usize) -> Result<DueMails, StoreError>;

    /// Takes a mail out of the queue.
    async fn remove_mail(&self, id: &MailId) -> Result<(), StoreError>;

    /// Puts a mail off after a try that failed.
    async fn postpone_mail(&self, mail: &QueuedMail, tries: u32, until: Timestamp) -> Result<(), StoreError>;
}

/// A mail to queue. What it will say follows from this: neither text nor code are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Where it goes.
    pub to: EmailAddress,
    /// What it is about.
    pub matter: MailMatter,
    /// When it is due first.
    pub due_at: Timestamp,
    /// From when on it is of no use.
    pub give_up_at: Timestamp,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailMatter {
    /// The code for a ticket to sign up. (ACC-1)
    SignupCode {
        /// The ticket.
        ticket: SecretHash,
    },
    /// Somebody tried to sign up with an address that has an account. (ACC-3)
    AlreadyRegistered,
    /// The code for a ticket to reset a password. (ACC-13)
    PasswordResetCode {
        /// The ticket.
        ticket: SecretHash,
    },
    /// Somebody tried to reset the password of an address that has no account. (ACC-14)
    NoAccount,
}

/// Names a mail in the queue, in the words of its store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailId(pub String);

/// A mail that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Names it.
    pub id: MailId,
    /// The mail.
    pub mail: NewMail,
    /// How often it was tried.
    pub tries: u32,
}

/// The mails that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMails {
    /// The longest due first.
    pub mails: Vec<QueuedMail>,
    /// When the next one is due that is not among them.
    pub next_due_at: Option<Timestamp>,
}
