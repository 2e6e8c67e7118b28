//! Receipts: how far each member has got and read a chat. (RCP-1 to RCP-12)

mod list_chat;
mod list_message;
mod mark;

pub use list_chat::{ChatReceipt, ChatReceiptPage, ListChatReceipts, ListChatReceiptsRefusal};
pub use list_message::{ListMessageReceipts, ListMessageReceiptsRefusal, MessageReceipt, MessageReceiptPage};
pub use mark::{Mark, MarkReceipts, MarkResult, Marks, MarksMade};
