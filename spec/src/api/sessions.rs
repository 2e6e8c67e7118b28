//! Sessions: signing in, staying signed in, signing out. (SES-1 to SES-13)

mod end;
mod list;
mod refresh;
mod sign_in;

pub use end::{EndSession, EndSessionRefusal, OneSession, SessionRef};
pub use list::{ListSessions, SessionInfo, SessionList};
pub use refresh::{RefreshSession, RefreshSessionRefusal, SessionRefreshed, SpentToken};
pub use sign_in::{Credentials, SessionOpened, SignIn, SignInRefusal, TokenPair};
