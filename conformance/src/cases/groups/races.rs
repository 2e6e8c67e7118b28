//! Commands that race end as if one had come after the other. (GRP-6, MSG-12)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use futures_util::future::{join_all, try_join_all};
use i9chat_spec::ErrorCode;
use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::names,
    client::{Answer, Request},
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::{
        User, World,
        conversation::{Draft, answers, seqs},
    },
};

/// How often a race is run: either may win.
const ROUNDS: usize = 8;

cases! { Groups:
    a_send_that_races_a_removal_is_in_before_it_or_refused ["GRP-6", "GRP-16", "MSG-4", "MSG-9", "MSG-12"],
    of_two_admins_who_remove_each_other_one_stays ["GRP-6", "GRP-13"],
    of_two_admins_who_remove_each_other_from_the_admins_one_stays_one ["GRP-6", "GRP-15"],
    of_two_last_admins_who_step_back_one_is_refused ["GRP-6", "GRP-15"],
    two_last_admins_who_leave_at_once_have_one_successor ["GRP-6", "GRP-11"],
    who_joins_many_times_at_once_joins_once ["GRP-6", "GRP-10", "GRP-17"],
    who_joins_while_being_added_comes_once ["GRP-6", "GRP-5", "GRP-17"],
    who_leaves_while_being_added_has_left ["GRP-6", "GRP-5"],
    who_leaves_while_being_removed_goes_once ["GRP-6", "GRP-5", "GRP-18"],
    two_who_add_the_same_add_each_once ["GRP-4", "GRP-6", "GRP-12"],
    changes_that_race_make_a_chain ["GRP-6", "GRP-8", "GRP-20"],
}

/// Sends two requests at once.
async fn race(one: Request, other: Request) -> Verdict<(Answer, Answer)> {
    let (one, other) = Box::pin(async { tokio::join!(one.send(), other.send()) }).await;
    Ok((one?, other?))
}

/// Of two answers one is success without a body, and the other one is refused with that code. Answers whether the first won.
fn one_wins(one: &Answer, other: &Answer, loses_with: ErrorCode) -> Verdict<bool> {
    let first = one.status == 204;
    let (winner, loser) = if first { (one, other) } else { (other, one) };
    winner.succeeded_without_body()?;
    loser.refused_with(loses_with)?;
    Ok(first)
}

async fn a_send_that_races_a_removal_is_in_before_it_or_refused(world: &World) -> Verdict {
    const EACH: usize = 6;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", [&bob]).await?;
    let mut bobs = bob.listens().await?;
    for round in 0..ROUNDS {
        let before = alice.history(&chat_id).await?.len();
        let drafts: Vec<Draft> = (0..2 * EACH).map(|number| Draft::new(format!("{round} {number}"))).collect();
        let (by_endpoint, by_action) = drafts.split_at(EACH);
        let mut socket = bob.connects().await?;
        let over_http = join_all(by_endpoint.iter().map(|draft| bob.sending(&chat_id, draft).send()));
        let over_socket = async {
            for draft in by_action {
                socket.sends(&draft.frame(&chat_id)).await?;
            }
            answers(&mut socket, EACH).await
        };
        let removing = alice.removing(&chat_id, &bob.username).send();
        let (removed, over_http, over_socket) =
            Box::pin(async { tokio::join!(removing, over_http, over_socket) }).await;
        removed?.succeeded_without_body()?;

        let mut acknowledged = Vec::new();
        for answer in over_http {
            let answer = answer?;
            match answer.status {
                201 => acknowledged.push(answer.succeeded(201)?),
                _ => drop(answer.refused_with(ErrorCode::NotMember)?),
            }
        }
        for answer in over_socket? {
            match answer["type"].as_str() {
                Some("reply") => acknowledged.push(answer["data"].clone()),
                _ => crate::client::socket::error_code(&answer, ErrorCode::NotMember)?,
            }
        }
        acknowledged.sort_by_key(|sent| sent["seq"].as_u64());
        let history = alice.history(&chat_id).await?;
        expect(seqs(&history)).to_equal((1..=history.len()).collect::<Vec<_>>())?;
        let news = &history[before..];
        // What was acknowledged is there, what was refused is not, and the removal is the last of it.
        let (exit, messages) = news.split_last().ok_or_else(|| Stop::failed("an entry of the removal", "none"))?;
        expect(&exit["kind"]).to_equal("member_removed")?;
        let ids = |entries: &[Value]| entries.iter().map(|entry| entry["message_id"].clone()).collect::<Vec<_>>();
        expect(ids(messages)).to_equal(ids(&acknowledged))?;
        let seen = bob.history(&chat_id).await?;
        expect(seen.last()).to_equal(exit)?;
        let heard = bobs.hears().await?;
        let mut wanted = vec!["message_created"; messages.len()];
        wanted.extend(["group_activity", "membership_ended"]);
        let told: Vec<&str> = names(&heard);
        // In later rounds bob has been added again before.
        expect(told.split_at(if round == 0 { 0 } else { 2 }).1).to_equal(wanted)?;
        alice.adds(&chat_id, [&bob]).await?;
    }
    Ok(())
}

async fn of_two_admins_who_remove_each_other_one_stays(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("a duel", [&bob, &carol]).await?;
        alice.promotes(&chat_id, &bob).await?;
        let (alices, bobs) =
            race(alice.removing(&chat_id, &bob.username), bob.removing(&chat_id, &alice.username)).await?;
        let winner = if one_wins(&alices, &bobs, ErrorCode::NotMember)? { &alice } else { &bob };
        ends_with(&carol, &chat_id, 2, &["member_removed"], &[(winner, "admin"), (&carol, "member")]).await?;
    }
    Ok(())
}

async fn of_two_admins_who_remove_each_other_from_the_admins_one_stays_one(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("a duel", [&bob]).await?;
        alice.promotes(&chat_id, &bob).await?;
        let (alices, bobs) =
            race(alice.demoting(&chat_id, &bob.username), bob.demoting(&chat_id, &alice.username)).await?;
        let (winner, loser) =
            if one_wins(&alices, &bobs, ErrorCode::AdminRequired)? { (&alice, &bob) } else { (&bob, &alice) };
        ends_with(loser, &chat_id, 2, &["admin_removed"], &[(winner, "admin"), (loser, "member")]).await?;
    }
    Ok(())
}

async fn of_two_last_admins_who_step_back_one_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("modesty", [&bob]).await?;
        alice.promotes(&chat_id, &bob).await?;
        let (alices, bobs) =
            race(alice.demoting(&chat_id, &alice.username), bob.demoting(&chat_id, &bob.username)).await?;
        let (member, admin) =
            if one_wins(&alices, &bobs, ErrorCode::LastAdmin)? { (&alice, &bob) } else { (&bob, &alice) };
        ends_with(member, &chat_id, 2, &["admin_removed"], &[(admin, "admin"), (member, "member")]).await?;
    }
    Ok(())
}

async fn two_last_admins_who_leave_at_once_have_one_successor(world: &World) -> Verdict {
    let [alice, bob, carol, dave] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("ours", [&bob, &dave, &carol]).await?;
        alice.promotes(&chat_id, &bob).await?;
        let (alices, bobs) = race(alice.leaving(&chat_id), bob.leaving(&chat_id)).await?;
        alices.succeeded_without_body()?;
        bobs.succeeded_without_body()?;
        let kinds = ["member_left", "member_left", "admin_succeeded"];
        ends_with(&carol, &chat_id, 2, &kinds, &[(&dave, "admin"), (&carol, "member")]).await?;
        // The last two leave it closed, with counts that go down by one.
        let (carols, daves) = race(carol.leaving(&chat_id), dave.leaving(&chat_id)).await?;
        carols.succeeded_without_body()?;
        daves.succeeded_without_body()?;
        expect(&alice.group(&chat_id).await?["members_count"]).to_equal(0)?;
        let left = [carol.history(&chat_id).await?, dave.history(&chat_id).await?].concat();
        let mut counts: Vec<_> = left
            .iter()
            .filter(|entry| entry["kind"] == "member_left")
            .filter_map(|entry| entry["members_count"].as_u64())
            .collect();
        counts.sort_unstable();
        counts.dedup();
        expect(counts).to_equal([0, 1, 2, 3])?;
    }
    Ok(())
}

async fn who_joins_many_times_at_once_joins_once(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("ours", []).await?;
    let mut bobs = bob.listens().await?;
    for round in 0..ROUNDS {
        let before = alice.history(&chat_id).await?.len();
        let answers = Box::pin(try_join_all((0..6).map(|_| bob.joining(&chat_id).send()))).await?;
        let (joined, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        check(joined.len() == 1, || ("one success", format!("{} of them", joined.len())))?;
        for answer in refused {
            answer.refused_with(ErrorCode::AlreadyMember)?;
        }
        ends_with(&alice, &chat_id, before, &["member_joined"], &[(&alice, "admin"), (&bob, "member")]).await?;
        let heard = bobs.hears().await?;
        let told = names(&heard);
        let of_leaving = if round == 0 { 0 } else { 2 };
        expect(told.split_at(of_leaving).1).to_equal(["chat_added", "group_activity"])?;
        bob.leaves(&chat_id).await?;
    }
    Ok(())
}

async fn who_joins_while_being_added_comes_once(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("ours", []).await?;
        let mut bobs = bob.listens().await?;
        let (joined, added) = race(bob.joining(&chat_id), alice.adding(&chat_id, &[&bob.username])).await?;
        let added = added.succeeded(200)?;
        let kind = if added["results"][0]["added"] == true {
            joined.refused_with(ErrorCode::AlreadyMember)?;
            "members_added"
        } else {
            joined.succeeded(200)?;
            expect(&added["results"][0]["code"]).to_equal("already_member")?;
            "member_joined"
        };
        expect(&added["members_count"]).to_equal(2)?;
        ends_with(&alice, &chat_id, 1, &[kind], &[(&alice, "admin"), (&bob, "member")]).await?;
        expect(names(&bobs.hears().await?)).to_equal(["chat_added", "group_activity"])?;
    }
    Ok(())
}

async fn who_leaves_while_being_added_has_left(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("ours", [&bob]).await?;
        let (left, added) = race(bob.leaving(&chat_id), alice.adding(&chat_id, &[&bob.username])).await?;
        left.succeeded_without_body()?;
        let code = added.succeeded(200)?["results"][0]["code"].take();
        check(code == "already_member" || code == "left_group", || ("already_member or left_group", code.to_string()))?;
        ends_with(&alice, &chat_id, 1, &["member_left"], &[(&alice, "admin")]).await?;
    }
    Ok(())
}

async fn who_leaves_while_being_removed_goes_once(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("ours", [&bob]).await?;
        let mut bobs = bob.listens().await?;
        let (left, removed) = race(bob.leaving(&chat_id), alice.removing(&chat_id, &bob.username)).await?;
        let (kind, membership) = if left.status == 204 {
            removed.refused_with(ErrorCode::TargetNotMember)?;
            ("member_left", "left")
        } else {
            removed.succeeded_without_body()?;
            left.refused_with(ErrorCode::NotMember)?;
            ("member_removed", "removed")
        };
        ends_with(&alice, &chat_id, 1, &[kind], &[(&alice, "admin")]).await?;
        expect(&bob.chat(&chat_id).await?["membership"]).to_equal(membership)?;
        expect(names(&bobs.hears().await?)).to_equal(["group_activity", "membership_ended"])?;
    }
    Ok(())
}

async fn two_who_add_the_same_add_each_once(world: &World) -> Verdict {
    let [alice, bob, carol, dave, erin] = world.users().await?;
    for _ in 0..ROUNDS {
        let chat_id = alice.founds("ours", [&bob]).await?;
        alice.promotes(&chat_id, &bob).await?;
        let (alices, bobs) = race(
            alice.adding(&chat_id, &[&carol.username, &dave.username]),
            bob.adding(&chat_id, &[&erin.username, &dave.username, &carol.username]),
        )
        .await?;
        let answers = [alices.succeeded(200)?, bobs.succeeded(200)?];
        for user in [&carol, &dave, &erin] {
            let results = answers.iter().flat_map(|answer| answer["results"].as_array().into_iter().flatten());
            let added = results.filter(|one| one["username"] == user.username.as_str() && one["added"] == true).count();
            check(added == 1, || (format!("{} added by one of the two", user.username), format!("by {added}")))?;
        }
        // Both made an activity, or one of them had nothing left to do.
        let history = alice.history(&chat_id).await?;
        let targets: usize = history[2..].iter().filter_map(|entry| entry["targets"].as_array().map(Vec::len)).sum();
        expect(targets).to_equal(3)?;
        expect(history.last().map(|entry| &entry["members_count"])).to_equal(5)?;
        expect(&alice.group(&chat_id).await?["members_count"]).to_equal(5)?;
    }
    Ok(())
}

async fn changes_that_race_make_a_chain(world: &World) -> Verdict {
    const EACH: usize = 10;
    let [alice, bob] = world.users().await?;
    let chat_id = alice.founds("start", [&bob]).await?;
    alice.promotes(&chat_id, &bob).await?;
    let changing = (0..EACH).flat_map(|number| {
        [&alice, &bob].map(|user| {
            let changes = json!({ "name": format!("{number} {}", user.username), "description": format!("{number}") });
            user.changing(&chat_id, &changes).send()
        })
    });
    for answer in Box::pin(try_join_all(changing)).await? {
        answer.succeeded(200)?;
    }
    let history = alice.history(&chat_id).await?;
    let group = alice.group(&chat_id).await?;
    for (kind, start, field) in [("name_changed", "start", "name"), ("description_changed", "", "description")] {
        let mut before = json!(start);
        for entry in history.iter().filter(|entry| entry["kind"] == kind) {
            expect(&entry["from"]).to_equal(&before)?;
            expect(&entry["to"]).to_differ_from(&before)?;
            before = entry["to"].clone();
        }
        expect(&group[field]).to_equal(before)?;
    }
    Ok(())
}

/// A member sees activities of these kinds after so many entries, and these members.
async fn ends_with(
    witness: &User,
    chat_id: &str,
    entries: usize,
    kinds: &[&str],
    members: &[(&User, &str)],
) -> Verdict {
    let history = witness.history(chat_id).await?;
    let came: Vec<_> = history.iter().skip(entries).map(|entry| &entry["kind"]).collect();
    expect(came).to_equal(kinds)?;
    expect(history.last().and_then(|entry| entry.get("members_count")))
        .to_equal(history.last().filter(|entry| entry.get("members_count").is_some()).map(|_| members.len()))?;
    let mut wanted: Vec<_> = members.iter().map(|(user, role)| (user.username.clone(), (*role).to_owned())).collect();
    wanted.sort_by_key(|(name, _)| name.to_lowercase());
    expect(witness.members(chat_id).await?).to_equal(wanted)?;
    expect(&witness.group(chat_id).await?["members_count"]).to_equal(members.len())
}
