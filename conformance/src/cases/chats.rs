//! Section 7: opening direct chats, reading them, listing them.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use futures_util::future::try_join_all;
use i9chat_spec::{CloseCode, ErrorCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cases,
    client::Answer,
    expect::{check, expect, list_at, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World,
        conversation::{Draft, items_of, messages_in, messages_of},
    },
};

cases! { Messages:
    two_users_have_one_direct_chat_whoever_asks ["CHT-1", "CHT-3", "CHT-6", "CNV-10"],
    many_who_ask_at_once_get_one_chat ["CHT-1", "CHT-2"],
    a_direct_chat_with_oneself_or_nobody_is_refused ["CHT-1", "ERR-5"],
    an_empty_chat_is_seen_only_by_who_opened_it ["CHT-2", "ERR-6", "MSG-9"],
    the_partner_gets_the_chat_directly_before_its_first_message ["CHT-2", "CHT-3", "LOG-7"],
    both_may_open_a_chat_before_its_first_message ["CHT-2", "LOG-7"],
    the_list_has_the_chat_with_the_latest_entry_first ["CHT-5"],
    the_list_is_read_page_by_page ["CHT-5", "CNV-11", "CNV-12"],
    a_list_read_while_others_write_shows_nothing_twice ["CHT-5", "CHT-7", "CNV-11"],
    a_limit_out_of_bounds_is_refused ["CNV-12", "CAP-2"],
    a_chat_of_others_answers_as_one_that_does_not_exist ["ERR-6", "CHT-6", "MSG-9", "MSG-11"],
    unread_messages_are_those_of_others ["CHT-4"],
    unread_messages_are_counted_up_to_a_maximum ["CHT-4", "CAP-2"],
}

async fn two_users_have_one_direct_chat_whoever_asks(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let opened = alice.puts_direct(&bob.username).await?.succeeded(200)?;
    let chat_id = text_at(&opened, "chat.chat_id")?;
    text_at(&opened, "cursor")?;
    let chat = &opened["chat"];
    expect(&chat["kind"]).to_equal("direct")?;
    expect(&chat["partner"]).to_equal(bob.as_partner(0, 0))?;
    expect(&chat["membership"]).to_equal("member")?;
    expect(&chat["visible"]).to_equal(json!([{ "from": 1 }]))?;
    expect(&chat["unread_count"]).to_equal(0)?;
    check(chat.get("last_entry").is_none(), || ("no last_entry in an empty chat", chat.to_string()))?;

    for name in [bob.username.clone(), bob.username.to_uppercase(), bob.username.to_lowercase()] {
        let again = alice.puts_direct(&name).await?.succeeded(200)?;
        expect(&again["chat"]).to_equal(chat)?;
    }
    let from_bob = bob.puts_direct(&alice.username).await?.succeeded(200)?;
    expect(&from_bob["chat"]["chat_id"]).to_equal(&chat_id)?;
    expect(&from_bob["chat"]["partner"]).to_equal(alice.as_partner(0, 0))?;
    expect(alice.chat(&chat_id).await?).to_equal(chat)?;
    expect(bob.chat(&chat_id).await?).to_equal(&from_bob["chat"])
}

async fn many_who_ask_at_once_get_one_chat(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut socket = alice.connects().await?;
    let asking = (0..20).map(|turn| {
        let (asker, partner) = if turn % 2 == 0 { (&alice, &bob) } else { (&bob, &alice) };
        asker.puts_direct(&partner.username)
    });
    let answers = Box::pin(try_join_all(asking)).await?;
    let mut chat_ids = Vec::new();
    for answer in &answers {
        chat_ids.push(text_at(&answer.succeeded(200)?, "chat.chat_id")?);
    }
    chat_ids.sort_unstable();
    chat_ids.dedup();
    check(chat_ids.len() == 1, || ("one chat_id for all who ask", chat_ids.join(", ")))?;
    for user in [&alice, &bob] {
        let listed = user.reads("/v1/chats").await?;
        expect(ids(list_at(&listed, "items")?)).to_equal(&chat_ids)?;
    }
    // Opened ten times, added once.
    let events = alice.has_caught_up(&mut socket).await?;
    expect(names(&events)).to_equal(["chat_added"])
}

async fn a_direct_chat_with_oneself_or_nobody_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for name in [alice.username.clone(), alice.username.to_uppercase()] {
        alice.puts_direct(&name).await?.refused_with(ErrorCode::DirectWithSelf)?;
    }
    let nobody = format!("nobody{}", alice.username.get(..12).unwrap_or("x"));
    alice.puts_direct(&nobody).await?.refused_with(ErrorCode::UserNotFound)?;
    for impossible in ["ab", "-ab", "a%20b", &"a".repeat(31)] {
        alice.puts_direct(impossible).await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    expect(&alice.reads("/v1/chats").await?["items"]).to_equal(json!([]))?;
    // With somebody it works.
    alice.puts_direct(&bob.username).await?.succeeded(200)?;
    Ok(())
}

async fn an_empty_chat_is_seen_only_by_who_opened_it(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut alices = alice.connects().await?;
    let mut bobs = bob.connects().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;

    expect(names(&alice.has_caught_up(&mut alices).await?)).to_equal(["chat_added"])?;
    expect(names(&bob.has_caught_up(&mut bobs).await?)).to_equal(json!([]))?;
    expect(ids(list_at(&alice.reads("/v1/chats").await?, "items")?)).to_equal([&chat_id])?;
    expect(&bob.reads("/v1/chats").await?["items"]).to_equal(json!([]))?;
    let missing = missing_id();
    for (seen, unseen) in paths(&chat_id).into_iter().zip(paths(&missing)) {
        let seen = bob.get(seen).header("X-Request-Id", "same").send().await?;
        let unseen = bob.get(unseen).header("X-Request-Id", "same").send().await?;
        seen.refused_with(ErrorCode::ChatNotFound)?;
        answers_alike(&seen, &unseen)?;
    }
    bob.sending(&chat_id, &Draft::new("hello?")).send().await?.refused_with(ErrorCode::ChatNotFound)?;

    // With the first message it is there.
    alice.sends(&chat_id, &Draft::new("hello")).await?;
    expect(ids(list_at(&bob.reads("/v1/chats").await?, "items")?)).to_equal([&chat_id])?;
    bob.sends(&chat_id, &Draft::new("hello!")).await?;
    Ok(())
}

async fn the_partner_gets_the_chat_directly_before_its_first_message(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut alices = alice.connects().await?;
    let mut bobs = bob.connects().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["one", "two"]).await?;

    let events = bob.has_caught_up(&mut bobs).await?;
    expect(names(&events)).to_equal(["chat_added", "message_created", "message_created"])?;
    let added = events.first().cloned().unwrap_or_default();
    check(added.get("chat_id").is_none(), || ("an event to a user, without chat_id", added.to_string()))?;
    let chat = &added["data"]["chat"];
    expect(&chat["chat_id"]).to_equal(&chat_id)?;
    expect(&chat["partner"]).to_equal(alice.as_partner(0, 0))?;
    expect(&chat["visible"]).to_equal(json!([{ "from": 1 }]))?;
    expect(&chat["unread_count"]).to_equal(0)?;
    check(chat.get("last_entry").is_none(), || ("the chat as it was before its first message", chat.to_string()))?;

    let events = alice.has_caught_up(&mut alices).await?;
    expect(names(&events)).to_equal(["chat_added", "message_created", "message_created"])
}

async fn both_may_open_a_chat_before_its_first_message(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut bobs = bob.connects().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    expect(bob.opens_direct_chat_with(&alice).await?).to_equal(&chat_id)?;
    expect(names(&bob.has_caught_up(&mut bobs).await?)).to_equal(["chat_added"])?;
    expect(ids(list_at(&bob.reads("/v1/chats").await?, "items")?)).to_equal([&chat_id])?;
    // It was added already, so that the first message comes alone.
    alice.sends(&chat_id, &Draft::new("hello")).await?;
    let mut events = bob.has_caught_up(&mut bobs).await?;
    // Of the first barrier.
    events.retain(|event| event["event"] != "session_ended");
    expect(names(&events)).to_equal(["chat_added", "message_created"])
}

async fn the_list_has_the_chat_with_the_latest_entry_first(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let with_bob = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    let with_dave = alice.opens_direct_chat_with(&dave).await?;
    expect(listed(&alice).await?).to_equal([&with_dave, &with_carol, &with_bob])?;
    let sent = alice.sends(&with_bob, &Draft::new("first")).await?;
    expect(listed(&alice).await?).to_equal([&with_bob, &with_dave, &with_carol])?;
    expect(&alice.chat(&with_bob).await?["last_entry"]["message_id"]).to_equal(&sent["message_id"])?;
    // An entry of the partner counts like one's own.
    carol.opens_direct_chat_with(&alice).await?;
    carol.sends(&with_carol, &Draft::new("second")).await?;
    expect(listed(&alice).await?).to_equal([&with_carol, &with_bob, &with_dave])
}

async fn the_list_is_read_page_by_page(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    for partner in [&bob, &carol, &dave] {
        alice.opens_direct_chat_with(partner).await?;
    }
    let whole = alice.reads("/v1/chats").await?;
    check(whole.get("next").is_none(), || ("no next where nothing follows", whole.to_string()))?;
    let whole = list_at(&whole, "items")?;
    check(whole.len() == 3, || ("three chats", format!("{}", whole.len())))?;
    for (limit, sizes) in [(1, vec![1, 1, 1]), (2, vec![2, 1]), (3, vec![3]), (4, vec![3])] {
        let pages = alice.reads_pages(&format!("/v1/chats?limit={limit}"), "after").await?;
        let got: Vec<_> = pages.iter().map(|page| page["items"].as_array().map_or(0, Vec::len)).collect();
        expect(got).to_equal(sizes)?;
        expect(items_of(&pages)?).to_equal(whole)?;
        for page in &pages {
            text_at(page, "cursor")?;
        }
    }
    Ok(())
}

async fn a_list_read_while_others_write_shows_nothing_twice(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let mut chats = Vec::new();
    for partner in [&bob, &carol, &dave] {
        let chat_id = alice.opens_direct_chat_with(partner).await?;
        alice.says(&chat_id, ["hello"]).await?;
        chats.push(chat_id);
    }
    let first = alice.reads("/v1/chats?limit=1").await?;
    let cursor = text_at(&first, "cursor")?;
    // The oldest chat moves to the front between two pages.
    let oldest = chats.first().cloned().unwrap_or_default();
    let moved = bob.sends(&oldest, &Draft::new("again")).await?;
    let next = text_at(&first, "next")?;
    let rest = alice.reads_pages(&format!("/v1/chats?limit=1&after={next}"), "after").await;
    let mut shown = ids(&items_of(&[vec![first], rest?].concat())?);
    let count = shown.len();
    shown.sort_unstable();
    shown.dedup();
    check(shown.len() == count, || ("each chat at most once", format!("{count} items of {} chats", shown.len())))?;
    for stayed in chats.iter().skip(1) {
        check(shown.contains(stayed), || (format!("the chat {stayed}, which stayed"), shown.join(", ")))?;
    }
    // What was missed comes as an event after the first page's cursor.
    let events = alice.reads(format!("/v1/events?cursor={cursor}")).await?;
    let came = list_at(&events, "events")?;
    let came: Vec<_> = messages_in(came).iter().map(|message| message["message_id"].clone()).collect();
    check(came.contains(&moved["message_id"]), || {
        (format!("the event of {}", moved["message_id"]), json!(came).to_string())
    })
}

async fn a_limit_out_of_bounds_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let most = world.limits().max_page_items;
    for path in ["/v1/chats".to_owned(), format!("/v1/chats/{chat_id}/entries")] {
        for good in [1, most] {
            alice.reads(format!("{path}?limit={good}")).await?;
        }
        let beyond = (most + 1).to_string();
        for bad in ["0", "-1", &beyond, "1.5", "ten", "", "99999999999999999999999"] {
            let answer = alice.get(format!("{path}?limit={bad}")).send().await?;
            names_field(&answer, "limit")?;
        }
    }
    Ok(())
}

async fn a_chat_of_others_answers_as_one_that_does_not_exist(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let sent = alice.sends(&chat_id, &Draft::new("between us")).await?;
    let message_id = text_at(&sent, "message_id")?;
    let missing = missing_id();
    let with_message = |chat_id: &str| {
        let mut all = paths(chat_id);
        all.push(format!("{}/{message_id}", messages_of(chat_id)));
        all
    };
    for (foreign, missing) in with_message(&chat_id).into_iter().zip(with_message(&missing)) {
        // For whom it is there, it is there.
        alice.reads(foreign.clone()).await?;
        let foreign = carol.get(foreign).header("X-Request-Id", "same").send().await?;
        let missing = carol.get(missing).header("X-Request-Id", "same").send().await?;
        foreign.refused_with(ErrorCode::ChatNotFound)?;
        answers_alike(&foreign, &missing)?;
    }
    let draft = Draft::new("may I?");
    let foreign = carol.sending(&chat_id, &draft).header("X-Request-Id", "same").send().await?;
    let unknown = carol.sending(&missing, &draft).header("X-Request-Id", "same").send().await?;
    foreign.refused_with(ErrorCode::ChatNotFound)?;
    answers_alike(&foreign, &unknown)?;

    let mut socket = carol.connects().await?;
    let mut told = Vec::new();
    for (id, chat) in [("foreign", &chat_id), ("missing", &missing)] {
        socket.sends(&draft.frame_with_id(id, chat)).await?;
        let mut answer = socket.answered(id).await?;
        crate::client::socket::error_code(&answer, ErrorCode::ChatNotFound)?;
        answer["error"]["request_id"].take();
        told.push(answer["error"].take());
    }
    expect(told.first()).to_equal(told.last())?;
    socket.closes().await?;
    check(socket.closed().await?.code != Some(CloseCode::BadFrame.number()), || ("an orderly end", "4000"))?;
    // Nothing of it has reached the chat.
    let history = alice.history(&chat_id).await?;
    check(history.len() == 1, || ("one entry", format!("{}", history.len())))
}

async fn unread_messages_are_those_of_others(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    expect(&alice.chat(&chat_id).await?["unread_count"]).to_equal(0)?;
    alice.says(&chat_id, ["one", "two", "three"]).await?;
    expect(&alice.chat(&chat_id).await?["unread_count"]).to_equal(0)?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(3)?;
    // Sending moves no watermark.
    bob.says(&chat_id, ["four"]).await?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(3)?;
    expect(&alice.chat(&chat_id).await?["unread_count"]).to_equal(1)?;
    let listed = bob.reads("/v1/chats").await?;
    expect(&listed["items"][0]).to_equal(bob.chat(&chat_id).await?)?;
    expect(&listed["items"][0]["last_entry"]["content"]["text"]).to_equal("four")
}

async fn unread_messages_are_counted_up_to_a_maximum(world: &World) -> Verdict {
    let most = world.limits().max_unread_count;
    let count = usize::try_from(most).ok().filter(|count| *count <= 3000);
    let count = count.ok_or_else(|| Stop::skipped(format!("writing {most} messages takes too long")))?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.writes_many(&chat_id, count - 1).await?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(most - 1)?;
    alice.says(&chat_id, ["one more"]).await?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(most)?;
    alice.says(&chat_id, ["and more"]).await?;
    expect(&bob.chat(&chat_id).await?["unread_count"]).to_equal(most)?;
    expect(&bob.chat(&chat_id).await?["last_entry"]["seq"]).to_equal(most + 1)
}

/// A well-formed id that the server has never made.
pub(super) fn missing_id() -> String {
    let id = Uuid::new_v4().to_string();
    // The version is the fifteenth character.
    format!("{}7{}", id.get(..14).unwrap_or_default(), id.get(15..).unwrap_or_default())
}

/// The two answers are the same, byte for byte, apart from the time and what the transport adds. (ERR-6)
pub(super) fn answers_alike(one: &Answer, other: &Answer) -> Verdict {
    let seen = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.retain(|(name, _)| name != "date");
        (answer.status, headers, answer.body.clone())
    };
    check(seen(one) == seen(other), || (format!("the same as {other}"), one.to_string()))
}

/// `invalid_request` that names this field. (ERR-4)
pub(super) fn names_field(answer: &Answer, field: &str) -> Verdict {
    let problem = answer.refused_with(ErrorCode::InvalidRequest)?;
    let fields = problem["fields"].as_array().cloned().unwrap_or_default();
    check(fields.iter().any(|entry| entry["field"] == field), || {
        (format!("invalid_request for the field {field}"), answer.to_string())
    })
}

/// The names of events, in order.
pub(super) fn names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

fn ids(chats: &[Value]) -> Vec<String> {
    chats.iter().filter_map(|chat| chat["chat_id"].as_str()).map(str::to_owned).collect()
}

fn paths(chat_id: &str) -> Vec<String> {
    vec![format!("/v1/chats/{chat_id}"), format!("/v1/chats/{chat_id}/entries")]
}

async fn listed(user: &User) -> Verdict<Vec<String>> {
    Ok(ids(list_at(&user.reads("/v1/chats").await.in_setup("listing chats")?, "items")?))
}
