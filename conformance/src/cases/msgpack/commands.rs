//! The whole of the protocol in MessagePack: what is done in one encoding is seen in the other. (CNV-4)

use i9chat_spec::{Format, Profile};
use serde_json::{Value, json};

use super::{both_alike, in_format};
use crate::{
    cases,
    client::{Client, Request},
    expect::{check, expect, text_at},
    verdict::{InSetup, Verdict},
    world::{
        User, World,
        conversation::{Draft, messages_of},
        group::{GroupDraft, group_path},
        marks::reaction_to,
        media::{Place, Plan, image_of, media_path},
        patiently,
    },
};

cases! { Msgpack:
    a_password_is_reset_in_messagepack ["CNV-2", "CNV-4", "ACC-13"],
    a_profile_is_changed_and_found_in_messagepack ["CNV-4", "CNV-5", "USR-4", "USR-8"],
    a_group_is_run_in_messagepack ["CNV-4", "GRP-1", "GRP-8", "GRP-10", "GRP-12"],
    receipts_and_reactions_are_the_same_in_messagepack ["CNV-4", "RCP-5", "REA-1"],
    media_goes_up_and_is_shown_in_messagepack ["CNV-4", "MED-4", "MED-13", "MED-22", "MSG-14"],
}

/// Asks with a body in MessagePack, and answers the value, which must come in MessagePack.
async fn packed(client: &Client, method: &str, path: impl Into<String>, body: &Value, status: u16) -> Verdict<Value> {
    let request = client.request(method, path).encoded(Format::MessagePack, body);
    in_format(&patiently(request).await?, Format::MessagePack, status)
}

/// Asks without a body for an answer in MessagePack.
async fn bare(request: Request, status: u16) -> Verdict<Value> {
    in_format(&patiently(request.accept(Format::MessagePack)).await?, Format::MessagePack, status)
}

async fn a_password_is_reset_in_messagepack(world: &World) -> Verdict {
    let alice = world.user().await?;
    let newcomer = world.newcomer().with_email(&alice.email);
    let client = &newcomer.client;
    let seen = world.target().mail().seen(&alice.email).await;
    let asked = packed(client, "POST", "/v1/password-reset", &json!({ "email": alice.email }), 202).await?;
    let code = newcomer.reads_code(&seen).await?;
    let body = json!({ "ticket": asked["ticket"], "code": code });
    let verified = packed(client, "POST", "/v1/password-reset/verify", &body, 200).await?;
    let body = json!({ "ticket": verified["ticket"], "password": newcomer.password });
    let last = client.request("POST", "/v1/password-reset/complete").encoded(Format::MessagePack, &body);
    patiently(last).await?.succeeded_without_body()?;
    let body = json!({ "login": alice.username, "password": newcomer.password });
    client.post("/v1/sessions", &body).send().await?.succeeded(201)?;
    Ok(())
}

async fn a_profile_is_changed_and_found_in_messagepack(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let [alice, bob] = world.users().await?;
    let location = json!({ "lat": 12.5, "lon": -34.25 });
    let body = json!({ "bio": "packed \u{1f4e6}", "location": location });
    let changed = packed(&alice, "PATCH", "/v1/me", &body, 200).await?;
    expect(&changed["location"]).to_equal(&location)?;
    expect(alice.reads("/v1/me").await?).to_equal(&changed)?;
    // What is left out stays, and nil takes a value away.
    let changed = packed(&alice, "PATCH", "/v1/me", &json!({ "bio": null }), 200).await?;
    expect([&changed["bio"], &changed["location"]]).to_equal([&json!(""), &location])?;
    for path in [
        "/v1/users?near=12.5,-34.25".to_owned(),
        "/v1/users?near=0,0&radius_m=1000&limit=1".to_owned(),
        format!("/v1/users/{}", alice.username),
    ] {
        both_alike(&bob.get(path), 200).await?;
    }
    both_alike(&alice.get("/v1/me"), 200).await?;
    both_alike(&alice.request("PATCH", "/v1/me").json(&json!({ "bio": "again" })), 200).await?;
    Ok(())
}

async fn a_group_is_run_in_messagepack(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, carol] = world.users().await?;
    let cursor = alice.present_cursor().await.in_setup("asking for the cursor")?;
    let draft = GroupDraft::new("packed \u{1f4e6}").with([&bob]);
    let created = packed(&alice, "POST", "/v1/groups", &draft.body(), 201).await?;
    let chat_id = text_at(&created, "chat_id")?;
    // The same command in JSON is the same command.
    expect(patiently(alice.creating(&draft)).await?.succeeded(201)?).to_equal(&created)?;
    let changed = packed(&alice, "PATCH", group_path(&chat_id, ""), &json!({ "description": "two" }), 200).await?;
    expect(&changed["description"]).to_equal("two")?;
    let body = json!({ "usernames": [carol.username, bob.username] });
    let added = packed(&alice, "POST", group_path(&chat_id, "/members"), &body, 200).await?;
    let codes: Vec<_> = added["results"].as_array().into_iter().flatten().map(|result| result.get("code")).collect();
    expect(codes).to_equal([None, Some("already_member")])?;
    carol.leaves(&chat_id).await?;
    let joined = bare(carol.joining(&chat_id), 200).await?;
    expect(&joined["chat"]["membership"]).to_equal("member")?;
    for user in [&alice, &carol] {
        for path in [
            group_path(&chat_id, ""),
            group_path(&chat_id, "/members"),
            group_path(&chat_id, "/members?limit=1"),
            format!("/v1/chats/{chat_id}"),
            format!("/v1/chats/{chat_id}/entries"),
            "/v1/chats".to_owned(),
            format!("/v1/chats?changed_since={cursor}"),
            format!("/v1/events?cursor={cursor}"),
        ] {
            both_alike(&user.get(path), 200).await?;
        }
    }
    Ok(())
}

async fn receipts_and_reactions_are_the_same_in_messagepack(world: &World) -> Verdict {
    for profile in [Profile::Receipts, Profile::Reactions] {
        world.needs(profile)?;
    }
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let sent = alice.says(&chat_id, ["one", "two"]).await?;
    let message_id = text_at(&sent[0], "message_id")?;
    let mark = json!({ "marks": [{ "chat_id": chat_id, "delivered": 2, "read": 1 }] });
    let marked = packed(&bob, "POST", "/v1/receipts", &mark, 200).await?;
    expect(&marked["results"][0]["state"]).to_equal(json!({ "delivered": 2, "read": 1, "unread_count": 1 }))?;
    let path = reaction_to(&chat_id, &message_id);
    let reacted = packed(&bob, "PUT", &path, &json!({ "emoji": "\u{1f44d}\u{1f3fd}" }), 200).await?;
    expect(&reacted["reactions"]).to_equal(json!([{ "emoji": "\u{1f44d}\u{1f3fd}", "count": 1 }]))?;
    let reply = json!({ "client_id": Draft::new("").client_id, "content": { "kind": "text", "text": "yes" }, "reply_to": message_id });
    packed(&bob, "POST", messages_of(&chat_id), &reply, 201).await?;
    let message = format!("{}/{message_id}", messages_of(&chat_id));
    for path in [
        message.clone(),
        format!("{message}/receipts"),
        format!("{message}/reactions"),
        format!("/v1/chats/{chat_id}/receipts"),
        format!("/v1/chats/{chat_id}/entries"),
        format!("/v1/chats/{chat_id}"),
    ] {
        for user in [&alice, &bob] {
            both_alike(&user.get(&path), 200).await?;
        }
    }
    let removed = bare(bob.unreacting(&chat_id, &message_id), 200).await?;
    check(removed["reactions"].as_array().is_none_or(Vec::is_empty), || ("no reactions", removed.to_string()))
}

/// Uploads all of it, asking in MessagePack.
async fn uploads_packed(user: &User, plan: &Plan) -> Verdict<String> {
    let stated = packed(user, "POST", "/v1/uploads", &plan.body(), 201).await?;
    for (target, part) in stated["parts"].as_array().into_iter().flatten().zip(&plan.parts) {
        let place = Place::resolve(user, "/v1/uploads", &text_at(target, "upload_url")?)?;
        place.takes(&part.content_type, &part.bytes).await.in_setup("uploading")?;
    }
    let media_id = text_at(&stated, "media_id")?;
    let complete = bare(user.completing(&media_id), 200).await?;
    expect(&complete["parts"]).to_equal(plan.stated_parts())?;
    both_alike(&user.completing(&media_id), 200).await?;
    Ok(media_id)
}

async fn media_goes_up_and_is_shown_in_messagepack(world: &World) -> Verdict {
    world.needs(Profile::Media)?;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let plan = Plan::image();
    let media_id = uploads_packed(&alice, &plan).await?;
    let body = json!({ "client_id": Draft::new("").client_id, "content": image_of(&media_id) });
    let sent = packed(&alice, "POST", messages_of(&chat_id), &body, 201).await?;
    expect(patiently(alice.post(messages_of(&chat_id), &body)).await?.succeeded(201)?).to_equal(&sent)?;
    let path = format!("{}/{}", messages_of(&chat_id), text_at(&sent, "message_id")?);
    let shown = both_alike(&bob.get(path), 200).await?;
    expect(&shown["content"]["items"][0]["media"]).to_equal(plan.as_attachment(&media_id))?;
    let path = media_path(&media_id, "original");
    let link = bare(bob.get(&path), 200).await?;
    let came = Place::resolve(&bob, &path, &text_at(&link, "url")?)?.get().send().await?;
    came.has_status(200)?;
    check(came.body == plan.parts[0].bytes, || ("the bytes that were uploaded", "others"))
}
