//! What is not durable travels by Pub/Sub: whoever listens hears it, and nobody asks for it again.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use i9chat_spec::{ChatId, EventFrame, Format, ServerFrame, UserId};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{
    connection::{Redis, TRIED_AGAIN},
    packed::Packed,
    post::{Carrier, Post},
    subscription::Subscription,
};
use crate::{
    bus::{LiveBus, LiveEvent, Topic},
    store::StoreError,
};

/// How many events may wait until they are sent.
const WAITING: usize = 4096;
/// Nodes read no other.
const VERSION: u8 = 1;

/// Tells connections of this node at once, and those of others through Redis.
pub struct RedisLive {
    here: Arc<dyn LiveBus>,
    post: Post<Parcel>,
    node: Uuid,
    _listening: AbortOnDropHandle<()>,
}

/// What is told, encoded.
type Parcel = Vec<u8>;

struct Channel {
    redis: Redis,
    name: String,
}

#[derive(Serialize, Deserialize)]
struct WireEvent<'a> {
    #[serde(borrow)]
    node: Packed<'a>,
    users: Packed<'a>,
    topic: WireTopic<'a>,
    /// As a connection gets it, in MessagePack.
    frame: Packed<'a>,
}

#[derive(Serialize, Deserialize)]
enum WireTopic<'a> {
    Presence(#[serde(borrow)] Packed<'a>),
    Typing(Packed<'a>, Packed<'a>),
}

impl RedisLive {
    /// Joins the nodes that use a channel; `here` tells the connections of this one.
    pub(super) fn start(redis: Redis, name: String, node: Uuid, here: Arc<dyn LiveBus>) -> Self {
        let listening = listen(redis.clone(), name.clone(), node, Arc::clone(&here));
        Self {
            here,
            post: Post::start("live", WAITING, Channel { redis, name }),
            node,
            _listening: AbortOnDropHandle::new(tokio::spawn(listening)),
        }
    }

    /// Waits until what was told is on its way, but not for ever.
    pub(super) async fn flush(&self) {
        self.post.flush().await;
    }
}

impl LiveBus for RedisLive {
    fn tell(&self, users: &[UserId], event: LiveEvent) {
        if let Some(parcel) = encode(self.node, users, &event) {
            self.post.put(parcel);
        }
        self.here.tell(users, event);
    }
}

impl Carrier<Parcel> for Channel {
    async fn carry(&mut self, goods: Vec<Parcel>) -> Result<(), StoreError> {
        let mut publish = redis::pipe();
        for parcel in goods {
            publish.cmd("PUBLISH").arg(&self.name).arg(parcel).ignore();
        }
        self.redis.commands(&publish).await
    }
}

/// Tells the connections of this node what other nodes tell, for as long as it is not dropped.
async fn listen(redis: Redis, channel: String, node: Uuid, here: Arc<dyn LiveBus>) {
    loop {
        match Subscription::open(&redis, &channel).await {
            Ok(mut subscription) => {
                while let Some(said) = subscription.next().await {
                    if let Some((users, event)) = decode(&said, node) {
                        here.tell(&users, event);
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "what other nodes tell is not heard"),
        }
        sleep(TRIED_AGAIN).await;
    }
}

fn encode(node: Uuid, users: &[UserId], event: &LiveEvent) -> Option<Parcel> {
    let frame: Bytes = event.frame(Format::MessagePack);
    let topic = match &event.topic {
        Topic::Presence(user_id) => WireTopic::Presence(user_id.as_uuid().as_bytes().into()),
        Topic::Typing(chat_id, user_id) => {
            WireTopic::Typing(chat_id.as_uuid().as_bytes().into(), user_id.as_uuid().as_bytes().into())
        }
    };
    let users = Packed::of_ids(users.iter().map(UserId::as_uuid));
    let wire = WireEvent { node: node.as_bytes().into(), users, topic, frame: (&*frame).into() };
    let mut bytes = vec![VERSION];
    rmp_serde::encode::write(&mut bytes, &wire).ok().map(|()| bytes)
}

/// What another node tells whom; `None` for what this one told itself, and for what it does not understand.
fn decode(bytes: &[u8], node: Uuid) -> Option<(Vec<UserId>, LiveEvent)> {
    let (&VERSION, wire) = bytes.split_first()? else { return None };
    let wire: WireEvent<'_> = rmp_serde::from_slice(wire).ok()?;
    if wire.node.bytes() == node.as_bytes() {
        return None;
    }
    let user = |id: &Packed<'_>| id.array().map(Uuid::from_bytes).map(UserId::from_uuid);
    let topic = match &wire.topic {
        WireTopic::Presence(user_id) => Topic::Presence(user(user_id)?),
        WireTopic::Typing(chat_id, user_id) => {
            Topic::Typing(ChatId::from_uuid(Uuid::from_bytes(chat_id.array()?)), user(user_id)?)
        }
    };
    let frame = Format::MessagePack.decode(wire.frame.bytes()).ok()?;
    let ServerFrame::Event(EventFrame { event, .. }) = frame else { return None };
    Some((wire.users.ids()?.map(UserId::from_uuid).collect(), LiveEvent::new(topic, event)))
}

impl fmt::Debug for RedisLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLive").field("node", &self.node).finish_non_exhaustive()
    }
}
