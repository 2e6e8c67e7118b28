//! The profile `robustness`: what malformed, oversized and too many requests get, whatever the section.

mod bodies;
pub(super) mod catalogue;
mod connections;
mod frames;
mod paths;

use i9chat_spec::Profile;

use crate::{
    case::Case,
    client::Socket,
    expect::expect,
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World,
        conversation::{Draft, texts},
    },
};

/// The cases of this profile.
pub fn all() -> Vec<Case> {
    [bodies::CASES, paths::CASES, frames::CASES, connections::CASES].concat()
}

/// Two users who mind their own business: whatever others do to the server, theirs goes on.
struct Bystanders {
    alice: User,
    bob: User,
    talk: Option<Talk>,
}

/// A direct chat of theirs, and where Bob listens.
struct Talk {
    chat_id: String,
    hearing: Socket,
    said: Vec<String>,
}

impl Bystanders {
    async fn of(world: &World) -> Verdict<Self> {
        let [alice, bob] = world.users().await?;
        let talk = if world.claims(Profile::Messages) {
            let chat_id = alice.opens_direct_chat_with(&bob).await?;
            Some(Talk { chat_id, hearing: bob.connects().await?, said: Vec::new() })
        } else {
            None
        };
        let mut bystanders = Self { alice, bob, talk };
        bystanders.go_on().await.in_setup("a talk before anything happens")?;
        Ok(bystanders)
    }

    /// They are answered as ever: a message arrives at once, and history holds all of them.
    async fn go_on(&mut self) -> Verdict {
        let me = self.bob.reads("/v1/me").await?;
        expect(&me["user_id"]).to_equal(&self.bob.user_id)?;
        let Some(talk) = &mut self.talk else { return self.alice.connects().await?.catches_up().await };
        let draft = Draft::new(format!("all is well, {}", talk.said.len()));
        talk.said.push(draft.text.clone());
        let sent = self.alice.sends(&talk.chat_id, &draft).await?;
        expect(&sent["seq"]).to_equal(talk.said.len())?;
        let event = talk.hearing.event("message_created").await?;
        expect(&event["data"]["message"]["content"]["text"]).to_equal(&draft.text)?;
        expect(texts(&self.bob.history(&talk.chat_id).await?)).to_equal(&talk.said)
    }
}

/// What was expected and what came, with what it was about.
fn about(what: &str) -> impl FnOnce(Stop) -> Stop {
    move |stop| match stop {
        Stop::Failed(mismatch) => Stop::failed(format!("{} ({what})", mismatch.expected), mismatch.came),
        other => other,
    }
}
