use std::time::Duration;

use async_trait::async_trait;
use i9chat_spec::MediaId;

use crate::store::StoreError;

/// After how long a node has left what it took: longer than cleaning up some takes, and shorter than the time between two rounds.
pub const CLEAN_UP_IS_LEFT: Duration = Duration::from_mins(10);

/// What is to be cleaned up, shared among nodes: media that expired. It is in a store until it is gone, so nothing is lost with
/// this queue; it is only found again.
#[async_trait]
pub trait CleanUps: Send + Sync + 'static {
    /// Queues media. What is queued already, or taken and not done, stays where it is.
    async fn offer(&self, media: &[MediaId]) -> Result<(), StoreError>;

    /// Takes some for this node, at most so many. Others do not get them, unless this node does not say for long that they are
    /// [done](Self::done).
    async fn take(&self, at_most: usize) -> Result<Vec<MediaId>, StoreError>;

    /// They are cleaned up.
    async fn done(&self, media: &[MediaId]) -> Result<(), StoreError>;
}
