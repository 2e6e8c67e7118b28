mod presence;

use std::sync::Arc;

pub use presence::LocalPresence;

use super::{Bus, Subscriber};
use crate::domain::Change;

/// The bus of a single node: hands changes over at once, so that nothing is between a commit and its connections.
pub struct LocalBus {
    subscriber: Arc<dyn Subscriber>,
}

impl LocalBus {
    /// A bus to the one node that there is.
    pub fn new(subscriber: Arc<dyn Subscriber>) -> Self {
        Self { subscriber }
    }
}

impl Bus for LocalBus {
    fn publish(&self, changes: &[Change]) {
        self.subscriber.deliver(changes);
    }
}
