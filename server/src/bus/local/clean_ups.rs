use std::{collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use i9chat_spec::MediaId;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{bus::CleanUps, store::StoreError};

/// The queue of a single node, in memory.
pub struct LocalCleanUps {
    /// When it was taken, if it was.
    queued: Mutex<HashMap<MediaId, Option<Instant>>>,
    left: Duration,
}

impl LocalCleanUps {
    /// What was taken and not done comes back after that time.
    pub fn new(left: Duration) -> Self {
        Self { queued: Mutex::default(), left }
    }
}

#[async_trait]
impl CleanUps for LocalCleanUps {
    async fn offer(&self, media: &[MediaId]) -> Result<(), StoreError> {
        let mut queued = self.queued.lock();
        for media_id in media {
            queued.entry(*media_id).or_default();
        }
        Ok(())
    }

    async fn take(&self, at_most: usize) -> Result<Vec<MediaId>, StoreError> {
        let mut queued = self.queued.lock();
        let free = queued.iter_mut().filter(|(_, taken)| taken.is_none_or(|at| at.elapsed() >= self.left));
        let take = |(media_id, taken): (&MediaId, &mut Option<Instant>)| {
            *taken = Some(Instant::now());
            *media_id
        };
        Ok(free.take(at_most).map(take).collect())
    }

    async fn done(&self, media: &[MediaId]) -> Result<(), StoreError> {
        let mut queued = self.queued.lock();
        for media_id in media {
            queued.remove(media_id);
        }
        Ok(())
    }
}

impl fmt::Debug for LocalCleanUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalCleanUps")
    }
}
