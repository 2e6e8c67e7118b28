//! Chats: opening, listing, reading one. (CHT-1 to CHT-7)

mod get;
mod list;
mod open_direct;

pub use get::{ChatSnapshot, GetChat, GetChatRefusal, OneChat};
pub use list::{ChatPage, ChatsQuery, ListChats, ListChatsRefusal};
pub use open_direct::{OpenDirect, OpenDirectRefusal};
