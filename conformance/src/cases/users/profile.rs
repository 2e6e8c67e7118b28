//! Changing one's own profile. (USR-4 to USR-6)

use futures_util::try_join;
use i9chat_spec::{ErrorCode, Example, FieldCode, MediaId, Profile};
use serde_json::{Value, json};

use crate::{
    cases,
    client::Answer,
    expect::{check, expect, text_at},
    verdict::{InSetup, Verdict},
    world::{User, World},
};

cases! { Users:
    a_profile_is_changed_field_by_field ["USR-4", "CNV-5", "USR-1"],
    two_changes_of_different_fields_at_once_both_stay ["USR-4", "CNV-5"],
    a_change_is_heard_on_ones_own_connections_alone ["USR-4", "LOG-3", "LOG-5"],
    what_changes_nothing_makes_no_event ["USR-4", "CNV-6"],
    a_change_that_was_missed_is_replayed ["USR-4", "LOG-9", "RSM-4"],
    a_bio_of_a_profile_has_its_length ["USR-4", "ACC-11", "CNV-9", "CAP-2", "ERR-5"],
    a_location_has_both_numbers_within_their_bounds ["USR-6", "CNV-15", "ERR-4", "ERR-5"],
    a_location_comes_back_as_the_same_numbers ["USR-6", "CNV-15"],
    a_picture_that_does_not_exist_is_not_usable ["USR-5", "ERR-5"],
    a_change_of_a_profile_is_all_or_nothing ["USR-4", "ERR-5"],
    what_is_no_change_of_a_profile_is_refused ["USR-4", "ERR-4"],
}

/// Changes the caller's profile, and answers it; asking for it says the same. (USR-4)
async fn changes(user: &User, patch: &Value) -> Verdict<Value> {
    let changed = user.patch("/v1/me", patch).send().await?.succeeded(200)?;
    expect(user.get("/v1/me").send().await?.succeeded(200)?).to_equal(&changed)?;
    Ok(changed)
}

/// Bio and location of a profile, null where it has none. 7 and 7.0 are the same number.
fn bio_and_location(profile: &Value) -> [Value; 2] {
    let degrees = |location: &Value| json!([location["lat"].as_f64(), location["lon"].as_f64()]);
    [profile["bio"].clone(), profile.get("location").map_or(Value::Null, degrees)]
}

async fn a_profile_is_changed_field_by_field(world: &World) -> Verdict {
    let alice = world.user().await?;
    let before = alice.get("/v1/me").send().await?.succeeded(200)?;
    let (here, there) = (json!({ "lat": 12.5, "lon": -45.25 }), json!({ "lat": -7, "lon": 100 }));
    for (patch, bio, location) in [
        (json!({ "bio": "Mostly harmless." }), "Mostly harmless.", Value::Null),
        (json!({ "location": here }), "Mostly harmless.", here.clone()),
        (json!({ "bio": "Harmless." }), "Harmless.", here.clone()),
        (json!({}), "Harmless.", here.clone()),
        (json!({ "location": null }), "Harmless.", Value::Null),
        (json!({ "bio": null, "location": there }), "", there.clone()),
        (json!({ "bio": "", "location": null, "picture_id": null }), "", Value::Null),
    ] {
        let changed = changes(&alice, &patch).await?;
        let wanted = json!({ "bio": bio, "location": location });
        expect(bio_and_location(&changed)).to_equal(bio_and_location(&without_nulls(wanted)))?;
        for field in ["user_id", "username", "email", "created_at"] {
            expect(&changed[field]).to_equal(&before[field])?;
        }
    }
    // Others see the bio as it is now.
    let bob = world.user().await?;
    changes(&alice, &json!({ "bio": "\u{1f98a} \u{5e9}\u{5dc}\u{5d5}\u{5dd} e\u{301}" })).await?;
    let seen = bob.get(format!("/v1/users/{}", alice.username)).send().await?.succeeded(200)?;
    expect(&seen["bio"]).to_equal("\u{1f98a} \u{5e9}\u{5dc}\u{5d5}\u{5dd} e\u{301}")
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

async fn two_changes_of_different_fields_at_once_both_stay(world: &World) -> Verdict {
    let alice = world.user().await?;
    for turn in 0..10 {
        let (bio, location) = (format!("turn {turn}"), json!({ "lat": turn, "lon": -turn }));
        let (one, other) = (json!({ "bio": bio }), json!({ "location": location }));
        let (one, other) = try_join!(alice.patch("/v1/me", &one).send(), alice.patch("/v1/me", &other).send())?;
        one.succeeded(200)?;
        other.succeeded(200)?;
        let me = alice.get("/v1/me").send().await?.succeeded(200)?;
        let wanted = json!({ "bio": bio, "location": location });
        expect(bio_and_location(&me)).to_equal(bio_and_location(&wanted))?;
    }
    Ok(())
}

async fn a_change_is_heard_on_ones_own_connections_alone(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let phone = alice.signs_in_again().await?;
    let mut own = [alice.connects().await?, phone.connects().await?, phone.connects().await?];
    let mut other = bob.connects().await?;
    let location = json!({ "lat": 1.5, "lon": 2.25 });
    changes(&alice, &json!({ "bio": "one" })).await?;
    changes(&phone, &json!({ "location": location })).await?;
    changes(&alice, &json!({ "bio": null, "location": null })).await?;
    // All of it as it is now, whatever of it changed.
    let wanted = [json!({ "bio": "one" }), json!({ "bio": "one", "location": location }), json!({ "bio": "" })];
    for socket in &mut own {
        for data in &wanted {
            let event = socket.event("profile_changed").await?;
            expect(bio_and_location(&event["data"])).to_equal(bio_and_location(data))?;
            check(event["data"].get("picture_id").is_none(), || ("no picture", event.to_string()))?;
            check(!text_at(&event, "cursor")?.is_empty(), || ("a cursor", event.to_string()))?;
            check(event.get("chat_id").is_none(), || ("an event of the user", event.to_string()))?;
        }
    }
    let [first, ..] = &mut own;
    expect(names(&alice.has_caught_up(first).await?)).to_equal(["profile_changed"; 3])?;
    expect(names(&bob.has_caught_up(&mut other).await?)).to_equal(json!([]))
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap_or_default()).collect()
}

async fn what_changes_nothing_makes_no_event(world: &World) -> Verdict {
    let alice = world.user().await?;
    let location = json!({ "lat": 3.75, "lon": 8 });
    let mut socket = alice.connects().await?;
    // Nothing is there yet: nothing can be taken away.
    let empty = json!({ "bio": null, "location": null, "picture_id": null });
    for patch in [empty, json!({ "bio": "" }), json!({}), json!({ "mood": "fine", "email": "x", "username": "y" })] {
        changes(&alice, &patch).await?;
    }
    expect(alice.has_caught_up(&mut socket).await?).to_equal(json!([]))?;
    changes(&alice, &json!({ "bio": "one", "location": location })).await?;
    for patch in [
        json!({ "bio": "one" }),
        json!({ "location": location }),
        json!({ "location": { "lat": 3.75, "lon": 8.0, "height": 7 } }),
        json!({ "bio": "one", "location": location, "picture_id": null }),
        json!({}),
    ] {
        changes(&alice, &patch).await?;
    }
    expect(names(&alice.has_caught_up(&mut socket).await?)).to_equal(["profile_changed"])
}

async fn a_change_that_was_missed_is_replayed(world: &World) -> Verdict {
    world.needs(Profile::Resume)?;
    let [alice, bob] = world.users().await?;
    let cursor = text_at(&alice.connects().await?.hello, "cursor")?;
    changes(&alice, &json!({ "bio": "one" })).await?;
    changes(&bob, &json!({ "bio": "of another user" })).await?;
    let me = changes(&alice, &json!({ "location": { "lat": 1.25, "lon": 2 } })).await?;
    let mut socket = alice.resumes(&cursor).await?;
    expect(&socket.hello["resume"]).to_equal("resumed")?;
    let events = alice.has_caught_up(&mut socket).await?;
    expect(names(&events)).to_equal(["profile_changed"; 2])?;
    // What a client holds after the last of them is what it would read.
    let last = &events[1]["data"];
    expect(bio_and_location(last)).to_equal(bio_and_location(&me))?;
    let read = alice.get(format!("/v1/events?cursor={cursor}")).send().await?.succeeded(200)?;
    let of_profile: Vec<_> = read["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["event"] == "profile_changed")
        .map(|event| (&event["cursor"], &event["data"]))
        .collect();
    let came: Vec<_> = events.iter().map(|event| (&event["cursor"], &event["data"])).collect();
    expect(of_profile).to_equal(came)
}

async fn a_bio_of_a_profile_has_its_length(world: &World) -> Verdict {
    let most = usize::try_from(world.limits().max_bio_chars).unwrap_or_default();
    let alice = world.user().await?;
    // Characters are counted, not bytes; spaces, combining marks and writing from right to left are text like any other.
    for bio in
        ["\u{1f98a}".repeat(most), " ".repeat(most), "e\u{301}".repeat(most / 2), "\u{202e}\u{5d0}\n\t".to_owned()]
    {
        expect(&changes(&alice, &json!({ "bio": bio })).await?["bio"]).to_equal(bio)?;
    }
    changes(&alice, &json!({ "bio": "kept" })).await?;
    let refused = async |bio: Value, code| patch_refused(&alice, &json!({ "bio": bio }), "bio", code).await;
    refused(json!("\u{1f98a}".repeat(most + 1)), FieldCode::TooLong).await?;
    refused(json!("x".repeat(most * 100)), FieldCode::TooLong).await?;
    for wrong in [json!(7), json!(true), json!(["x"]), json!({ "text": "x" })] {
        refused(wrong, FieldCode::WrongType).await?;
    }
    alice.patch("/v1/me", &json!({ "bio": "a\0b" })).send().await?.refused_with(ErrorCode::InvalidRequest)?;
    expect(&alice.get("/v1/me").send().await?.succeeded(200)?["bio"]).to_equal("kept")
}

async fn patch_refused(user: &User, patch: &Value, field: &str, code: FieldCode) -> Verdict {
    user.patch("/v1/me", patch).send().await?.refused_field(field, code)
}

/// Sends a location as it is written, so that numbers may be what no JSON library writes.
async fn sends_location(user: &User, location: &str) -> Verdict<Answer> {
    let body = format!("{{\"location\":{location}}}");
    user.request("PATCH", "/v1/me").body("application/json", body).send().await
}

async fn a_location_has_both_numbers_within_their_bounds(world: &World) -> Verdict {
    let alice = world.user().await?;
    for location in [
        r#"{"lat":90,"lon":180}"#,
        r#"{"lat":-90,"lon":-180}"#,
        r#"{"lat":90.0,"lon":-180.0}"#,
        r#"{"lat":0,"lon":0}"#,
        r#"{"lat":4.5e1,"lon":1.5E-3}"#,
        r#"{"lat":89.99999999999999,"lon":-179.99999999999997}"#,
    ] {
        sends_location(&alice, location).await?.succeeded(200)?;
    }
    let before = alice.get("/v1/me").send().await?.succeeded(200)?;
    for (location, field, code) in [
        (r#"{"lat":90.00000000000001,"lon":0}"#, "location.lat", FieldCode::OutOfRange),
        (r#"{"lat":-91,"lon":0}"#, "location.lat", FieldCode::OutOfRange),
        (r#"{"lat":0,"lon":180.00000000000003}"#, "location.lon", FieldCode::OutOfRange),
        (r#"{"lat":0,"lon":-1000}"#, "location.lon", FieldCode::OutOfRange),
        (r#"{"lat":1e308,"lon":0}"#, "location.lat", FieldCode::OutOfRange),
        (r#"{"lat":0,"lon":18446744073709551616}"#, "location.lon", FieldCode::OutOfRange),
        (r#"{"lat":0}"#, "location.lon", FieldCode::Missing),
        (r#"{"lon":0}"#, "location.lat", FieldCode::Missing),
        (r#"{"lat":"0","lon":0}"#, "location.lat", FieldCode::WrongType),
        (r#"{"lat":0,"lon":"NaN"}"#, "location.lon", FieldCode::WrongType),
        (r#"{"lat":[0],"lon":0}"#, "location.lat", FieldCode::WrongType),
        (r#""0,0""#, "location", FieldCode::WrongType),
        ("7", "location", FieldCode::WrongType),
        ("[0,0]", "location", FieldCode::WrongType),
    ] {
        sends_location(&alice, location).await?.refused_field(field, code)?;
    }
    // A number that is too great for any: refused in one way or another.
    let answer = sends_location(&alice, r#"{"lat":1e400,"lon":0}"#).await?;
    answer.refused_with(ErrorCode::InvalidRequest).or_else(|_| answer.refused_with(ErrorCode::MalformedBody))?;
    for malformed in [r#"{"lat":NaN,"lon":0}"#, r#"{"lat":0,"lon":-Infinity}"#, r#"{"lat":+1,"lon":0}"#] {
        sends_location(&alice, malformed).await?.refused_with(ErrorCode::MalformedBody)?;
    }
    expect(alice.get("/v1/me").send().await?.succeeded(200)?).to_equal(&before)
}

async fn a_location_comes_back_as_the_same_numbers(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    for (lat, lon) in [
        (41.327_546, 19.818_698),
        (-33.868_819_999_999_99, 151.209_295_5),
        (1e-12, -1e-12),
        (0.1 + 0.2, 5e-324),
        (89.999_999_999_999_99, -179.999_999_999_999_97),
        (90.0, 180.0),
    ] {
        changes(&alice, &json!({ "location": { "lat": lat, "lon": lon } })).await?;
        let me = alice.get("/v1/me").send().await?.succeeded(200)?;
        let event = socket.event("profile_changed").await?;
        for shown in [&me["location"], &event["data"]["location"]] {
            let numbers = [shown["lat"].as_f64(), shown["lon"].as_f64()];
            // Bit for bit: nothing may be lost on the way.
            let same =
                numbers.map(|number| number.map(f64::to_bits)) == [lat, lon].map(|number: f64| Some(number.to_bits()));
            check(same, || (format!("{lat}, {lon}"), shown.to_string()))?;
        }
    }
    Ok(())
}

async fn a_picture_that_does_not_exist_is_not_usable(world: &World) -> Verdict {
    let alice = world.user().await?;
    let mut socket = alice.connects().await?;
    let unknown = MediaId::example().to_string();
    let patch = json!({ "picture_id": unknown, "bio": "with a picture" });
    alice.patch("/v1/me", &patch).send().await?.refused_with(ErrorCode::MediaNotUsable)?;
    for (wrong, code) in [
        (json!("x"), FieldCode::BadFormat),
        (json!("../../etc/passwd"), FieldCode::BadFormat),
        (json!(7), FieldCode::WrongType),
    ] {
        patch_refused(&alice, &json!({ "picture_id": wrong }), "picture_id", code).await?;
    }
    let me = alice.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["bio"]).to_equal("")?;
    expect(alice.has_caught_up(&mut socket).await?).to_equal(json!([]))
}

async fn a_change_of_a_profile_is_all_or_nothing(world: &World) -> Verdict {
    let alice = world.user().await?;
    let before = changes(&alice, &json!({ "bio": "kept", "location": { "lat": 1, "lon": 2 } })).await?;
    let mut socket = alice.connects().await?;
    let most = usize::try_from(world.limits().max_bio_chars).unwrap_or_default();
    for patch in [
        json!({ "bio": "lost", "location": { "lat": 91, "lon": 2 } }),
        json!({ "bio": "x".repeat(most + 1), "location": null }),
        json!({ "bio": null, "picture_id": "no id" }),
    ] {
        alice.patch("/v1/me", &patch).send().await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    alice
        .anonymous()
        .patch("/v1/me", &json!({ "bio": "lost" }))
        .send()
        .await?
        .refused_with(ErrorCode::Unauthenticated)?;
    expect(alice.get("/v1/me").send().await?.succeeded(200)?).to_equal(&before)?;
    expect(alice.has_caught_up(&mut socket).await?).to_equal(json!([]))
}

async fn what_is_no_change_of_a_profile_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    changes(&alice, &json!({ "bio": "kept" })).await.in_setup("changing a profile")?;
    for wrong in [json!(null), json!([]), json!("bio"), json!(7), json!([{ "bio": "x" }])] {
        alice.patch("/v1/me", &wrong).send().await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    let malformed = alice.request("PATCH", "/v1/me").body("application/json", "{\"bio\":");
    malformed.send().await?.refused_with(ErrorCode::MalformedBody)?;
    alice.request("PATCH", "/v1/me").send().await?.refused_with(ErrorCode::UnsupportedMediaType)?;
    expect(&alice.get("/v1/me").send().await?.succeeded(200)?["bio"]).to_equal("kept")
}
