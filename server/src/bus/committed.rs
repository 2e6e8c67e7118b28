use i9chat_spec::SessionId;

use crate::domain::{Audience, Change, ChangeBody, Record};

/// A change of the log that is durable, as nodes tell it each other.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The change as its event shows it.
    pub record: Record,
    /// Whom it is for.
    pub audience: Audience,
    /// The session that it ends. (SES-10)
    pub ends: Option<SessionId>,
}

impl From<Change> for Committed {
    fn from(Change { record, body }: Change) -> Self {
        let ends = match &body {
            ChangeBody::SessionEnded { session_id, .. } => Some(*session_id),
            _ => None,
        };
        Self { record, audience: body.audience(), ends }
    }
}
