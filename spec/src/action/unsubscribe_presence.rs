use crate::{Action, Nothing, action::PresenceSubscription, error::NoRefusal};

/// Asks to be told no longer whether users are there. (PRS-8)
#[derive(Debug)]
pub enum UnsubscribePresence {}

impl Action for UnsubscribePresence {
    const NAME: &'static str = "unsubscribe_presence";
    const DOCS: &'static [&'static str] = &[
        " Ends subscriptions to the presence of users.",
        "",
        " Names that the connection is not subscribed to are no fault. (PRS-8)",
    ];
    type Data = PresenceSubscription;
    type Reply = Nothing;
    type Refusal = NoRefusal;
}
