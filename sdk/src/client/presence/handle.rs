use std::fmt;

use i9chat_spec::{PresenceState, Timestamp, UserPresence, Username};
use tokio::sync::watch;

use crate::Client;

/// What is known of whether a user is there. (PRS-1)
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// Nothing yet, or nothing any more: the client is not connected, or the answer is on its way.
    Unknown,
    /// No user had that name when it was asked.
    NoSuchUser,
    /// The user, and whether they are there.
    Known(UserPresence),
}

impl Presence {
    /// Whether the user is known to be there.
    pub fn is_online(&self) -> bool {
        matches!(self, Self::Known(UserPresence { presence: PresenceState::Online, .. }))
    }

    /// When the user was last there, if they are known to be away and ever were here. (PRS-2)
    pub fn last_seen(&self) -> Option<Timestamp> {
        match self {
            Self::Known(known) => known.last_seen,
            Self::Unknown | Self::NoSuchUser => None,
        }
    }
}

/// The presence of a user, watched for as long as a handle of it is there. (PRS-4)
///
/// Any number of handles for one user share one subscription, which is made again after each break and ends with the last of them.
/// A client watches up to 500 users at a time; what is beyond stays [`Presence::Unknown`] until others are dropped.
///
/// ```no_run
/// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
/// let mut bob = client.presence("bob")?;
/// while let Some(presence) = bob.changed().await {
///     println!("bob is {}", if presence.is_online() { "here" } else { "away" });
/// }
/// # Ok(())
/// # }
/// ```
pub struct PresenceHandle {
    client: Client,
    name: Username,
    shown: watch::Receiver<Presence>,
}

impl PresenceHandle {
    pub(in crate::client) fn new(client: Client, name: Username) -> Self {
        let mut shown = client.watchlist().watch(&name);
        // What is known already is news to this handle.
        shown.mark_changed();
        if matches!(*shown.borrow(), Presence::Unknown) {
            shown.mark_unchanged();
        }
        Self { client, name, shown }
    }

    /// The name that is watched, as it was given.
    pub const fn username(&self) -> &Username {
        &self.name
    }

    /// What is known now; it does not wait.
    pub fn current(&self) -> Presence {
        // Of a client that has stopped nothing more is heard.
        let is_over = self.shown.has_changed().is_err();
        if is_over { Presence::Unknown } else { self.shown.borrow().clone() }
    }

    /// What is known once that is something else than this handle has answered last, or else than [`Presence::Unknown`] at first;
    /// `None` when the client has stopped. To drop it while it waits loses nothing.
    pub async fn changed(&mut self) -> Option<Presence> {
        self.shown.changed().await.ok()?;
        Some(self.shown.borrow_and_update().clone())
    }
}

impl Clone for PresenceHandle {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.name.clone())
    }
}

impl Drop for PresenceHandle {
    fn drop(&mut self) {
        self.client.watchlist().unwatch(&self.name);
    }
}

impl fmt::Debug for PresenceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceHandle")
            .field("name", &self.name)
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}
