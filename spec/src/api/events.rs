//! The event stream without a socket. (RSM-9)

mod list;

pub use list::{EventPage, EventsQuery, ListEvents};
