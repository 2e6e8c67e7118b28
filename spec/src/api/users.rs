//! Users: oneself, and others by name. (USR-1 to USR-3)

mod get;
mod get_me;

pub use get::{GetUser, GetUserRefusal, OneUser, UserProfile};
pub use get_me::{GetMe, OwnProfile};
