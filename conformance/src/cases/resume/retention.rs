//! How long events are kept, and what becomes of cursors that are older. (RSM-5, RSM-12)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use std::time::{Duration, Instant};

use i9chat_spec::{ErrorCode, Profile};
use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::names,
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::World,
};

cases! { Resume:
    events_are_kept_whole_or_a_resume_is_limited ["RSM-5", "RSM-12", "CHT-8"],
}

/// The longest retention that the case waits for.
const LONGEST: Duration = Duration::from_secs(5);
/// How often the server is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(300);

async fn events_are_kept_whole_or_a_resume_is_limited(world: &World) -> Verdict {
    let retention = Duration::from_secs(world.lifetimes().event_retention_s);
    if retention > LONGEST {
        let reason = format!(
            "event_retention_s is {}, too long to wait for ({} at most)",
            retention.as_secs(),
            LONGEST.as_secs()
        );
        return Err(Stop::skipped(reason));
    }
    world.needs(Profile::Reactions)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "so that the chat is there").await?;
    let begun = Instant::now();
    let start = bob.present_cursor().await?;
    bob.reacts(&chat_id, &message_id, "👍").await?;
    alice.says(&chat_id, ["kept for ever"]).await?;
    alice.reacts(&chat_id, &message_id, "🎉").await?;
    let wanted = ["reaction_changed", "message_created", "reaction_changed"];
    // A server may keep more than it has to: it need never be seen to forget.
    while begun.elapsed() < retention * 2 + LONGEST {
        let asked = begun.elapsed();
        let page = bob.reads(format!("/v1/events?cursor={start}")).await?;
        let changed = bob.get(format!("/v1/chats?changed_since={start}")).send().await?;
        if page["resume"] == "limited" {
            check(asked >= retention, || (format!("resumed for {} s", retention.as_secs()), page.to_string()))?;
            expect(&page["events"]).to_equal(json!([]))?;
            changed.refused_with(ErrorCode::CursorReset)?;
            break;
        }
        // All of it, or nothing.
        expect(&page["resume"]).to_equal("resumed")?;
        expect(names(list_at(&page, "events")?)).to_equal(wanted)?;
        if changed.status == 200 {
            let listed = changed.succeeded(200)?;
            let chat_ids: Vec<&Value> = list_at(&listed, "items")?.iter().map(|chat| &chat["chat_id"]).collect();
            expect(chat_ids).to_equal([&chat_id])?;
        } else {
            // The server may have forgotten between the two questions.
            changed.refused_with(ErrorCode::CursorReset)?;
            check(begun.elapsed() >= retention, || ("a list of what has changed", changed.to_string()))?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    // Entries are kept with what became of them, and the present is a good place to go on from.
    let history = bob.history(&chat_id).await?;
    expect(history.len()).to_equal(2)?;
    expect(&history[0]["reactions"]).to_equal(json!([{ "emoji": "🎉", "count": 1 }, { "emoji": "👍", "count": 1 }]))?;
    let mut socket = bob.resumes(&bob.present_cursor().await?).await?;
    expect(&socket.hello["resume"]).to_equal("resumed")?;
    alice.says(&chat_id, ["live"]).await?;
    text_at(&socket.event("message_created").await?, "cursor").map(drop)
}
