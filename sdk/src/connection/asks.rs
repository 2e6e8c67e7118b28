use std::{collections::VecDeque, time::Duration};

use i9chat_spec::{ClientFrame, FrameId, Problem};
use serde_json::Value;

use super::{AskError, AskFrame, AskKey};

/// Asks that wait for their answer on the present line, oldest first. None of them outlives it.
#[derive(Debug, Default)]
pub(super) struct Asks {
    waiting: VecDeque<Waiting>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    key: AskKey,
    id: FrameId,
    answer_by: Duration,
}

impl Asks {
    /// So many may wait at a time.
    const CAPACITY: usize = 256;

    pub(super) fn add(
        &mut self,
        action: &'static str,
        data: Value,
        answer_by: Duration,
    ) -> Result<(AskKey, AskFrame), AskError> {
        if self.waiting.len() >= Self::CAPACITY {
            return Err(AskError::Overloaded);
        }
        let key = AskKey(self.next);
        self.next += 1;
        let id = frame_id(key);
        self.waiting.push_back(Waiting { key, id: id.clone(), answer_by });
        Ok((key, ClientFrame { id, action: action.to_owned(), data }))
    }

    /// The ask that has its answer hereby, if one waits for it.
    pub(super) fn answered(&mut self, id: &FrameId) -> Option<AskKey> {
        let at = self.waiting.iter().position(|waiting| waiting.id == *id)?;
        self.waiting.remove(at).map(|waiting| waiting.key)
    }

    /// The asks that have no answer any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = AskKey> {
        self.waiting.drain(..).map(|waiting| waiting.key)
    }

    /// When the first answer is overdue. All have the same time, so that the oldest is the first.
    pub(super) fn first_answer_by(&self) -> Option<Duration> {
        self.waiting.front().map(|waiting| waiting.answer_by)
    }
}

impl From<Problem> for AskError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

/// Never that of a send, which is digits alone, nor one that was used before.
#[expect(clippy::expect_used, reason = "a letter and digits keep the rules of a FrameId")]
fn frame_id(key: AskKey) -> FrameId {
    format!("a{}", key.0).parse().expect("2 to 21 characters")
}
