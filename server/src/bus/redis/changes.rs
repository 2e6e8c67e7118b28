//! Committed changes travel in a stream: an entry for each batch of a node. The stream is short, because the log holds
//! everything: whoever falls behind, or hears nothing for a while, reads there.

mod wire;

use std::{fmt, sync::Arc, time::Duration};

use redis::{
    Value,
    aio::MultiplexedConnection,
    streams::{StreamId, StreamRangeReply, StreamReadReply},
};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use self::wire::Batch;
use super::{
    connection::{DEADLINE, Redis, TRIED_AGAIN},
    post::{Carrier, Post},
};
use crate::{
    bus::{Bus, Committed, Tail, Told},
    domain::LogEpoch,
    store::StoreError,
};

/// How many batches may wait until they are sent. What is beyond finds its way through the log.
const WAITING: usize = 1024;
/// About how many entries the stream keeps.
const KEPT: usize = 256;
/// How many changes an entry holds at most, so that the stream stays small.
const IN_ENTRY: usize = 512;
/// How many entries are read at once.
const READ_AT_ONCE: usize = 32;
/// How long a read waits for something new.
const READ_WAITS: Duration = Duration::from_secs(1);

const NODE: &str = "node";
const BATCH: &str = "batch";

/// Tells the nodes what was committed, through Redis.
#[derive(Debug)]
pub struct RedisBus {
    tail: Arc<Tail>,
    post: Post<Vec<Committed>>,
    _reading: AbortOnDropHandle<()>,
}

/// Which stream, and who writes what into it.
#[derive(Clone)]
struct Stream {
    redis: Redis,
    key: String,
    node: Uuid,
    epoch: LogEpoch,
}

impl RedisBus {
    /// Joins the nodes that use a stream. What they tell is offered to the tail of this one.
    pub(super) fn start(redis: Redis, key: String, node: Uuid, epoch: LogEpoch, tail: Arc<Tail>) -> Self {
        let stream = Stream { redis, key, node, epoch };
        let reading = AbortOnDropHandle::new(tokio::spawn(stream.clone().follow(Arc::clone(&tail))));
        Self { tail, post: Post::start("changes", WAITING, stream), _reading: reading }
    }

    /// Waits until what was published is on its way, but not for ever.
    pub(super) async fn flush(&self) {
        self.post.flush().await;
    }
}

impl Bus for RedisBus {
    fn publish(&self, changes: Vec<Committed>) -> Told {
        if !changes.is_empty() {
            self.post.put(changes.clone());
        }
        self.tail.offer(changes)
    }
}

impl Carrier<Vec<Committed>> for Stream {
    async fn carry(&mut self, goods: Vec<Vec<Committed>>) -> Result<(), StoreError> {
        let mut add = redis::pipe();
        for changes in goods.concat().chunks(IN_ENTRY) {
            add.cmd("XADD").arg(&self.key).arg("MAXLEN").arg("~").arg(KEPT).arg("*");
            add.arg(NODE).arg(self.node.as_bytes()).arg(BATCH).arg(wire::encode(changes, self.epoch)?).ignore();
        }
        self.redis.commands(&add).await
    }
}

impl Stream {
    /// Reads what other nodes write, for as long as it is not dropped.
    async fn follow(self, tail: Arc<Tail>) {
        loop {
            if let Err(error) = self.read_on(&tail).await {
                tracing::debug!(%error, "what other nodes commit is not heard of");
            }
            sleep(TRIED_AGAIN).await;
        }
    }

    /// Reads from the end of the stream on, until that fails.
    async fn read_on(&self, tail: &Tail) -> Result<(), StoreError> {
        let mut connection = self.redis.own_connection().await?;
        let mut place = self.end(&mut connection).await?;
        // What was added before was committed before.
        tail.look();
        loop {
            let mut read = redis::cmd("XREAD");
            read.arg("COUNT").arg(READ_AT_ONCE).arg("BLOCK").arg(READ_WAITS.as_millis().to_string());
            read.arg("STREAMS").arg(&self.key).arg(&place);
            let found: Option<StreamReadReply> = ask(&mut connection, &read, READ_WAITS + DEADLINE).await?;
            for entry in found.into_iter().flat_map(|found| found.keys).flat_map(|stream| stream.ids) {
                self.take(&entry, tail);
                place = entry.id;
            }
        }
    }

    /// The id of the newest entry. Asked for by itself: nothing that is added later is missed.
    async fn end(&self, connection: &mut MultiplexedConnection) -> Result<String, StoreError> {
        let mut newest = redis::cmd("XREVRANGE");
        newest.arg(&self.key).arg("+").arg("-").arg("COUNT").arg(1);
        let found: StreamRangeReply = ask(connection, &newest, DEADLINE).await?;
        Ok(found.ids.into_iter().next().map_or_else(|| "0-0".to_owned(), |entry| entry.id))
    }

    fn take(&self, entry: &StreamId, tail: &Tail) {
        let field = |name| match entry.map.get(name) {
            Some(Value::BulkString(bytes)) => bytes.as_slice(),
            _ => &[],
        };
        if field(NODE) == self.node.as_bytes() {
            return;
        }
        match wire::decode(field(BATCH)) {
            // Whoever waits for what was not delivered asks elsewhere.
            Ok(Batch { epoch, changes }) if epoch == self.epoch => drop(tail.offer(changes)),
            Ok(_) => tracing::debug!("a node tells of another log"),
            Err(reason) => {
                metrics::counter!("i9chat_bus_unreadable_total").increment(1);
                tracing::debug!(%reason, "what another node tells cannot be read; it is in the log");
                tail.look();
            }
        }
    }
}

async fn ask<T: redis::FromRedisValue>(
    connection: &mut MultiplexedConnection,
    command: &redis::Cmd,
    deadline: Duration,
) -> Result<T, StoreError> {
    match timeout(deadline, command.query_async(connection)).await {
        Ok(answer) => answer.map_err(|error| StoreError::Unavailable(format!("Redis: {error}"))),
        Err(_) => Err(StoreError::Unavailable("Redis does not answer".to_owned())),
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("key", &self.key).finish_non_exhaustive()
    }
}
