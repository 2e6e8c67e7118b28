use i9chat_spec::{MessageId, Refusal, Seq, Timestamp};

use super::{ChangeBody, Effect, State, Wanted};
use crate::ids::Ids;

/// Something that a user asks for and that changes the log.
pub trait Command: Send + 'static {
    /// What the user is told when it is done and durable.
    type Answer: Send + 'static;
    /// Why it may not be done.
    type Refusal: Refusal;

    /// Says what of the state the decision needs.
    fn wants(&self, wanted: &mut Wanted);

    /// Decides. The same state, command and stamp lead to the same decision.
    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<Self::Answer>, Self::Refusal>;
}

/// What a command leads to.
#[derive(Debug)]
pub struct Decision<A> {
    /// What the user is told.
    pub answer: A,
    /// What changes, in this order; nothing when it was done before.
    pub changes: Vec<ChangeBody>,
    /// What changes beside the log.
    pub effects: Vec<Effect>,
}

impl<A> Decision<A> {
    /// Changes to the log.
    pub fn new(answer: A, changes: Vec<ChangeBody>) -> Self {
        Self { answer, changes, effects: Vec::new() }
    }

    /// Everything is as it should be already.
    pub fn nothing(answer: A) -> Self {
        Self::new(answer, Vec::new())
    }
}

/// The moment of a batch, and where ids come from.
#[derive(Clone, Copy)]
pub struct Stamp<'a> {
    /// Now.
    pub at: Timestamp,
    /// Makes ids.
    pub ids: &'a dyn Ids,
}

impl Stamp<'_> {
    /// A new id for the message at a place of its chat.
    pub fn message_id(&self, seq: Seq) -> MessageId {
        self.ids.message_id(self.at, seq)
    }
}
