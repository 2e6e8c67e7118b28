use crate::{
    Action,
    api::receipts::{Marks, MarksMade},
    error::NoRefusal,
};

/// Moves the caller's own watermarks, as the endpoint of the same name does. (RCP-2)
#[derive(Debug)]
pub enum MarkReceipts {}

impl Action for MarkReceipts {
    const NAME: &'static str = "mark_receipts";
    const DOCS: &'static [&'static str] = &[
        " Moves the caller's own watermarks, in several chats at once.",
        "",
        " Each mark has a result of its own. A watermark never goes back. (RCP-2 to RCP-5)",
    ];
    type Data = Marks;
    type Reply = MarksMade;
    type Refusal = NoRefusal;
}
