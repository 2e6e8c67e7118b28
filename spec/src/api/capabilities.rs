//! What a server can do. (CAP-1)

mod get;

pub use get::{Capabilities, GetCapabilities, ServerInfo};
