//! The world of one case: a server, and the people that the case needs.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

pub mod conversation;
mod crowd;
pub mod group;
pub mod held;
pub mod listener;
pub mod marks;
pub mod media;
mod newcomer;
pub mod presence;
mod user;

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::try_join_all;
use i9chat_spec::{Lifetimes, Limits, Profile, api::capabilities::Capabilities};

use crate::{
    client::Client,
    journal::Journal,
    target::Target,
    verdict::{InSetup, Stop, Verdict},
};

pub use newcomer::{Newcomer, Ticket};
pub use user::User;
pub(crate) use user::patiently;

/// Everything that one case works with. Each case has a world of its own: other users, another client address, its own record of the traffic.
#[derive(Debug)]
pub struct World {
    target: Target,
    journal: Arc<Journal>,
    source: Option<Ipv4Addr>,
    capabilities: Capabilities,
    clients: AtomicUsize,
}

impl World {
    /// Makes a world at a server. Inconclusive when the server does not tell its capabilities.
    pub async fn new(target: &Target) -> Verdict<Self> {
        let mut world = Self {
            target: target.clone(),
            journal: Arc::default(),
            source: own_address(),
            capabilities: i9chat_spec::Example::example(),
            clients: AtomicUsize::new(rand::random_range(0..target.origins().len())),
        };
        let answer = world.visitor().get("/v1/capabilities").send().await.in_setup("the capabilities")?;
        let value = answer.succeeded(200).in_setup("the capabilities")?;
        world.capabilities = serde_json::from_value(value)
            .map_err(|error| Stop::Inconclusive(format!("the capabilities cannot be read: {error}")))?;
        Ok(world)
    }

    /// Whether the server claims a profile. (PRF-1)
    pub fn claims(&self, profile: Profile) -> bool {
        self.capabilities.profiles.contains(&profile)
    }

    /// The case needs another profile than its own too: skipped where the server does not claim it. (PRF-1)
    pub fn needs(&self, profile: Profile) -> Verdict {
        let reason = || Stop::skipped(format!("the server does not claim the profile {profile}, which this needs too"));
        self.claims(profile).then_some(()).ok_or_else(reason)
    }

    /// The limits that the server publishes. (CAP-1)
    pub fn limits(&self) -> &Limits {
        &self.capabilities.limits
    }

    /// The times-to-live that the server publishes. (CAP-1)
    pub fn lifetimes(&self) -> &Lifetimes {
        &self.capabilities.lifetimes
    }

    /// Whether this world comes from a client address of its own, so that limits by address concern nobody else.
    pub fn has_own_address(&self) -> bool {
        self.source.is_some() && self.target.origins().iter().all(|origin| origin.host == "127.0.0.1")
    }

    /// The server under test.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What travelled.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// A client that is nobody. Where the server has several URLs, clients take them in turn.
    pub fn visitor(&self) -> Client {
        let origins = self.target.origins();
        let turn = self.clients.fetch_add(1, Ordering::Relaxed) % origins.len();
        #[expect(clippy::indexing_slicing, reason = "a turn is below the number of origins, and there is at least one")]
        let origin = origins[turn].clone();
        Client {
            origin,
            source: self.source,
            patience: self.target.deadlines().answer,
            credentials: None,
            journal: self.journal.clone(),
        }
    }

    /// Somebody who has no account yet, with a mail address that nobody had before.
    pub fn newcomer(&self) -> Newcomer<'_> {
        Newcomer::new(self)
    }

    /// A new user, signed in, who came by signing up. Inconclusive when that does not work.
    pub async fn user(&self) -> Verdict<User> {
        self.newcomer().signs_up().await.in_setup("signing up")
    }

    /// Several new users, made at the same time.
    pub async fn users<const N: usize>(&self) -> Verdict<[User; N]> {
        let users = try_join_all((0..N).map(|_| self.user())).await?;
        users.try_into().map_err(|_| Stop::Inconclusive("signing up made another number of users".to_owned()))
    }
}

/// A client address of its own on the loopback network, so that limits by address do not tie cases together.
/// Only Linux answers on all of 127.0.0.0/8 without being told to.
fn own_address() -> Option<Ipv4Addr> {
    cfg!(target_os = "linux").then(|| {
        Ipv4Addr::new(127, rand::random_range(1..=254), rand::random_range(0..=255), rand::random_range(1..=254))
    })
}
