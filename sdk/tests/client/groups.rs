//! Groups, and one's own profile.

use i9chat_sdk::Error;
use i9chat_spec::{ChatId, ErrorCode, Example, MediaId, Problem, Role};
use serde_json::{Value, json};

use crate::{
    connected, soon,
    stub::{Fault, Stub, problem},
};

/// The bodies of the calls of one kind.
fn bodies(stub: &Stub, call: &str) -> Vec<Value> {
    stub.look(|world| world.bodies.iter().filter(|(what, _)| what == call).map(|(_, body)| body.clone()).collect())
}

#[tokio::test]
async fn a_group_is_created_once_whatever_becomes_of_the_answer() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    stub.fail_next("POST /v1/groups", [Fault::Html(502), Fault::Problem(problem(ErrorCode::Unavailable))]);
    let creating = client.create_group("Hikers").description("Every Sunday").members(["bob", "carol"]);
    let created = soon(creating.picture(MediaId::example())).await.expect("created");
    let codes: Vec<_> = created.results.iter().map(|result| result.code.as_deref()).collect();
    assert_eq!(codes, [None, Some("left_group")]);
    assert_eq!(created.group.id(), ChatId::example());
    let sent = bodies(&stub, "POST /v1/groups");
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|body| *body == sent[0]), "one client_id for all tries");
    assert_eq!((&sent[0]["name"], &sent[0]["members"]), (&json!("Hikers"), &json!(["bob", "carol"])));
}

#[tokio::test]
async fn a_group_without_members_names_none() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    soon(client.create_group("Alone")).await.expect("created");
    let body = &bodies(&stub, "POST /v1/groups")[0];
    let names: Vec<_> = body.as_object().expect("a map").keys().collect();
    assert_eq!(names, ["client_id", "name"]);
}

#[tokio::test]
async fn members_come_and_go() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let group = client.group(ChatId::example());
    let added = soon(group.add(["bob", "carol"])).await.expect("answered");
    assert_eq!(added.results.iter().map(|result| result.added).collect::<Vec<_>>(), [true, false]);
    soon(group.make_admin("bob")).await.expect("made");
    soon(group.remove("bob")).await.expect("removed");
    assert_eq!(soon(group.remove("alice")).await.expect_err("oneself").code(), Some(ErrorCode::UseLeave));
    assert_eq!(soon(group.remove_admin("bob")).await.expect_err("the last").code(), Some(ErrorCode::LastAdmin));
    soon(group.join()).await.expect("joined");
    soon(group.leave()).await.expect("left");

    let mut members = group.members().items();
    let mut names = Vec::new();
    while let Some(member) = soon(members.next()).await {
        names.push(member.expect("a member").user.username.to_string());
    }
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert!(soon(group.info()).await.expect("info").role.is_some_and(|role| role == Role::Member));
}

#[tokio::test]
async fn a_change_says_what_changes_and_nothing_else() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let group = client.group(ChatId::example());
    let call = format!("PATCH /v1/groups/{}", ChatId::example());
    assert_eq!(soon(group.rename("Climbers")).await.expect("renamed").name.as_str(), "Climbers");
    soon(group.describe("")).await.expect("described");
    soon(group.set_picture(MediaId::example())).await.expect("set");
    assert_eq!(soon(group.update().no_picture()).await.expect("changed").picture_id, None);
    let wanted = [
        json!({ "name": "Climbers" }),
        json!({ "description": "" }),
        json!({ "picture_id": MediaId::example() }),
        json!({ "picture_id": null }),
    ];
    assert_eq!(bodies(&stub, &call), wanted);
    let error = soon(group.rename("")).await.expect_err("no name");
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert_eq!(stub.count(&call), 4);
}

#[tokio::test]
async fn lists_of_names_have_their_bounds() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let group = client.group(ChatId::example());
    let nobody: [&str; 0] = [];
    let many = (0..101).map(|number| format!("user-{number}"));
    for outcome in [soon(group.add(nobody)).await, soon(group.add(many)).await, soon(group.add(["-bob"])).await] {
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    }
    assert!(bodies(&stub, &format!("POST /v1/groups/{}/members", ChatId::example())).is_empty());
}

#[tokio::test]
async fn the_own_profile_is_changed_in_parts() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let me = soon(client.update_me().bio("On the road").location(41.25, -0.5)).await.expect("changed");
    assert_eq!(me.bio.as_str(), "On the road");
    let me = soon(client.update_me().no_location().no_picture()).await.expect("changed");
    assert_eq!((me.location, me.picture_id), (None, None));
    let wanted = [
        json!({ "bio": "On the road", "location": { "lat": 41.25, "lon": -0.5 } }),
        json!({ "location": null, "picture_id": null }),
    ];
    assert_eq!(bodies(&stub, "PATCH /v1/me"), wanted);
    let error = soon(client.update_me().location(f64::NAN, 0.0)).await.expect_err("nowhere");
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn users_are_found_nearby() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let found = soon(client.nearby(41.3275, 19.8187).radius_m(5000).limit(20)).await.expect("found");
    assert_eq!(found.len(), 1);
    let query = stub.look(|world| world.queries.last().expect("a call").clone());
    let of = |name: &str| query.get(name).map(String::as_str);
    assert_eq!((of("near"), of("radius_m"), of("limit")), (Some("41.3275%2C19.8187"), Some("5000"), Some("20")));
    let error = soon(client.nearby(0.0, 0.0).radius_m(999)).await.expect_err("too near");
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn what_an_earlier_try_has_done_is_done() {
    let stub = Stub::start().await;
    let client = connected(&stub).await;
    let group = client.group(ChatId::example());
    let (join, admin) = (path("POST", "join"), path("PUT", "admins/bob"));
    // The answer of the first try is lost on its way.
    stub.fail_next(join, [Fault::Html(502), Fault::Problem(problem(ErrorCode::AlreadyMember))]);
    assert_eq!(soon(group.join()).await.expect("joined").chat.chat_id, ChatId::example());
    stub.fail_next(admin, [Fault::Html(502), Fault::Problem(problem(ErrorCode::AlreadyAdmin))]);
    soon(group.make_admin("bob")).await.expect("made");

    // Nothing was tried before, or what was tried was not done: the refusal is one.
    stub.fail_next(join, [Fault::Problem(problem(ErrorCode::AlreadyMember))]);
    assert_eq!(soon(group.join()).await.expect_err("a member").code(), Some(ErrorCode::AlreadyMember));
    let limited = Problem { retry_after_ms: Some(1), ..problem(ErrorCode::RateLimited) };
    stub.fail_next(admin, [Fault::Problem(limited), Fault::Problem(problem(ErrorCode::AlreadyAdmin))]);
    assert_eq!(soon(group.make_admin("bob")).await.expect_err("an admin").code(), Some(ErrorCode::AlreadyAdmin));
}

/// A call of the one group.
fn path(method: &str, rest: &str) -> &'static str {
    format!("{method} /v1/groups/{}/{rest}", ChatId::example()).leak()
}
