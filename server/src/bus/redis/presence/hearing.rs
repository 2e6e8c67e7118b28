use std::{future, sync::Arc};

use i9chat_spec::{Timestamp, UserId};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    ledger::{self, Ledger},
    notes::Notes,
    registrar::GRACE,
};
use crate::{
    bus::{
        PresenceOf, PresenceWatcher,
        redis::{
            connection::{Run, TRIED_AGAIN},
            subscription::Subscription,
        },
    },
    store::StoreError,
};

/// How many users are asked about at once.
const AT_ONCE: usize = 500;

/// Hears who comes and goes on all nodes, and tells the watcher. After something may have been missed, it asks.
pub(super) struct Hearing {
    pub(super) ledger: Ledger,
    pub(super) notes: Arc<Notes>,
    pub(super) watcher: Arc<dyn PresenceWatcher>,
    /// The run of Redis in which was asked last.
    pub(super) run: Option<Run>,
}

impl Hearing {
    /// Listens for as long as it is not dropped.
    pub(super) async fn run(mut self) {
        loop {
            match Subscription::open(&self.ledger.redis, &self.ledger.channel).await {
                Ok(subscription) => self.listen(subscription).await,
                Err(error) => tracing::debug!(%error, "who comes and goes is not heard of"),
            }
            sleep(TRIED_AGAIN).await;
        }
    }

    async fn listen(&mut self, mut subscription: Subscription) {
        // What was said before this began was not heard.
        let mut ask_at = Some(Instant::now());
        loop {
            let asking = async {
                match ask_at {
                    Some(at) => sleep_until(at).await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                said = subscription.next() => match said {
                    Some(said) => self.tell(&said),
                    None => return,
                },
                () = asking => ask_at = self.ask().await,
            }
        }
    }

    fn tell(&self, said: &[u8]) {
        if let Some((user_id, now)) = parse(said) {
            self.watcher.changed(user_id, now);
        } else {
            tracing::warn!("something else than presence was said in its channel");
        }
    }

    /// Asks about everybody who is of interest, and tells what they are now. What is said meanwhile is heard after it: the last
    /// of it is as new as the answer, or newer. Answers when to ask again, if that is needed.
    async fn ask(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let Some(run) = self.ledger.redis.run() else { return Some(now + TRIED_AGAIN) };
        if self.run.as_ref() != Some(&run) {
            let is_first = self.run.replace(run).is_none();
            // Redis may have lost who is there: the nodes are telling it.
            return Some(if is_first { now } else { now + GRACE });
        }
        match self.tell_all().await {
            Ok(()) => None,
            Err(error) => {
                tracing::debug!(%error, "who came and went meanwhile is asked again");
                Some(now + TRIED_AGAIN)
            }
        }
    }

    async fn tell_all(&self) -> Result<(), StoreError> {
        for users in self.watcher.watched().chunks(AT_ONCE) {
            for (user_id, state) in users.iter().zip(states(&self.ledger, &self.notes, users).await?) {
                self.watcher.changed(*user_id, state);
            }
        }
        Ok(())
    }
}

/// Whether users are there, and since when not.
pub(super) async fn states(ledger: &Ledger, notes: &Notes, users: &[UserId]) -> Result<Vec<PresenceOf>, StoreError> {
    let found = ledger.look(users).await?;
    let unknown: Vec<_> =
        users.iter().zip(&found).filter(|(_, state)| state.is_none()).map(|(user_id, _)| *user_id).collect();
    let last_seen = if unknown.is_empty() { Vec::new() } else { notes.last_seen(unknown).await? };
    let mut last_seen = last_seen.into_iter();
    Ok(found
        .into_iter()
        .map(|state| state.unwrap_or_else(|| PresenceOf::offline(last_seen.next().flatten())))
        .collect())
}

/// Who came, or who went and when, as scripts say it.
fn parse(said: &[u8]) -> Option<(UserId, PresenceOf)> {
    let (id, at) = said.get(1..)?.split_at_checked(16)?;
    let user_id = ledger::user(id).ok()?;
    let now = match said.first()? {
        b'+' => PresenceOf::ONLINE,
        b'-' => {
            let at = std::str::from_utf8(at).ok()?.parse().ok()?;
            PresenceOf::offline(Some(Timestamp::from_millis(at)))
        }
        _ => return None,
    };
    Some((user_id, now))
}
