//! Somebody who listens: a connection, and what came over it since it was last asked. (LOG-4)

use serde_json::Value;

use super::user::User;
use crate::{
    client::Socket,
    expect::{check, list_at, text_at},
    verdict::{InSetup, Verdict},
};

/// A user with an open connection.
#[derive(Debug)]
pub struct Listener<'u> {
    user: &'u User,
    socket: Socket,
    heard: usize,
    cursor: String,
}

impl User {
    /// Opens a connection and listens to what comes from now on. A connection may start before the latest change (RSM-3 asks for no
    /// more), so a barrier in the log lets pass what was there already. Inconclusive when that does not work.
    pub async fn listens(&self) -> Verdict<Listener<'_>> {
        let mut socket = self.connects().await?;
        let barrier = self.passes_a_barrier(&mut socket).await.in_setup("listening")?;
        let cursor = text_at(&barrier, "cursor").in_setup("listening")?;
        let heard = socket.events().len();
        Ok(Listener { user: self, socket, heard, cursor })
    }

    /// Every event of this user after a cursor, read over HTTP to the end. (RSM-9)
    pub async fn events_after(&self, cursor: &str) -> Verdict<Vec<Value>> {
        let mut events = Vec::new();
        let mut cursor = cursor.to_owned();
        loop {
            let page = self.reads(format!("/v1/events?cursor={cursor}")).await?;
            check(page["resume"] == "resumed", || ("events from a cursor that is good", page.to_string()))?;
            events.extend_from_slice(list_at(&page, "events")?);
            cursor = text_at(&page, "cursor")?;
            if page["more"] != true {
                return Ok(events);
            }
        }
    }
}

impl Listener<'_> {
    /// Whatever came since this was last asked, in order; a barrier in the log makes sure that nothing is still on its way.
    /// The ends of sessions, of which the barrier is one, are left out.
    pub async fn hears(&mut self) -> Verdict<Vec<Value>> {
        let all = self.user.has_caught_up(&mut self.socket).await?;
        let heard = all.get(self.heard..).unwrap_or_default();
        let heard = heard.iter().filter(|event| event["event"] != "session_ended").cloned().collect();
        self.heard = all.len();
        Ok(heard)
    }

    /// The next event of that name, which must come.
    pub async fn event(&mut self, name: &str) -> Verdict<Value> {
        self.socket.event(name).await
    }

    /// Where listening started.
    pub fn start(&self) -> &str {
        &self.cursor
    }
}
