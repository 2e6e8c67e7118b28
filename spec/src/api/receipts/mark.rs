use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{ChatId, ErrorCode, Example, ReadState, SignedIn, Watermark, codec::Map, endpoint, list::List};

endpoint! {
    /// Moves the caller's own watermarks, in several chats at once.
    ///
    /// Each mark has a result of its own. A watermark never goes back. (RCP-2 to RCP-5)
    MarkReceipts("mark_receipts"): POST "/v1/receipts" => 200 {
        caller: SignedIn,
        body: Marks,
        response: MarksMade,
    }
}

/// Which watermarks to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marks {
    /// 1 to 100 marks, no chat twice.
    pub marks: List<Mark, 1, 100>,
}

/// Where to move the watermarks of one chat. At least one of the two is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mark {
    /// The chat.
    pub chat_id: ChatId,
    /// The last entry that a client of the user has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Watermark>,
    /// The last entry that the user has read; it counts as delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Watermark>,
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            chat_id: ChatId,
            delivered: Option<Watermark>,
            read: Option<Watermark>,
        }

        let Map(Raw { chat_id, delivered, read }) = Deserialize::deserialize(deserializer)?;
        Ok(Self { chat_id, delivered, read })
    }
}

/// What became of the marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MarksMade {
    /// One for each mark, in the order given.
    pub results: Vec<MarkResult>,
}

/// What became of one mark: `state` or `code`. (RCP-5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MarkResult {
    /// The chat.
    pub chat_id: ChatId,
    /// How far the caller is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ReadState>,
    /// Why nothing was moved: `chat_not_found`, `not_member` or `beyond_last_entry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ErrorCode>")]
    pub code: Option<String>,
}

impl MarkResult {
    /// The watermarks are there now.
    pub fn moved(chat_id: ChatId, state: ReadState) -> Self {
        Self { chat_id, state: Some(state), code: None }
    }

    /// Nothing was moved.
    pub fn refused(chat_id: ChatId, code: ErrorCode) -> Self {
        Self { chat_id, state: None, code: Some(code.as_str().to_owned()) }
    }
}

impl Example for Marks {
    fn example() -> Self {
        Self { marks: List::example() }
    }
}

impl Example for Mark {
    fn example() -> Self {
        Self { chat_id: ChatId::example(), delivered: None, read: Some(Watermark::example()) }
    }
}

impl Example for MarksMade {
    fn example() -> Self {
        Self { results: vec![MarkResult::example()] }
    }
}

impl Example for MarkResult {
    fn example() -> Self {
        Self::moved(ChatId::example(), ReadState::example())
    }
}
