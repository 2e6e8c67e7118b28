//! Who is typing. (PRS-10 to PRS-12)

use i9chat_spec::{ErrorCode, FieldCode, Profile};
use serde_json::{Value, json};

use super::limits::refuses_field;
use crate::{
    cases,
    client::{
        Socket,
        socket::{error_code, reply_data},
    },
    expect::{check, expect, text_at},
    verdict::{InSetup, Stop, Verdict},
    world::{User, World},
};

cases! { Presence:
    typing_is_told_to_every_connection_of_the_other ["PRS-10", "PRS-11", "PRS-9"],
    typing_is_told_to_nobody_else ["PRS-11"],
    a_partner_who_was_not_shown_the_chat_hears_nothing ["PRS-11", "CHT-2"],
    typing_where_one_may_not_is_refused ["PRS-10", "ERR-6"],
    typing_in_a_group_is_for_members ["PRS-10", "PRS-11"],
    typing_in_a_large_group_is_told_to_nobody ["PRS-12"],
    typing_is_limited_by_its_rate ["PRS-12", "ERR-7", "CAP-2"],
    typing_is_not_in_the_log ["PRS-9", "LOG-3"],
}

/// Says that the connection's user is typing, and answers the frame that answers it.
async fn asks_to_type(socket: &mut Socket, chat_id: &str) -> Verdict<Value> {
    let id = format!("typing-{}", rand::random::<u64>());
    socket.asks(&id, "set_typing", &json!({ "chat_id": chat_id })).await
}

/// Types, which must be answered with `{}`. (PRS-10)
async fn types(socket: &mut Socket, chat_id: &str) -> Verdict {
    expect(reply_data(&asks_to_type(socket, chat_id).await?)?).to_equal(json!({}))
}

/// Who was heard typing so far, in order.
fn heard_typing(socket: &Socket) -> Vec<Value> {
    let typing = socket.events().iter().filter(|event| event["event"] == "typing");
    typing.map(|event| event["data"]["user"]["username"].clone()).collect()
}

/// A direct chat that both have been shown. Inconclusive when that does not work.
async fn talk(one: &User, other: &User) -> Verdict<String> {
    let chat_id = one.opens_direct_chat_with(other).await?;
    one.says(&chat_id, ["hello"]).await?;
    Ok(chat_id)
}

async fn typing_is_told_to_every_connection_of_the_other(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = talk(&alice, &bob).await?;
    let phone = bob.signs_in_again().await?;
    let mut typing = alice.connects().await?;
    let mut hearing = [bob.connects().await?, bob.connects().await?, phone.connects().await?];
    for _ in 0..3 {
        types(&mut typing, &chat_id).await?;
        for socket in &mut hearing {
            let event = socket.event("typing").await?;
            let expires_in_ms = world.lifetimes().typing_expires_ms;
            let wanted = json!({ "chat_id": chat_id, "user": alice.as_value(), "expires_in_ms": expires_in_ms });
            expect(&event["data"]).to_equal(wanted)?;
            check(event.get("cursor").is_none(), || ("an event without a cursor", event.to_string()))?;
        }
    }
    Ok(())
}

async fn typing_is_told_to_nobody_else(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let with_bob = talk(&alice, &bob).await?;
    let with_carol = talk(&carol, &alice).await?;
    let bobs_with_carol = talk(&bob, &carol).await?;
    let mut typing = alice.connects().await?;
    let mut own = alice.signs_in_again().await?.connects().await?;
    let (mut bobs, mut carols) = (bob.connects().await?, carol.connects().await?);
    types(&mut typing, &with_bob).await?;
    bobs.event("typing").await?;
    // What Carol and Alice's own connections hear next is what is said next.
    types(&mut bobs, &bobs_with_carol).await?;
    carols.event("typing").await?;
    expect(heard_typing(&carols)).to_equal([&bob.username])?;
    types(&mut carols, &with_carol).await?;
    for socket in [&mut typing, &mut own] {
        socket.event("typing").await?;
        expect(heard_typing(socket)).to_equal([&carol.username])?;
    }
    Ok(())
}

async fn a_partner_who_was_not_shown_the_chat_hears_nothing(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let other_chat = talk(&carol, &bob).await?;
    let (mut typing, mut bobs, mut carols) = (alice.connects().await?, bob.connects().await?, carol.connects().await?);
    types(&mut typing, &chat_id).await?;
    types(&mut carols, &other_chat).await?;
    bobs.event("typing").await?;
    expect(heard_typing(&bobs)).to_equal([&carol.username])?;
    // Bob may not type there either: for him there is no such chat yet.
    error_code(&asks_to_type(&mut bobs, &chat_id).await?, ErrorCode::ChatNotFound)?;
    // With the first message it is shown, and from then on it is told.
    alice.says(&chat_id, ["hello"]).await?;
    bobs.event("message_created").await?;
    types(&mut typing, &chat_id).await?;
    let event = bobs.event("typing").await?;
    expect(&event["data"]["chat_id"]).to_equal(&chat_id)
}

async fn typing_where_one_may_not_is_refused(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = talk(&alice, &bob).await?;
    let (mut bobs, mut carols) = (bob.connects().await?, carol.connects().await?);
    let mut problems = Vec::new();
    for id in [super::super::chats::missing_id(), chat_id.clone()] {
        let mut answer = asks_to_type(&mut carols, &id).await?;
        error_code(&answer, ErrorCode::ChatNotFound)?;
        for name in ["id", "request_id"] {
            answer[name].take();
            answer["error"][name].take();
        }
        problems.push(answer);
    }
    // One that there is not looks as one of others.
    expect(&problems[0]).to_equal(&problems[1])?;
    for (data, code) in [
        (json!({}), FieldCode::Missing),
        (json!({ "chat_id": 7 }), FieldCode::WrongType),
        (json!({ "chat_id": "chat" }), FieldCode::BadFormat),
        (json!({ "chat_id": chat_id.to_uppercase() }), FieldCode::BadFormat),
    ] {
        let answer = carols.asks("wrong", "set_typing", &data).await?;
        refuses_field(&answer, "chat_id", code)?;
    }
    // Bob hears of who may, and of nobody else.
    let mut alices = alice.connects().await?;
    types(&mut alices, &chat_id).await?;
    bobs.event("typing").await?;
    expect(heard_typing(&bobs)).to_equal([&alice.username])
}

async fn typing_in_a_group_is_for_members(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let club = world.club().await?;
    let chat_id = &club.chat_id;
    let mut typing = club.admin.connects().await?;
    let mut member = club.member.connects().await?;
    let outside = [&club.left, &club.removed, &club.stranger];
    let mut outsiders = Vec::new();
    for user in outside {
        let mut socket = user.connects().await?;
        error_code(&asks_to_type(&mut socket, chat_id).await?, ErrorCode::NotMember)?;
        outsiders.push(socket);
    }
    types(&mut typing, chat_id).await?;
    let event = member.event("typing").await?;
    expect(&event["data"]["chat_id"]).to_equal(chat_id)?;
    expect(&event["data"]["user"]).to_equal(club.admin.as_value())?;
    // The member heard of the admin alone; the others hear of a chat of their own before anything of the group.
    expect(heard_typing(&member)).to_equal([&club.admin.username])?;
    for (user, socket) in outside.into_iter().zip(&mut outsiders) {
        let own = talk(&club.member, user).await?;
        types(&mut member, &own).await?;
        socket.event("typing").await?;
        expect(heard_typing(socket)).to_equal([&club.member.username])?;
    }
    Ok(())
}

async fn typing_in_a_large_group_is_told_to_nobody(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let most = usize::try_from(world.limits().receipt_fanout_members).unwrap_or(usize::MAX);
    let [alice, bob] = world.users().await?;
    let crowd = world.crowd(most.saturating_sub(1)).await?;
    let at_once = usize::try_from(world.limits().max_members_per_call).unwrap_or(1).max(1);
    let chat_id = alice.founds("a large group", [&bob]).await?;
    for some in crowd.chunks(at_once) {
        alice.adds(&chat_id, some).await?;
    }
    let with_bob = talk(&alice, &bob).await?;
    let (mut typing, mut bobs) = (alice.connects().await?, bob.connects().await?);
    types(&mut typing, &chat_id).await?;
    types(&mut typing, &with_bob).await?;
    let event = bobs.event("typing").await?;
    expect(&event["data"]["chat_id"]).to_equal(&with_bob)?;
    // With one member less it is small enough.
    let Some(one) = crowd.first() else { return Err(Stop::Inconclusive("the crowd is empty".to_owned())) };
    alice.removes(&chat_id, one).await?;
    types(&mut typing, &chat_id).await?;
    let event = bobs.event("typing").await?;
    expect(&event["data"]["chat_id"]).to_equal(&chat_id)
}

async fn typing_is_limited_by_its_rate(world: &World) -> Verdict {
    const MOST: u64 = 500;
    let (burst, rate) = (world.limits().typing_burst, world.limits().typing_per_second);
    if burst + 10 * rate > MOST {
        return Err(Stop::skipped(format!("typing {burst} times at once and {rate} a second is too much to try")));
    }
    let [alice, bob] = world.users().await?;
    let chat_id = talk(&alice, &bob).await?;
    let mut typing = alice.connects().await?;
    for _ in 0..burst {
        types(&mut typing, &chat_id).await?;
    }
    let mut refused = None;
    for _ in 0..=10 * rate {
        let answer = asks_to_type(&mut typing, &chat_id).await?;
        if answer["type"] == "error" {
            refused = Some(answer);
            break;
        }
    }
    let Some(refused) = refused else {
        return Err(Stop::failed(format!("rate_limited after {burst} at once"), "all of them granted"));
    };
    error_code(&refused, ErrorCode::RateLimited)?;
    expect(&refused["error"]["retry_after_ms"]).to_be_within(1, 60_000)?;
    // The connection goes on and may do everything else; another one of the same user may type.
    typing.catches_up().await?;
    types(&mut alice.connects().await?, &chat_id).await
}

async fn typing_is_not_in_the_log(world: &World) -> Verdict {
    world.needs(Profile::Resume)?;
    let [alice, bob] = world.users().await?;
    let chat_id = talk(&alice, &bob).await?;
    let (mut typing, mut hearing) = (alice.connects().await?, bob.connects().await?);
    let cursor = text_at(&hearing.hello, "cursor")?;
    types(&mut typing, &chat_id).await?;
    hearing.event("typing").await?;
    alice.says(&chat_id, ["typed"]).await?;
    let read = bob.get(format!("/v1/events?cursor={cursor}")).send().await?.succeeded(200)?;
    let names: Vec<_> = read["events"].as_array().into_iter().flatten().map(|event| event["event"].clone()).collect();
    expect(names).to_equal(["message_created"])?;
    let mut resumed = bob.resumes(&cursor).await?;
    let came = bob.has_caught_up(&mut resumed).await.in_setup("reading a resume")?;
    let names: Vec<_> = came.iter().map(|event| event["event"].clone()).collect();
    expect(names).to_equal(["message_created"])
}
