//! Somebody who watches whether others are there. (PRS-4 to PRS-8)

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{World, user::User};
use crate::{
    client::{Closed, Socket, socket::reply_data},
    expect::{check, expect, text_at},
    verdict::{InSetup, Stop, Verdict},
};

/// A connection that is subscribed to others, and what it has heard of them.
#[derive(Debug)]
pub struct Watcher {
    socket: Socket,
    /// How many of the events that came have been looked at for each user, by their ids.
    seen: HashMap<String, usize>,
}

impl User {
    /// Opens a connection that watches these users. Inconclusive when that does not work.
    pub async fn watches<'u>(&self, others: impl IntoIterator<Item = &'u Self>) -> Verdict<Watcher> {
        let mut watcher = Watcher::new(self.connects().await?);
        watcher.subscribes(others).await.in_setup("subscribing to presence")?;
        Ok(watcher)
    }

    /// The user as one who is there. (PRS-5)
    pub fn as_online(&self) -> Value {
        json!({ "user": self.as_value(), "presence": "online" })
    }

    /// The user as one who never was there. (PRS-2)
    pub fn as_never_seen(&self) -> Value {
        json!({ "user": self.as_value(), "presence": "offline" })
    }
}

impl World {
    /// So many subscriptions are more than a connection may have. Skipped where they are too many to try. (PRS-4)
    pub fn too_many_subscriptions(&self, most: u64) -> Verdict<usize> {
        let limit = self.limits().max_presence_subscriptions;
        match usize::try_from(limit + 1) {
            Ok(count) if limit < most => Ok(count),
            _ => Err(Stop::skipped(format!(
                "max_presence_subscriptions is {limit}: that many users are too many to sign up (below {most} are not)"
            ))),
        }
    }
}

/// An id for an action that no other action of the case has.
fn frame_id(action: &str) -> String {
    format!("{action}-{}", rand::random::<u64>())
}

impl Watcher {
    /// Watches nobody yet.
    pub fn new(socket: Socket) -> Self {
        Self { socket, seen: HashMap::new() }
    }

    /// The connection itself.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Asks for an action, and answers the frame that answers it.
    pub async fn asks(&mut self, action: &str, data: &Value) -> Verdict<Value> {
        self.socket.asks(&frame_id(action), action, data).await
    }

    /// Subscribes to these users, who all exist, and answers their presences. (PRS-5)
    pub async fn subscribes<'u>(&mut self, others: impl IntoIterator<Item = &'u User>) -> Verdict<Vec<Value>> {
        let names: Vec<_> = others.into_iter().map(|other| other.username.as_str()).collect();
        let reply = self.subscribes_to_names(&names).await?;
        expect(&reply["not_found"]).to_equal(json!([]))?;
        reply["presences"].as_array().cloned().ok_or_else(|| Stop::failed("presences", reply.to_string()))
    }

    /// Subscribes to users of these names, and answers the reply. (PRS-5)
    pub async fn subscribes_to_names<S: serde::Serialize>(&mut self, names: &[S]) -> Verdict<Value> {
        reply_data(&self.asks("subscribe_presence", &json!({ "usernames": names })).await?)
    }

    /// Ends the subscriptions to users of these names. (PRS-8)
    pub async fn unsubscribes_from_names<S: serde::Serialize>(&mut self, names: &[S]) -> Verdict {
        let reply = reply_data(&self.asks("unsubscribe_presence", &json!({ "usernames": names })).await?)?;
        expect(reply).to_equal(json!({}))
    }

    /// The next change that is told of this user, which must come; those of others are passed over, and kept for later. (PRS-6)
    pub async fn hears_of(&mut self, user: &User) -> Verdict<Value> {
        loop {
            let seen = self.seen.entry(user.user_id.clone()).or_default();
            while let Some(event) = self.socket.events().get(*seen) {
                *seen += 1;
                if is_of(event, user) {
                    check(event.get("cursor").is_none() && event.get("chat_id").is_none(), || {
                        ("an event without cursor and chat (PRS-9)", event.to_string())
                    })?;
                    return Ok(event["data"].clone());
                }
            }
            let told = format!("presence_changed of {}", user.username);
            self.socket.until(&told, |frame| frame["event"] == "presence_changed").await?;
        }
    }

    /// The next change that is told of this user is that they came. (PRS-6)
    pub async fn sees_coming(&mut self, user: &User) -> Verdict {
        expect(self.hears_of(user).await?).to_equal(user.as_online())
    }

    /// The next change that is told of this user is that they went; answers when they were last there. (PRS-2, PRS-6)
    pub async fn sees_going(&mut self, user: &User) -> Verdict<String> {
        let told = self.hears_of(user).await?;
        expect(&told["presence"]).to_equal("offline")?;
        expect(&told["user"]).to_equal(user.as_value())?;
        text_at(&told, "last_seen")
    }

    /// Every change of this user that was told up to now and not asked for yet.
    pub fn has_heard_of(&self, user: &User) -> Vec<Value> {
        let seen = self.seen.get(&user.user_id).copied().unwrap_or_default();
        let new = self.socket.events().get(seen..).unwrap_or_default();
        new.iter().filter(|event| is_of(event, user)).map(|event| event["data"].clone()).collect()
    }

    /// Nothing was told of this user that was not asked for.
    pub fn has_heard_nothing_of(&self, user: &User) -> Verdict {
        let heard = self.has_heard_of(user);
        check(heard.is_empty(), || (format!("no change of {}", user.username), Value::from(heard).to_string()))
    }

    /// Closes the connection, and reads until the server has answered that.
    pub async fn closes(mut self) -> Verdict<Closed> {
        goes(&mut self.socket).await
    }
}

/// Closes a connection, and reads until the server has answered that.
pub async fn goes(socket: &mut Socket) -> Verdict<Closed> {
    socket.closes().await?;
    socket.closed().await
}

fn is_of(event: &Value, user: &User) -> bool {
    event["event"] == "presence_changed" && event["data"]["user"]["user_id"] == user.user_id.as_str()
}
