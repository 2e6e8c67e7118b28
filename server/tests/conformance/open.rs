//! Which clusters are open: each is started when the first case needs it.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{Mutex, Notify, OnceCell};

use crate::{
    cluster::{Cluster, Kind, Trouble},
    lab::{self, Shared},
};

/// Filled as soon as somebody has entered.
type Slot = Arc<OnceCell<Result<Cluster, Trouble>>>;

/// The clusters that are open. Where the environment names a Neo4j, there is room for one on it at a time: another is opened
/// when nobody is in that one any more.
#[derive(Default)]
pub struct Clusters {
    open: Mutex<HashMap<Kind, Slot>>,
    left: Arc<Notify>,
}

/// A cluster that stays open as long as this value lives.
pub struct Entered {
    // Dropped before others hear of it.
    slot: Slot,
    _leaving: Leaving,
}

struct Leaving(Arc<Notify>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

impl Entered {
    pub fn cluster(&self) -> Result<&Cluster, &Trouble> {
        self.slot.get().expect("it was started when it was entered").as_ref()
    }
}

impl Clusters {
    /// Enters the cluster of this kind, which is started if it is not open.
    pub async fn enter(&self, kind: Kind) -> Entered {
        let slot = loop {
            // Listened for before anything is looked at, so that nobody leaves unheard.
            let left = self.left.notified();
            if let Some(slot) = self.slot(kind).await {
                break slot;
            }
            left.await;
        };
        let entered = Entered { slot, _leaving: Leaving(Arc::clone(&self.left)) };
        entered.slot.get_or_init(|| Cluster::start(kind)).await;
        entered
    }

    /// The slot of this kind, if it is open or there is room to open it.
    async fn slot(&self, kind: Kind) -> Option<Slot> {
        let mut open = self.open.lock().await;
        if !open.contains_key(&kind) && lab::are_given() && !kind.layout.is_embedded() {
            let in_the_way: Vec<Kind> = open.keys().copied().filter(|kind| !kind.layout.is_embedded()).collect();
            for other in in_the_way {
                match Arc::try_unwrap(open.remove(&other)?) {
                    Ok(nobody_is_in) => end(nobody_is_in).await,
                    Err(somebody_is_in) => {
                        open.insert(other, somebody_is_in);
                        return None;
                    }
                }
            }
        }
        Some(Arc::clone(open.entry(kind).or_default()))
    }
}

impl Shared for Clusters {
    async fn end(self) {
        for slot in self.open.into_inner().into_values() {
            if let Ok(nobody_is_in) = Arc::try_unwrap(slot) {
                end(nobody_is_in).await;
            }
        }
    }
}

async fn end(slot: OnceCell<Result<Cluster, Trouble>>) {
    if let Some(Ok(cluster)) = slot.into_inner() {
        cluster.end().await;
    }
}
