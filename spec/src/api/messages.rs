//! Messages: sending, history, reading one. (MSG-1 to MSG-12)

mod get;
mod list_entries;
mod send;

pub use get::{GetMessage, GetMessageRefusal, OneMessage};
pub use list_entries::{EntriesQuery, EntryPage, ListEntries, ListEntriesRefusal};
pub use send::{MessageSent, NewMessage, SendMessage, SendMessageRefusal};
