//! Users: oneself, others by name, and others around a place. (USR-1 to USR-13)

mod find_nearby;
mod get;
mod get_me;
mod update_me;

pub use find_nearby::{Around, FindNearby, NearbyUser, NearbyUsers};
pub use get::{GetUser, GetUserRefusal, OneUser, UserProfile};
pub use get_me::{GetMe, OwnProfile};
pub use update_me::{ProfilePatch, UpdateMe, UpdateMeRefusal};
