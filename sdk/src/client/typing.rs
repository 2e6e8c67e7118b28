use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use i9chat_spec::ChatId;
use tokio::time::Instant;

/// Half of how long it is shown by default (`typing_expires_ms`), so that it does not go out while one types. (PRS-11)
const INTERVAL: Duration = Duration::from_secs(3);

/// When it was last said where that one types.
#[derive(Debug, Default)]
pub(super) struct Typing(Mutex<HashMap<ChatId, Instant>>);

impl Typing {
    /// Whether it is time to say it (again).
    pub(super) fn is_due(&self, chat_id: ChatId) -> bool {
        let now = Instant::now();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, at| now.duration_since(*at) < INTERVAL);
        if said.contains_key(&chat_id) {
            return false;
        }
        said.insert(chat_id, now);
        true
    }

    /// A message ends it for those who see it: who goes on says it again. (PRS-11)
    pub(super) fn ended(&self, chat_id: ChatId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&chat_id);
    }
}
