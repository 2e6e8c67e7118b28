use std::{fmt, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use i9chat_spec::MediaId;
use redis::Script;
use uuid::Uuid;

use super::{connection::Redis, keys::Keys};
use crate::{bus::CleanUps, store::StoreError};

const GROUP: &str = "cleaners";

static OFFER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("clean_ups/offer.lua")));
static TAKE: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("queue.lua"), include_str!("clean_ups/take.lua"))));
static DONE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("clean_ups/done.lua")));

/// The queue of all nodes: a stream, whose consumer group remembers who has what.
pub struct RedisCleanUps {
    redis: Redis,
    node: Uuid,
    stream: String,
    queued: String,
    /// After how long a node has left what it took.
    left: Duration,
}

impl RedisCleanUps {
    /// The queue in that Redis.
    pub(super) fn new(redis: Redis, keys: &Keys, node: Uuid, left: Duration) -> Self {
        Self { redis, node, stream: keys.key("clean-ups"), queued: keys.key("clean-ups:queued"), left }
    }
}

#[async_trait]
impl CleanUps for RedisCleanUps {
    async fn offer(&self, media: &[MediaId]) -> Result<(), StoreError> {
        if media.is_empty() {
            return Ok(());
        }
        let mut offer = OFFER.prepare_invoke();
        offer.key(&self.stream).key(&self.queued);
        for media_id in media {
            offer.arg(media_id.as_uuid().as_bytes());
        }
        self.redis.script(&offer).await
    }

    async fn take(&self, at_most: usize) -> Result<Vec<MediaId>, StoreError> {
        let mut take = TAKE.prepare_invoke();
        take.key(&self.stream).arg(GROUP).arg(self.node.simple().to_string()).arg(at_most);
        take.arg(u64::try_from(self.left.as_millis()).unwrap_or(u64::MAX));
        let taken: Vec<(String, Vec<u8>)> = self.redis.script(&take).await?;
        let media = |(_, id): &(String, Vec<u8>)| Uuid::from_slice(id).map(MediaId::from_uuid);
        taken.iter().map(media).collect::<Result<_, _>>().map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    async fn done(&self, media: &[MediaId]) -> Result<(), StoreError> {
        let mut done = DONE.prepare_invoke();
        done.key(&self.stream).key(&self.queued).arg(GROUP);
        for media_id in media {
            done.arg(media_id.as_uuid().as_bytes());
        }
        self.redis.script(&done).await
    }
}

impl fmt::Debug for RedisCleanUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisCleanUps")
    }
}
