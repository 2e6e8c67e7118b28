//! A client that does not read. (WSK-10)

use i9chat_spec::CloseCode;
use serde_json::Value;

use crate::{
    cases,
    client::{Frame, Socket, socket::reply_data},
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::{World, conversation::Draft},
};

cases! { Messages:
    a_client_that_does_not_read_loses_its_connection_but_no_event ["WSK-10", "LOG-4", "WSK-13"],
}

/// So many of the largest messages are more than what a network holds on the way: whoever sends them on has to keep them, or to give up.
const MESSAGES: u64 = 600;
/// How many of them are under way at a time.
const WINDOW: u64 = 20;

async fn a_client_that_does_not_read_loses_its_connection_but_no_event(world: &World) -> Verdict {
    if world.limits().frames_burst < MESSAGES || world.limits().max_resume_events < MESSAGES {
        return Err(Stop::skipped(format!("it takes {MESSAGES} messages at once, more than the server allows")));
    }
    let [alice, bob] = world.users().await?;
    let chat_id = bob.opens_direct_chat_with(&alice).await?;
    let mut unread = alice.connects().await?;
    let start = unread.hello["cursor"].as_str().unwrap_or_default().to_owned();
    let mut writing = bob.connects().await?;
    let text = "\u{1f600}".repeat(usize::try_from(world.limits().max_text_chars).unwrap_or_default());
    for from in (0..MESSAGES).step_by(usize::try_from(WINDOW).unwrap_or(1)) {
        for number in from..from + WINDOW {
            writing.sends(&Draft::new(&text).frame_with_id(&number.to_string(), &chat_id)).await?;
        }
        for number in from..from + WINDOW {
            // Answers come in the order of the actions, and events are passed over.
            reply_data(&writing.answered(&number.to_string()).await?)?;
        }
    }
    let mut came = Came { next: 1, cursor: start };
    if let Some(closed) = came.reads(&mut unread).await? {
        // A connection that takes nothing may not take a close frame either; but no other code is right.
        if closed.code.is_some() {
            closed.is(CloseCode::SlowConsumer)?;
        }
        let mut resumed = alice.resumes(&came.cursor).await?;
        expect(&resumed.hello["resume"]).to_equal("resumed")?;
        if let Some(closed) = came.reads(&mut resumed).await? {
            return Err(Stop::failed("the rest of the events", closed.to_string()));
        }
    }
    Ok(())
}

/// How far a reader has got.
struct Came {
    next: u64,
    cursor: String,
}

impl Came {
    /// Reads events, which must come without a hole, up to the last message or the end of the connection.
    async fn reads(&mut self, socket: &mut Socket) -> Verdict<Option<crate::client::Closed>> {
        while self.next <= MESSAGES {
            match socket.next().await? {
                Frame::Value(frame) if frame["type"] == "event" => self.takes(&frame)?,
                Frame::Closed(closed) => return Ok(Some(closed)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn takes(&mut self, event: &Value) -> Verdict {
        if event["event"] == "message_created" {
            let seq = &event["data"]["message"]["seq"];
            check(*seq == self.next, || (format!("the message {}", self.next), format!("the message {seq}")))?;
            self.next += 1;
        }
        event["cursor"].as_str().unwrap_or_default().clone_into(&mut self.cursor);
        Ok(())
    }
}
