//! The order of checks: the first that does not hold is answered. (GRP-6)

use i9chat_spec::ErrorCode;
use serde_json::json;

use crate::{
    cases,
    cases::chats::missing_id,
    expect::expect,
    verdict::Verdict,
    world::{World, group::group_path},
};

cases! { Groups:
    the_form_of_a_request_comes_before_what_a_group_refuses ["GRP-6", "ERR-8"],
    membership_comes_before_the_role ["GRP-6", "ERR-5"],
    the_role_comes_before_the_user_that_is_named ["GRP-6", "GRP-8", "GRP-12", "GRP-13", "GRP-14", "GRP-15", "ERR-5"],
    the_user_that_is_named_comes_before_their_state ["GRP-6"],
    the_state_comes_before_the_places_of_a_group ["GRP-6", "GRP-10"],
    a_closed_group_takes_nobody ["GRP-6", "GRP-10", "GRP-11", "GRP-22"],
}

async fn the_form_of_a_request_comes_before_what_a_group_refuses(world: &World) -> Verdict {
    let club = world.club().await?;
    let none: [&str; 0] = [];
    for user in [&club.admin, &club.member, &club.left, &club.removed, &club.stranger] {
        for chat_id in [club.chat_id.clone(), missing_id()] {
            for request in [
                user.adding(&chat_id, &none),
                user.adding(&chat_id, &["not a name"]),
                user.changing(&chat_id, &json!({ "name": "" })),
                user.promoting(&chat_id, "not%20a%20name"),
                user.get(group_path(&chat_id, "/members?limit=0")),
            ] {
                request.send().await?.refused_with(ErrorCode::InvalidRequest)?;
            }
        }
    }
    Ok(())
}

async fn membership_comes_before_the_role(world: &World) -> Verdict {
    let club = world.club().await?;
    let nobody = world.newcomer().username;
    let unknown = json!({ "picture_id": missing_id() });
    for user in [&club.left, &club.removed, &club.stranger] {
        for name in [&club.member.username, &club.stranger.username, &user.username, &nobody] {
            for request in [
                user.adding(&club.chat_id, &[name]),
                user.removing(&club.chat_id, name),
                user.promoting(&club.chat_id, name),
                user.demoting(&club.chat_id, name),
                user.changing(&club.chat_id, &unknown),
            ] {
                request.send().await?.refused_with(ErrorCode::NotMember)?;
            }
        }
    }
    expect(club.admin.history(&club.chat_id).await?.len()).to_equal(5)
}

async fn the_role_comes_before_the_user_that_is_named(world: &World) -> Verdict {
    let club = world.club().await?;
    let nobody = world.newcomer().username;
    let member = &club.member;
    for name in [&club.admin.username, &club.left.username, &club.stranger.username, &member.username, &nobody] {
        for request in [
            member.adding(&club.chat_id, &[name]),
            member.removing(&club.chat_id, name),
            member.promoting(&club.chat_id, name),
            member.demoting(&club.chat_id, name),
        ] {
            request.send().await?.refused_with(ErrorCode::AdminRequired)?;
        }
    }
    for changes in
        [json!({ "name": "ours" }), json!({ "picture_id": missing_id() }), json!({ "picture_id": null }), json!({})]
    {
        member.changing(&club.chat_id, &changes).send().await?.refused_with(ErrorCode::AdminRequired)?;
    }
    expect(club.admin.history(&club.chat_id).await?.len()).to_equal(5)?;
    // The same by an admin is done, or answered for what is named.
    club.admin.changing(&club.chat_id, &json!({ "name": "ours" })).send().await?.succeeded(200)?;
    club.admin.removing(&club.chat_id, &member.username).send().await?.succeeded_without_body()
}

async fn the_user_that_is_named_comes_before_their_state(world: &World) -> Verdict {
    let club = world.club().await?;
    let nobody = world.newcomer().username;
    let admin = &club.admin;
    for request in [
        admin.removing(&club.chat_id, &nobody),
        admin.promoting(&club.chat_id, &nobody),
        admin.demoting(&club.chat_id, &nobody),
    ] {
        request.send().await?.refused_with(ErrorCode::UserNotFound)?;
    }
    admin.removing(&club.chat_id, &admin.username).send().await?.refused_with(ErrorCode::UseLeave)?;
    expect(admin.history(&club.chat_id).await?.len()).to_equal(5)
}

async fn the_state_comes_before_the_places_of_a_group(world: &World) -> Verdict {
    let most = usize::try_from(world.limits().max_group_members).unwrap_or(usize::MAX);
    let crowd = world.crowd(most.saturating_sub(1)).await?;
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("full", [&carol]).await?;
    alice.removes(&chat_id, &carol).await?;
    for some in crowd.chunks(50) {
        alice.adds(&chat_id, some).await?;
    }
    bob.joining(&chat_id).send().await?.refused_with(ErrorCode::GroupFull)?;
    carol.joining(&chat_id).send().await?.refused_with(ErrorCode::RemovedFromGroup)?;
    alice.joining(&chat_id).send().await?.refused_with(ErrorCode::AlreadyMember)?;
    Ok(())
}

async fn a_closed_group_takes_nobody(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    let chat_id = alice.founds("short-lived", [&bob, &carol]).await?;
    alice.removes(&chat_id, &carol).await?;
    bob.leaves(&chat_id).await?;
    let before = alice.history(&chat_id).await?;
    alice.leaves(&chat_id).await?;
    expect(&dave.group(&chat_id).await?["members_count"]).to_equal(0)?;
    for user in [&alice, &bob, &carol, &dave] {
        // It is open no more: that comes before what the user is to it.
        user.joining(&chat_id).send().await?.refused_with(ErrorCode::GroupClosed)?;
        for request in [
            user.leaving(&chat_id),
            user.adding(&chat_id, &[&dave.username]),
            user.removing(&chat_id, &bob.username),
            user.promoting(&chat_id, &bob.username),
            user.demoting(&chat_id, &alice.username),
            user.changing(&chat_id, &json!({ "name": "anew" })),
            user.get(group_path(&chat_id, "/members")),
        ] {
            // Nobody is a member, which comes before its being closed.
            request.send().await?.refused_with(ErrorCode::NotMember)?;
        }
    }
    // What they could see they still can: the last one left after everything else.
    let history = alice.history(&chat_id).await?;
    expect(history.get(..before.len())).to_equal(&before)?;
    expect(history.len()).to_equal(4)?;
    expect(bob.history(&chat_id).await?).to_equal(history.get(..3))?;
    expect(carol.history(&chat_id).await?).to_equal(history.get(..2))?;
    dave.get(format!("/v1/chats/{chat_id}/entries")).send().await?.refused_with(ErrorCode::NotMember)?;
    Ok(())
}
