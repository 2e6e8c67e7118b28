//! Mails that wait stand in a sorted set by when they are due. Whoever takes them moves them into a stream, where a consumer
//! group remembers who has them.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use i9chat_spec::Timestamp;
use redis::Script;

use super::{RedisClaims, wire};
use crate::store::{
    StoreError,
    mails::{DueMails, MailId, MailStore, NewMail, QueuedMail},
};

/// How many mails may wait, so that a mail server that is away does not fill the memory.
pub(super) const MOST_WAITING: u64 = 10_000;
/// How many mails a node takes at once: as many as it sends at once, so that what it has is as good as sent.
const TAKEN: usize = 4;
/// After how long a node has left what it took: longer than any mail is tried.
pub(in crate::bus::redis) const LEFT: Duration = Duration::from_secs(75);

const GROUP: &str = "senders";

static DUE: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("../queue.lua"), include_str!("due.lua"))));
static POSTPONE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("postpone.lua")));

impl RedisClaims {
    pub(super) fn later_key(&self) -> String {
        self.keys.key("mails:later")
    }

    pub(super) fn taken_key(&self) -> String {
        self.keys.key("mails:taken")
    }

    /// A mail as it waits: after a name that makes two of the same kind two.
    pub(super) fn waiting(&self, mail: &NewMail, tries: u32) -> Result<Vec<u8>, StoreError> {
        wire::encode_mail(self.ids.tag(), mail, tries)
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let mut remove = redis::pipe();
        remove.atomic();
        remove.cmd("XACK").arg(self.taken_key()).arg(GROUP).arg(id).ignore();
        remove.cmd("XDEL").arg(self.taken_key()).arg(id).ignore();
        self.redis.commands(&remove).await
    }
}

#[async_trait]
impl MailStore for RedisClaims {
    async fn due_mails(&self, now: Timestamp, at_most: usize) -> Result<DueMails, StoreError> {
        let mut due = DUE.prepare_invoke();
        due.key(self.later_key()).key(self.taken_key()).arg(GROUP).arg(self.node.simple().to_string());
        due.arg(now.as_millis()).arg(at_most.min(TAKEN));
        due.arg(u64::try_from(self.left.as_millis()).unwrap_or(u64::MAX));
        let (taken, next): (Vec<(String, Vec<u8>)>, String) = self.redis.script(&due).await?;
        let mut mails = Vec::with_capacity(taken.len());
        for (id, mail) in taken {
            match wire::decode_mail(&mail) {
                Ok((mail, tries)) => mails.push(QueuedMail { id: MailId(id), mail, tries }),
                Err(error) => {
                    // It would come back for ever.
                    tracing::error!(%error, "a mail that cannot be read is thrown away");
                    self.remove(&id).await?;
                }
            }
        }
        mails.sort_by_key(|queued| queued.mail.due_at);
        // A score is written like a fraction when it is long.
        let next_due_at = next.parse::<f64>().ok().map(milliseconds);
        Ok(DueMails { mails, next_due_at })
    }

    async fn remove_mail(&self, id: &MailId) -> Result<(), StoreError> {
        self.remove(&id.0).await
    }

    async fn postpone_mail(&self, mail: &QueuedMail, tries: u32, until: Timestamp) -> Result<(), StoreError> {
        let later = NewMail { due_at: until, ..mail.mail.clone() };
        let mut postpone = POSTPONE.prepare_invoke();
        postpone.key(self.later_key()).key(self.taken_key());
        postpone.arg(GROUP).arg(&mail.id.0).arg(self.waiting(&later, tries)?).arg(until.as_millis());
        self.redis.script(&postpone).await
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a score was a whole number of milliseconds")]
fn milliseconds(score: f64) -> Timestamp {
    Timestamp::from_millis(score as i64)
}
