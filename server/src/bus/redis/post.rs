use std::{fmt, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use crate::store::StoreError;

/// How much is sent in one go.
const AT_ONCE: usize = 64;
/// How long is waited at the end for what is still to be sent.
const LAST: Duration = Duration::from_secs(2);

/// Sends in the background what may be lost, in order. What does not fit into the queue, and what cannot be sent, is dropped
/// and counted.
pub(super) struct Post<T> {
    what: &'static str,
    queue: mpsc::Sender<Parcel<T>>,
    _sending: AbortOnDropHandle<()>,
}

enum Parcel<T> {
    Goods(T),
    /// Everything before has been sent or dropped.
    Mark(oneshot::Sender<()>),
}

/// Sends several of them.
pub(super) trait Carrier<T>: Send + 'static {
    /// Sends them, in order.
    fn carry(&mut self, goods: Vec<T>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl<T: Send + 'static> Post<T> {
    /// Has room for so many.
    pub(super) fn start(what: &'static str, room: usize, carrier: impl Carrier<T>) -> Self {
        let (queue, waiting) = mpsc::channel(room);
        Self { what, queue, _sending: AbortOnDropHandle::new(tokio::spawn(send(what, waiting, carrier))) }
    }

    /// Sends it soon, or drops it.
    pub(super) fn put(&self, goods: T) {
        if self.queue.try_send(Parcel::Goods(goods)).is_err() {
            dropped(self.what, 1);
        }
    }

    /// Waits until everything put before has been sent or dropped, but not for ever.
    pub(super) async fn flush(&self) {
        let (mark, reached) = oneshot::channel();
        let flushed = async {
            if self.queue.send(Parcel::Mark(mark)).await.is_ok() {
                drop(reached.await);
            }
        };
        if timeout(LAST, flushed).await.is_err() {
            tracing::warn!(what = self.what, "what is told to other nodes was not sent in time");
        }
    }
}

async fn send<T>(what: &'static str, mut waiting: mpsc::Receiver<Parcel<T>>, mut carrier: impl Carrier<T>) {
    let mut parcels = Vec::new();
    while waiting.recv_many(&mut parcels, AT_ONCE).await > 0 {
        let (mut goods, mut marks) = (Vec::new(), Vec::new());
        for parcel in parcels.drain(..) {
            match parcel {
                Parcel::Goods(one) => goods.push(one),
                Parcel::Mark(mark) => marks.push(mark),
            }
        }
        let count = goods.len();
        if count > 0
            && let Err(error) = carrier.carry(goods).await
        {
            tracing::debug!(%error, what, "what is told to other nodes was not sent");
            dropped(what, count);
        }
        for mark in marks {
            // Whoever waited may be gone.
            mark.send(()).unwrap_or_default();
        }
    }
}

fn dropped(what: &'static str, count: usize) {
    metrics::counter!("i9chat_bus_dropped_total", "what" => what).increment(count as u64);
}

impl<T> fmt::Debug for Post<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("what", &self.what).finish_non_exhaustive()
    }
}
