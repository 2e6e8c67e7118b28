//! Pictures of profiles and groups. (USR-5, GRP-2, GRP-8, MED-18, MED-20)

use i9chat_spec::{ErrorCode, Profile};
use serde_json::{Value, json};

use super::{
    super::users::{
        earth::Place,
        nearby::{finds, settles},
    },
    no_media,
};
use crate::{
    cases,
    expect::{check, expect},
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World,
        group::{GroupDraft, group_path},
        media::{Plan, files},
        patiently,
    },
};

cases! { Media:
    a_profile_shows_its_picture_to_everyone ["USR-5", "USR-2", "USR-4", "MED-20"],
    a_picture_is_shown_to_those_nearby ["USR-8", "USR-5"],
    a_picture_may_be_named_again ["USR-5", "USR-4", "MED-19"],
    what_is_no_picture_of_ones_own_is_not_usable_for_a_profile ["USR-5", "MED-18", "ERR-5"],
    an_earlier_picture_of_a_profile_is_its_owners_alone ["MED-20", "ERR-6"],
    a_group_shows_its_pictures_to_everyone ["GRP-2", "GRP-8", "MED-20"],
    what_is_no_picture_of_ones_own_is_not_usable_for_a_group ["GRP-2", "MED-18", "ERR-5"],
}

/// The bytes of one part of a plan.
fn bytes_of<'p>(plan: &'p Plan, part: &str) -> &'p [u8] {
    plan.parts.iter().find(|found| found.part == part).map(|found| found.bytes.as_slice()).unwrap_or_default()
}

/// All parts are read by this user.
async fn sees(user: &User, plan: &Plan, media_id: &str) -> Verdict {
    for part in &plan.parts {
        user.reads_media(media_id, part.part, &part.bytes).await?;
    }
    Ok(())
}

async fn shows(user: &User, picture_id: &Value) -> Verdict<Value> {
    patiently(user.patch("/v1/me", &json!({ "picture_id": picture_id }))).await?.succeeded(200)
}

async fn a_profile_shows_its_picture_to_everyone(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let [alice, bob] = world.users().await?;
    let plan = Plan::picture("profile_picture");
    let media_id = alice.uploads(&plan).await?;
    let mut socket = alice.connects().await?;
    // Until a profile shows it, it is the uploader's own.
    bob.reads_no_media(&media_id, "small").await?;
    let me = shows(&alice, &json!(media_id)).await?;
    expect(&me["picture_id"]).to_equal(&media_id)?;
    let event = socket.event("profile_changed").await?;
    expect(&event["data"]).to_equal(json!({ "bio": "", "picture_id": media_id }))?;
    let profile = bob.reads(format!("/v1/users/{}", alice.username)).await?;
    expect(&profile["picture_id"]).to_equal(&media_id)?;
    sees(&bob, &plan, &media_id).await?;
    let me = shows(&alice, &Value::Null).await?;
    check(me.get("picture_id").is_none(), || ("no picture", me.to_string()))?;
    let event = socket.event("profile_changed").await?;
    expect(&event["data"]).to_equal(json!({ "bio": "" }))?;
    let profile = bob.reads(format!("/v1/users/{}", alice.username)).await?;
    check(profile.get("picture_id").is_none(), || ("no picture", profile.to_string()))?;
    bob.reads_no_media(&media_id, "small").await
}

async fn a_picture_is_shown_to_those_nearby(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let [alice, bob] = world.users().await?;
    let media_id = alice.uploads(&Plan::picture("profile_picture")).await?;
    let place = Place::somewhere();
    settles(&alice, place).await?;
    let shown = async || {
        let found = finds(&bob, place, "").await?;
        // Whoever else may be there has other pictures, or none.
        let of_alice = found.iter().find(|item| item["username"] == alice.username.as_str());
        let of_alice = of_alice.ok_or_else(|| Stop::failed("Alice among those found", json!(found).to_string()))?;
        Ok::<_, Stop>(of_alice.get("picture_id").cloned())
    };
    expect(shown().await?).to_equal(None::<String>)?;
    shows(&alice, &json!(media_id)).await?;
    expect(shown().await?).to_equal(&media_id)?;
    shows(&alice, &Value::Null).await?;
    expect(shown().await?).to_equal(None::<String>)
}

async fn a_picture_may_be_named_again(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let alice = world.user().await?;
    let [one, other] = [
        alice.uploads(&Plan::picture("profile_picture")).await?,
        alice.uploads(&Plan::picture("profile_picture")).await?,
    ];
    let mut socket = alice.connects().await?;
    shows(&alice, &json!(one)).await?;
    shows(&alice, &json!(one)).await?;
    patiently(alice.patch("/v1/me", &json!({ "bio": "", "picture_id": one }))).await?.succeeded(200)?;
    expect(alice.has_caught_up(&mut socket).await?.len()).to_equal(1)?;
    // Another one, and back to the first.
    shows(&alice, &json!(other)).await?;
    let me = shows(&alice, &json!(one)).await?;
    expect(&me["picture_id"]).to_equal(&one)?;
    expect(alice.has_caught_up(&mut socket).await?.len()).to_equal(3)
}

/// Media of every way in which it is not usable for a purpose, with what is wrong with it.
async fn unusable(world: &World, alice: &User, purpose: &'static str) -> Verdict<Vec<(&'static str, String)>> {
    let bob = world.user().await?;
    let other_purpose = if purpose == "profile_picture" { "group_picture" } else { "profile_picture" };
    let mut script = Plan::picture(purpose);
    for part in &mut script.parts {
        part.bytes = files::noise(300);
    }
    let rejected = alice.sends_media(&script).await?;
    patiently(alice.completing(&rejected)).await?.refused_with(ErrorCode::MediaRejected).in_setup("rejecting")?;
    Ok(vec![
        ("media that does not exist", no_media()),
        ("media of another user", bob.uploads(&Plan::picture(purpose)).await?),
        ("media for another purpose", alice.uploads(&Plan::picture(other_purpose)).await?),
        ("an image for messages", alice.uploads(&Plan::image()).await?),
        ("an upload that was stated", alice.states(&Plan::picture(purpose)).await.in_setup("stating")?.media_id),
        ("an upload that was not completed", alice.sends_media(&Plan::picture(purpose)).await?),
        ("an upload that was rejected", rejected),
    ])
}

async fn what_is_no_picture_of_ones_own_is_not_usable_for_a_profile(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let alice = world.user().await?;
    let kept = alice.uploads(&Plan::picture("profile_picture")).await?;
    let before = shows(&alice, &json!(kept)).await?;
    let wrong = unusable(world, &alice, "profile_picture").await?;
    let mut socket = alice.connects().await?;
    for (what, media_id) in wrong {
        let answer = patiently(alice.patch("/v1/me", &json!({ "bio": what, "picture_id": media_id }))).await?;
        answer.refused_with(ErrorCode::MediaNotUsable)?;
    }
    expect(alice.reads("/v1/me").await?).to_equal(&before)?;
    expect(alice.has_caught_up(&mut socket).await?).to_equal(json!([]))
}

async fn an_earlier_picture_of_a_profile_is_its_owners_alone(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let [alice, bob] = world.users().await?;
    let [earlier, later] = [Plan::picture("profile_picture"), Plan::picture("profile_picture")];
    let (first, second) = (alice.uploads(&earlier).await?, alice.uploads(&later).await?);
    shows(&alice, &json!(first)).await?;
    sees(&bob, &earlier, &first).await?;
    shows(&alice, &json!(second)).await?;
    bob.reads_no_media(&first, "large").await?;
    sees(&bob, &later, &second).await?;
    alice.reads_media(&first, "large", bytes_of(&earlier, "large")).await
}

async fn a_group_shows_its_pictures_to_everyone(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob, stranger] = world.users().await?;
    let [earlier, later] = [Plan::picture("group_picture"), Plan::picture("group_picture")];
    let (first, second) = (alice.uploads(&earlier).await?, alice.uploads(&later).await?);
    stranger.reads_no_media(&first, "small").await?;
    let mut body = GroupDraft::new("with a picture").with([&bob]).body();
    body["picture_id"] = json!(first);
    let created = patiently(alice.post("/v1/groups", &body)).await?.succeeded(201)?;
    let chat_id = crate::expect::text_at(&created, "chat_id")?;
    for user in [&alice, &bob, &stranger] {
        expect(&user.group(&chat_id).await?["picture_id"]).to_equal(&first)?;
        sees(user, &earlier, &first).await?;
    }
    stranger.reads_no_media(&second, "small").await?;
    let mut socket = bob.connects().await?;
    let group = alice.changes(&chat_id, &json!({ "picture_id": second })).await?;
    expect(&group["picture_id"]).to_equal(&second)?;
    let activity = socket.event("group_activity").await?["data"]["activity"].take();
    let told = [&activity["kind"], &activity["from"], &activity["to"]];
    expect(told).to_equal(["picture_changed", first.as_str(), second.as_str()])?;
    // What the history of the group tells of can be seen: the earlier one, too, and after the last was taken away.
    let group = alice.changes(&chat_id, &json!({ "picture_id": null })).await?;
    check(group.get("picture_id").is_none(), || ("no picture", group.to_string()))?;
    for user in [&alice, &bob, &stranger] {
        sees(user, &earlier, &first).await?;
        sees(user, &later, &second).await?;
    }
    Ok(())
}

async fn what_is_no_picture_of_ones_own_is_not_usable_for_a_group(world: &World) -> Verdict {
    world.needs(Profile::Groups)?;
    let [alice, bob] = world.users().await?;
    let wrong = unusable(world, &alice, "group_picture").await?;
    let kept = alice.uploads(&Plan::picture("group_picture")).await?;
    let mut body = GroupDraft::new("with a picture").with([&bob]).body();
    body["picture_id"] = json!(kept);
    let created = patiently(alice.post("/v1/groups", &body)).await?.succeeded(201)?;
    let chat_id = crate::expect::text_at(&created, "chat_id")?;
    let before = alice.group(&chat_id).await?;
    for (what, media_id) in &wrong {
        let mut body = GroupDraft::new(*what).body();
        body["picture_id"] = json!(media_id);
        patiently(alice.post("/v1/groups", &body)).await?.refused_with(ErrorCode::MediaNotUsable)?;
        let change = json!({ "name": what, "picture_id": media_id });
        let answer = patiently(alice.request("PATCH", group_path(&chat_id, "")).json(&change)).await?;
        answer.refused_with(ErrorCode::MediaNotUsable)?;
    }
    let after = alice.group(&chat_id).await?;
    for field in ["name", "picture_id"] {
        expect(&after[field]).to_equal(&before[field])?;
    }
    let chats = alice.reads("/v1/chats").await?;
    expect(chats["items"].as_array().map(Vec::len)).to_equal(1)?;
    expect(alice.history(&chat_id).await?.len()).to_equal(1)
}
