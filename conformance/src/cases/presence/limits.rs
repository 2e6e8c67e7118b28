//! What a connection may ask of presence. (PRS-4, PRS-9)

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use crate::{
    cases,
    client::socket::error_code,
    expect::{check, expect},
    verdict::{InSetup, Stop, Verdict},
    world::{World, presence::Watcher},
};

cases! { Presence:
    a_list_of_names_that_is_wrong_subscribes_to_nobody ["PRS-4", "ERR-4", "ERR-5"],
    a_connection_has_no_more_subscriptions_than_the_limit ["PRS-4", "CAP-2", "ERR-5"],
    names_are_limited_by_their_rate ["PRS-9", "ERR-7", "CAP-2"],
}

/// An error that lists a field with a code. (ERR-4)
pub(super) fn refuses_field(frame: &Value, field: &str, code: FieldCode) -> Verdict {
    error_code(frame, ErrorCode::InvalidRequest)?;
    let listed = frame["error"]["fields"].as_array().is_some_and(|fields| {
        let is_field = |named: &str| named == field || named.strip_prefix("data.") == Some(field);
        fields.iter().any(|entry| entry["field"].as_str().is_some_and(is_field) && entry["code"] == code.as_str())
    });
    check(listed, || (format!("{field}: {code} among the fields"), frame.to_string()))
}

async fn a_list_of_names_that_is_wrong_subscribes_to_nobody(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let mut watcher = bob.watches([&carol]).await?;
    let most = usize::try_from(world.limits().max_presence_subscriptions).unwrap_or_default();
    let many: Vec<_> = (0..=most).map(|number| format!("user-{number}")).collect();
    let name = &alice.username;
    for action in ["subscribe_presence", "unsubscribe_presence"] {
        for (names, code) in [
            (json!([name, carol.username, name]), FieldCode::Conflicting),
            (json!([name.to_lowercase(), name.to_uppercase()]), FieldCode::Conflicting),
            (json!([]), FieldCode::TooShort),
            (json!(many), FieldCode::TooLong),
            (json!(name), FieldCode::WrongType),
            (json!({ "0": name }), FieldCode::WrongType),
        ] {
            let answer = watcher.asks(action, &json!({ "usernames": names })).await?;
            refuses_field(&answer, "usernames", code)?;
        }
        for (wrong, code) in [
            (json!("ab"), FieldCode::TooShort),
            (json!("a".repeat(31)), FieldCode::TooLong),
            (json!("not a name"), FieldCode::BadFormat),
            (json!(7), FieldCode::WrongType),
            (json!(null), FieldCode::WrongType),
        ] {
            let answer = watcher.asks(action, &json!({ "usernames": [name, wrong] })).await?;
            error_code(&answer, ErrorCode::InvalidRequest)?;
            let listed = answer["error"]["fields"].as_array().is_some_and(|fields| {
                let is_one = |named: &str| named.trim_start_matches("data.").starts_with("usernames");
                fields.iter().any(|entry| entry["field"].as_str().is_some_and(is_one) && entry["code"] == code.as_str())
            });
            check(listed, || (format!("{code} in usernames"), answer.to_string()))?;
        }
        refuses_field(&watcher.asks(action, &json!({})).await?, "usernames", FieldCode::Missing)?;
    }
    // Alice was named in all of them, and nothing came of it; Carol is still watched.
    let mut witness = carol.watches([&alice]).await?;
    watcher.sees_coming(&carol).await?;
    let socket = alice.connects().await?;
    witness.sees_coming(&alice).await?;
    drop(socket);
    witness.sees_going(&alice).await?;
    witness.closes().await?;
    watcher.sees_going(&carol).await?;
    watcher.has_heard_nothing_of(&alice)
}

async fn a_connection_has_no_more_subscriptions_than_the_limit(world: &World) -> Verdict {
    const MOST: u64 = 120;
    let count = world.too_many_subscriptions(MOST)?;
    let crowd = world.crowd(count).await?;
    let bob = world.user().await?;
    let names: Vec<_> = crowd.iter().map(|user| user.username.as_str()).collect();
    let (all_but_one, last) = names.split_at(count - 1);
    let mut watcher = Watcher::new(bob.connects().await?);
    let reply = watcher.subscribes_to_names(all_but_one).await?;
    expect(reply["presences"].as_array().map(Vec::len)).to_equal(count - 1)?;
    // One more is refused, alone or among others, and subscribes to nobody.
    for wrong in [last.to_vec(), [last, &all_but_one[..1]].concat()] {
        let answer = watcher.asks("subscribe_presence", &json!({ "usernames": wrong })).await?;
        error_code(&answer, ErrorCode::TooManySubscriptions)?;
    }
    // Those that it has count once, and names that no user has not at all.
    let nobody = world.newcomer().username;
    let again = [&all_but_one[..1], &[nobody.as_str()]].concat();
    watcher.subscribes_to_names(&again).await?;
    // One less makes room for one more. Another connection has room of its own.
    watcher.unsubscribes_from_names(&all_but_one[..1]).await?;
    watcher.subscribes_to_names(last).await?;
    let answer = watcher.asks("subscribe_presence", &json!({ "usernames": &all_but_one[..1] })).await?;
    error_code(&answer, ErrorCode::TooManySubscriptions)?;
    Watcher::new(bob.connects().await?).subscribes_to_names(last).await.in_setup("another connection")?;
    Ok(())
}

async fn names_are_limited_by_their_rate(world: &World) -> Verdict {
    const MOST: u64 = 20_000;
    let limits = world.limits();
    let (burst, rate) = (limits.presence_names_burst, limits.presence_names_per_second);
    if burst + 10 * rate > MOST {
        return Err(Stop::skipped(format!("a burst of {burst} names and {rate} a second are too many to try")));
    }
    let [alice, bob] = world.users().await?;
    let mut watcher = Watcher::new(bob.connects().await?);
    // Names that no user has are asked for, too; so many at a time as one list may hold.
    let at_once = usize::try_from(limits.max_presence_subscriptions.min(burst)).unwrap_or(1);
    let mark = world.newcomer().username;
    let names = |turn: usize, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{}-{turn}-{number}", &mark[..8])).collect()
    };
    let mut left = usize::try_from(burst).unwrap_or_default();
    let mut turn = 0;
    while left > 0 {
        let count = left.min(at_once);
        let reply = watcher.subscribes_to_names(&names(turn, count)).await?;
        expect(reply["not_found"].as_array().map(Vec::len)).to_equal(count)?;
        left -= count;
        turn += 1;
    }
    // Beyond the burst only the sustained rate is granted, which is below what goes through here.
    let most = usize::try_from(10 * rate).unwrap_or(usize::MAX) / at_once + 2;
    let mut refused = None;
    for _ in 0..most {
        let answer = watcher.asks("subscribe_presence", &json!({ "usernames": names(turn, at_once) })).await?;
        turn += 1;
        if answer["type"] == "error" {
            refused = Some(answer);
            break;
        }
    }
    let Some(refused) = refused else {
        return Err(Stop::failed(format!("rate_limited after {burst} names at once"), "all of them granted"));
    };
    error_code(&refused, ErrorCode::RateLimited)?;
    expect(&refused["error"]["retry_after_ms"]).to_be_within(1, 3_600_000)?;
    // The connection goes on, other actions are not concerned, and neither is another connection.
    watcher.socket().catches_up().await?;
    watcher.unsubscribes_from_names(&[&alice.username]).await?;
    Watcher::new(bob.connects().await?).subscribes([&alice]).await?;
    Ok(())
}
