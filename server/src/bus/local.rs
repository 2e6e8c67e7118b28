mod attempts;
mod clean_ups;
mod presence;
mod rates;

use std::sync::Arc;

pub use attempts::LocalAttempts;
pub use clean_ups::LocalCleanUps;
pub use presence::LocalPresence;
pub use rates::LocalRates;

use super::{Bus, Committed, Subscriber, Told};

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
    fn publish(&self, changes: Vec<Committed>) -> Told {
        self.subscriber.deliver(&changes);
        Told::Now
    }
}
