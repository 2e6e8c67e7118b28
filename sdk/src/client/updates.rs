use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::{Mutex, mpsc};

use crate::Update;

/// The receiving end of the one queue of updates.
pub(super) type UpdateQueue = Mutex<mpsc::Receiver<Update>>;

/// What happens, from [`Client::updates`](crate::Client::updates): a stream, which can also be read without naming a stream trait.
///
/// To drop it, or a [`next`](Self::next) that still waits, loses nothing: what is not handed out stays in the queue.
pub struct Updates(BoxStream<'static, Update>);

impl Updates {
    pub(super) fn of(queue: Arc<UpdateQueue>) -> Self {
        let updates = stream::unfold(queue, |queue| async move {
            let update = queue.lock().await.recv().await?;
            Some((update, queue))
        });
        Self(updates.boxed())
    }

    /// The next update; `None` when the client has stopped and all were handed out.
    pub async fn next(&mut self) -> Option<Update> {
        self.0.next().await
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").finish_non_exhaustive()
    }
}
