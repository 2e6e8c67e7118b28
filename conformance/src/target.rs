//! The server under test, and what the suite may know about it.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

use crate::{
    client::dial::{NotAnOrigin, Origin},
    mail::MailSource,
    world::User,
};

/// How long the suite waits before it calls a server silent. Only failures ever take this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For an answer, or a frame that must come.
    pub answer: Duration,
    /// For a mail that must come.
    pub mail: Duration,
    /// For a case as a whole.
    pub case: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { answer: Duration::from_secs(10), mail: Duration::from_secs(10), case: Duration::from_mins(1) }
    }
}

/// A server to run cases against. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Target {
    origins: Arc<[Origin]>,
    mail: MailSource,
    deadlines: Deadlines,
    crowd: Arc<Mutex<Vec<User>>>,
}

impl Target {
    /// The server of these URLs: several name nodes that share their data, and clients take them in turn.
    pub fn new<U: AsRef<str>>(urls: &[U], mail: MailSource) -> Result<Self, NotAnOrigin> {
        let origins = urls.iter().map(|url| Origin::try_from(url.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if origins.is_empty() {
            return Err(Origin::try_from("").err().unwrap_or_else(|| unreachable!("no URL is no origin")));
        }
        Ok(Self { origins: origins.into(), mail, deadlines: Deadlines::default(), crowd: Arc::default() })
    }

    /// The same server, with other deadlines.
    #[must_use]
    pub fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// How long the suite waits.
    pub fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// The users whom cases share that need many. ([`World::crowd`](crate::world::World::crowd))
    pub(crate) fn crowd(&self) -> &Mutex<Vec<User>> {
        &self.crowd
    }

    /// Where the server listens: at least one place.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Where the server's mail is found.
    pub fn mail(&self) -> &MailSource {
        &self.mail
    }
}
