use std::{fmt, time::Duration};

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::connection::{DEADLINE, Redis};
use crate::store::StoreError;

/// How often it is asked whether anybody would still be heard.
const LOOKED: Duration = Duration::from_secs(1);

/// What is said in one channel, from when this was opened until it ends. Whoever wants to go on listening opens another, and
/// knows that something may have been said in between.
pub(super) struct Subscription {
    sink: PubSubSink,
    stream: PubSubStream,
    look: Interval,
}

impl Subscription {
    /// Listens from now on.
    pub(super) async fn open(redis: &Redis, channel: &str) -> Result<Self, StoreError> {
        let (mut sink, stream) = redis.listening_connection().await?.split();
        match timeout(DEADLINE, sink.subscribe(channel)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(StoreError::Unavailable(format!("Redis: {error}"))),
            Err(_) => return Err(StoreError::Unavailable("Redis does not answer".to_owned())),
        }
        let mut look = interval(LOOKED);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { sink, stream, look })
    }

    /// What is said next; `None` when nothing more will be heard. Nothing is lost when this is dropped before it ends.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            tokio::select! {
                said = self.stream.next() => return said.map(|said| said.get_payload_bytes().to_owned()),
                _ = self.look.tick() => {
                    // A peer that went away without a word is only found by asking.
                    let there = timeout(DEADLINE, self.sink.ping::<redis::Value>()).await;
                    if !matches!(there, Ok(Ok(_))) {
                        return None;
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}
