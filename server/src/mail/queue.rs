use std::{fmt, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use i9chat_spec::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{AddressedLetter, Letter, MailError, Mailer};
use crate::{
    auth::secrets::Secrets,
    clock::Clock,
    store::{
        StoreError,
        mails::{MailId, MailMatter, MailStore, NewMail, QueuedMail},
    },
};

/// How many mails are on their way at once.
const AT_ONCE: usize = 4;
/// How many mails are taken from the store at once.
const BATCH: usize = 32;
/// The longest that a mail waits for its next try, in seconds.
const LONGEST_WAIT_S: u64 = 60;
/// When the store is asked again after it failed, or when nothing waits.
const STORE_IS_ASKED_AGAIN: Duration = Duration::from_secs(30);

/// Sends the mails that wait. They are in the store until they are out, so that a restart loses none.
pub struct MailQueue {
    /// Where the mails wait.
    pub store: Arc<dyn MailStore>,
    /// Sends them.
    pub mailer: Arc<dyn Mailer>,
    /// Makes the codes that they carry.
    pub secrets: Arc<Secrets>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long a ticket is good, in seconds: what mails say.
    pub ticket_ttl_s: u64,
    /// Rings when a mail was queued.
    pub mail_waits: Arc<Notify>,
}

impl MailQueue {
    /// Sends what waits, until it is told to stop. A mail that is on its way then is sent first.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let pause = match self.send_due(&stop).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(%error, "the mails that wait cannot be read or written");
                    STORE_IS_ASKED_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.mail_waits.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due, and says when to look again. Begins with no further mail when it is told to stop.
    async fn send_due(&self, stop: &CancellationToken) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        let due = self.store.due_mails(now, BATCH).await?;
        let sends: Vec<_> = due.mails.iter().map(|mail| self.send(mail)).collect();
        let outcomes: Vec<_> =
            stream::iter(sends).take_until(stop.cancelled()).buffer_unordered(AT_ONCE).collect().await;
        let mut next_due_at = due.next_due_at;
        for outcome in outcomes {
            let again_at = outcome?;
            next_due_at = [next_due_at, again_at].into_iter().flatten().min();
        }
        Ok(next_due_at.map_or(STORE_IS_ASKED_AGAIN, |at| until(at, self.clock.now())).min(STORE_IS_ASKED_AGAIN))
    }

    /// Sends one mail; when it is to be tried again, says when.
    async fn send(&self, queued: &QueuedMail) -> Result<Option<Timestamp>, StoreError> {
        let QueuedMail { id, mail, tries } = queued;
        if self.clock.now() >= mail.give_up_at {
            return self.give_up(id, "it was tried for too long").await;
        }
        let Some(letter) = self.letter(mail) else {
            return self.give_up(id, "its text cannot be made").await;
        };
        match self.mailer.send(&AddressedLetter { to: mail.to.clone(), letter }).await {
            Ok(()) => {
                self.store.remove_mail(id).await?;
                Ok(None)
            }
            Err(MailError::Never { reason }) => self.give_up(id, &reason).await,
            Err(MailError::Later { reason }) => {
                let tries = tries.saturating_add(1);
                let until = self.clock.now().plus_seconds(wait_after(tries));
                tracing::info!(mail = id.0.as_str(), tries, %reason, "a mail is tried again later");
                self.store.postpone_mail(queued, tries, until).await?;
                Ok(Some(until))
            }
        }
    }

    async fn give_up(&self, id: &MailId, reason: &str) -> Result<Option<Timestamp>, StoreError> {
        tracing::warn!(mail = id.0.as_str(), %reason, "a mail is given up");
        self.store.remove_mail(id).await?;
        Ok(None)
    }

    fn letter(&self, mail: &NewMail) -> Option<Letter> {
        let minutes = self.ticket_ttl_s.div_ceil(60);
        Some(match mail.matter {
            MailMatter::SignupCode { ticket } => Letter::SignupCode { code: self.secrets.code(&ticket)?, minutes },
            MailMatter::AlreadyRegistered => Letter::AlreadyRegistered,
            MailMatter::PasswordResetCode { ticket } => {
                Letter::PasswordResetCode { code: self.secrets.code(&ticket)?, minutes }
            }
            MailMatter::NoAccount => Letter::NoAccount,
        })
    }
}

/// How many seconds a mail waits after so many tries that failed: 1, 2, 4 … up to a minute.
fn wait_after(tries: u32) -> u64 {
    1_u64.checked_shl(tries.saturating_sub(1)).map_or(LONGEST_WAIT_S, |wait| wait.min(LONGEST_WAIT_S))
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(at.as_millis() - now.as_millis()).unwrap_or(0))
}

impl fmt::Debug for MailQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailQueue")
    }
}

#[cfg(test)]
mod tests;
