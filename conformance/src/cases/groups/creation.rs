//! Creating a group. (GRP-1 to GRP-4)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use futures_util::future::try_join_all;
use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use crate::{
    cases,
    cases::chats::{missing_id, names, names_field},
    client::Answer,
    expect::{check, expect, list_at, text_at},
    verdict::Verdict,
    world::{User, World, conversation::Draft, group::GroupDraft},
};

cases! { Groups:
    a_group_begins_with_the_entry_that_tells_of_its_creation ["GRP-1", "GRP-20", "CHT-3", "CNV-10"],
    the_first_members_get_the_group_with_its_first_entry ["GRP-1", "GRP-17", "LOG-7", "RCP-6"],
    a_group_of_one_is_a_group ["GRP-1", "GRP-4"],
    each_name_of_a_new_group_is_answered_by_itself ["GRP-4", "GRP-20"],
    a_retried_creation_has_its_first_acknowledgement ["GRP-3", "MSG-7"],
    the_same_creation_many_times_at_once_makes_one_group ["GRP-3"],
    a_client_id_of_another_creation_is_a_conflict ["GRP-3", "MSG-8", "ERR-5"],
    a_client_id_is_of_one_command_only ["GRP-3", "MSG-8", "ERR-5"],
    names_of_groups_are_kept_as_sent ["GRP-2", "CNV-9", "CAP-2"],
    what_is_no_name_of_a_group_is_refused ["GRP-2", "CNV-9", "CAP-2", "ERR-5"],
    descriptions_have_a_bound ["GRP-2", "CNV-9", "CAP-2"],
    members_of_a_new_group_have_a_bound ["GRP-4", "CAP-2", "ERR-5"],
    a_name_that_stands_twice_is_refused ["GRP-4", "ERR-4", "ERR-5"],
    a_picture_that_there_is_not_is_refused ["GRP-2", "MED-18", "ERR-5"],
}

async fn a_group_begins_with_the_entry_that_tells_of_its_creation(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let draft = GroupDraft::new("the book club").with([&carol, &bob]);
    let created = alice.creates(&draft).await?;
    let chat_id = text_at(&created, "chat_id")?;
    expect(&created["seq"]).to_equal(1)?;
    let results = [&carol, &bob].map(|member| json!({ "username": member.username, "added": true }));
    expect(&created["results"]).to_equal(results)?;
    let entry = json!({
        "type": "activity", "seq": 1, "chat_id": chat_id, "created_at": created["created_at"], "kind": "group_created",
        "actor": alice.as_value(), "targets": [carol.as_value(), bob.as_value()], "to": "the book club",
        "members_count": 3, "client_id": draft.client_id,
    });
    for user in [&alice, &bob, &carol] {
        expect(user.history(&chat_id).await?).to_equal([&entry])?;
        let mut chat = user.chat(&chat_id).await?;
        text_at(&chat, "opened_at")?;
        if let Some(fields) = chat.as_object_mut() {
            fields.remove("opened_at");
        }
        let role = if user.user_id == alice.user_id { "admin" } else { "member" };
        let wanted = json!({
            "chat_id": chat_id, "kind": "group", "membership": "member", "visible": [{ "from": 1 }], "last_entry": entry,
            "group": { "name": "the book club", "description": "", "members_count": 3, "role": role },
            "unread_count": 0, "delivered": 1, "read": 1,
        });
        expect(&chat).to_equal(&wanted)?;
        expect(&user.reads("/v1/chats").await?["items"][0]["chat_id"]).to_equal(&chat_id)?;
    }
    Ok(())
}

async fn the_first_members_get_the_group_with_its_first_entry(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let (mut alices, mut bobs, mut carols) = (alice.listens().await?, bob.listens().await?, carol.listens().await?);
    let chat_id = alice.founds("ours", [&bob]).await?;
    let wanted = |role: &str| {
        json!({
            "chat_id": chat_id, "kind": "group", "membership": "member", "visible": [{ "from": 1 }],
            "group": { "name": "ours", "description": "", "members_count": 2, "role": role },
            "unread_count": 0, "delivered": 1, "read": 1,
        })
    };
    let mut entries = Vec::new();
    for (listener, role) in [(&mut alices, "admin"), (&mut bobs, "member")] {
        let heard = listener.hears().await?;
        expect(names(&heard)).to_equal(["chat_added", "group_activity"])?;
        check(heard[0].get("chat_id").is_none(), || ("an event to a user, without chat_id", heard[0].to_string()))?;
        let mut chat = heard[0]["data"]["chat"].clone();
        text_at(&chat, "opened_at")?;
        if let Some(fields) = chat.as_object_mut() {
            fields.remove("opened_at");
        }
        expect(&chat).to_equal(wanted(role))?;
        expect(&heard[1]["chat_id"]).to_equal(&chat_id)?;
        entries.push(heard[1].clone());
    }
    // The same event for everybody, and the entry that history has.
    expect(&entries[0]).to_equal(&entries[1])?;
    expect(&entries[0]["data"]).to_equal(json!({ "activity": bob.history(&chat_id).await?[0] }))?;
    expect(names(&carols.hears().await?)).to_equal(json!([]))
}

async fn a_group_of_one_is_a_group(world: &World) -> Verdict {
    let alice = world.user().await?;
    let body = json!({ "client_id": GroupDraft::new("").client_id, "name": "mine" });
    let created = alice.post("/v1/groups", &body).send().await?.succeeded(201)?;
    expect(&created["results"]).to_equal(json!([]))?;
    let chat_id = text_at(&created, "chat_id")?;
    let history = alice.history(&chat_id).await?;
    expect(&history[0]["members_count"]).to_equal(1)?;
    check(history[0].get("targets").is_none(), || ("no targets where there are none", history[0].to_string()))?;
    expect(alice.members(&chat_id).await?).to_equal([(&alice.username, "admin")])?;
    alice.sends(&chat_id, &Draft::new("to myself")).await?;
    expect(&alice.chat(&chat_id).await?["last_entry"]["seq"]).to_equal(2)
}

async fn each_name_of_a_new_group_is_answered_by_itself(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let nobody = world.newcomer().username;
    let names = [bob.username.to_uppercase(), nobody.clone(), alice.username.to_lowercase()];
    let created = alice.creates(&GroupDraft::new("some of us").naming(&names)).await?;
    let wanted = json!([
        { "username": names[0], "added": true },
        { "username": names[1], "added": false, "code": "user_not_found" },
        { "username": names[2], "added": false, "code": "already_member" },
    ]);
    expect(&created["results"]).to_equal(wanted)?;
    let chat_id = text_at(&created, "chat_id")?;
    let entry = alice.history(&chat_id).await?[0].clone();
    expect(&entry["targets"]).to_equal([bob.as_value()])?;
    expect(&entry["members_count"]).to_equal(2)?;
    expect(&bob.group(&chat_id).await?["role"]).to_equal("member")
}

async fn a_retried_creation_has_its_first_acknowledgement(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let nobody = world.newcomer();
    let named = [&bob.username, &nobody.username, &carol.username];
    let draft = GroupDraft::new("only once").naming(named);
    let first = alice.creates(&draft).await?;
    let added: Vec<_> = list_at(&first, "results")?.iter().map(|result| &result["added"]).collect();
    expect(added).to_equal([true, false, true])?;
    let chat_id = text_at(&first, "chat_id")?;
    let mut bobs = bob.listens().await?;
    expect(alice.creates(&draft).await?).to_equal(&first)?;
    // Whatever happens to the group and its people, and in whatever case the names are written.
    nobody.signs_up().await?;
    carol.leaves(&chat_id).await?;
    alice.changes(&chat_id, &json!({ "name": "another name" })).await?;
    let shouted =
        GroupDraft { members: draft.members.iter().map(|name| name.to_uppercase()).collect(), ..draft.clone() };
    expect(alice.signs_in_again().await?.creates(&shouted).await?).to_equal(&first)?;
    alice.leaves(&chat_id).await?;
    expect(alice.creates(&draft).await?).to_equal(&first)?;
    // Nothing was made twice.
    let heard = bobs.hears().await?;
    let kinds: Vec<_> = heard.iter().map(|event| &event["data"]["activity"]["kind"]).collect();
    expect(kinds).to_equal(["member_left", "name_changed", "member_left", "admin_succeeded"])?;
    expect(alice.reads("/v1/chats").await?["items"].as_array().map(Vec::len)).to_equal(1)
}

async fn the_same_creation_many_times_at_once_makes_one_group(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let mut bobs = bob.listens().await?;
    let draft = GroupDraft::new("only once").with([&bob]);
    let answers = Box::pin(try_join_all((0..12).map(|_| alice.creates(&draft)))).await?;
    for answer in &answers {
        expect(answer).to_equal(&answers[0])?;
    }
    expect(names(&bobs.hears().await?)).to_equal(["chat_added", "group_activity"])?;
    expect(alice.reads("/v1/chats").await?["items"].as_array().map(Vec::len)).to_equal(1)
}

async fn a_client_id_of_another_creation_is_a_conflict(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let draft = GroupDraft::new("the first").with([&bob, &carol]);
    let first = alice.creates(&draft).await?;
    let others = [
        GroupDraft { name: "the First".to_owned(), ..draft.clone() },
        draft.clone().with([&carol, &bob]),
        draft.clone().with([&bob]),
        draft.clone().with([]),
    ];
    for other in &others {
        alice.creating(other).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
    }
    let mut described = draft.body();
    described["description"] = json!("with a description");
    alice.post("/v1/groups", &described).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
    let mut pictured = draft.body();
    pictured["picture_id"] = json!(missing_id());
    alice.post("/v1/groups", &pictured).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
    // The first stands. Another user may use the same id.
    expect(alice.creates(&draft).await?).to_equal(&first)?;
    expect(bob.creates(&draft).await?["chat_id"].take()).to_differ_from(&first["chat_id"])?;
    expect(alice.reads("/v1/chats").await?["items"].as_array().map(Vec::len)).to_equal(1)
}

async fn a_client_id_is_of_one_command_only(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let draft = GroupDraft::new("a group").with([&bob]);
    let chat_id = text_at(&alice.creates(&draft).await?, "chat_id")?;
    let message = Draft { client_id: draft.client_id.clone(), text: "a message".to_owned() };
    alice.sending(&chat_id, &message).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
    let sent = Draft::new("a message");
    alice.sends(&chat_id, &sent).await?;
    let group = GroupDraft { client_id: sent.client_id.clone(), ..GroupDraft::new("a group") };
    alice.creating(&group).send().await?.refused_with(ErrorCode::IdempotencyConflict)?;
    expect(alice.history(&chat_id).await?.len()).to_equal(2)?;
    expect(alice.reads("/v1/chats").await?["items"].as_array().map(Vec::len)).to_equal(1)
}

async fn names_of_groups_are_kept_as_sent(world: &World) -> Verdict {
    let alice = world.user().await?;
    let most = usize::try_from(world.limits().max_group_name_chars).unwrap_or(100);
    let good = [
        "x".to_owned(),
        "  around  ".to_owned(),
        "x".repeat(most),
        "\u{1F600}".repeat(most),
        "e\u{301}".repeat(most / 2),
        "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{FE0F}".to_owned(),
        "שלום مرحبا".to_owned(),
        "\u{e9} e\u{301} \u{212b} \u{fb01}".to_owned(),
        "<b>&amp;</b> \"quoted\" \\ ' ; --".to_owned(),
        "\u{a0}\u{3000}.".to_owned(),
    ];
    for name in &good {
        let chat_id = alice.founds(name, []).await?;
        expect(&alice.chat(&chat_id).await?["group"]["name"]).to_equal(name)?;
        expect(&alice.group(&chat_id).await?["name"]).to_equal(name)?;
        expect(&alice.history(&chat_id).await?[0]["to"]).to_equal(name)?;
    }
    Ok(())
}

/// Texts that are no name of a group, and what is wrong with them. (GRP-2)
pub(super) fn bad_names(world: &World) -> Vec<(String, Option<FieldCode>)> {
    let most = usize::try_from(world.limits().max_group_name_chars).unwrap_or(100);
    vec![
        (String::new(), Some(FieldCode::TooShort)),
        ("x".repeat(most + 1), Some(FieldCode::TooLong)),
        ("\u{1F600}".repeat(most + 1), Some(FieldCode::TooLong)),
        // Which of the codes fits these is not said.
        (" ".to_owned(), None),
        ("\u{3000}\u{a0}\u{2003}".to_owned(), None),
        ("two\nlines".to_owned(), None),
        ("a\ttab".to_owned(), None),
        ("a\rreturn".to_owned(), None),
        ("bell\u{7}".to_owned(), None),
        ("delete\u{7f}".to_owned(), None),
        ("next\u{85}line".to_owned(), None),
        ("line\u{2028}separator".to_owned(), None),
        ("paragraph\u{2029}separator".to_owned(), None),
        ("nul\0".to_owned(), None),
    ]
}

/// `invalid_request` for a field, with that code where it is known.
pub(super) fn refused_for(answer: &Answer, field: &str, code: Option<FieldCode>) -> Verdict {
    match code {
        Some(code) => answer.refused_field(field, code),
        None => names_field(answer, field),
    }
}

async fn what_is_no_name_of_a_group_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let draft = GroupDraft::new("a name");
    for (name, code) in bad_names(world) {
        let answer = alice.creating(&GroupDraft { name, ..draft.clone() }).send().await?;
        refused_for(&answer, "name", code)?;
    }
    let without = json!({ "client_id": draft.client_id });
    alice.post("/v1/groups", &without).send().await?.refused_field("name", FieldCode::Missing)?;
    let number = json!({ "client_id": draft.client_id, "name": 7 });
    alice.post("/v1/groups", &number).send().await?.refused_field("name", FieldCode::WrongType)?;
    let anonymous = json!({ "name": "a name" });
    alice.post("/v1/groups", &anonymous).send().await?.refused_field("client_id", FieldCode::Missing)?;
    expect(&alice.reads("/v1/chats").await?["items"]).to_equal(json!([]))?;
    // The same id is free still.
    alice.creates(&draft).await?;
    Ok(())
}

async fn descriptions_have_a_bound(world: &World) -> Verdict {
    let alice = world.user().await?;
    let most = usize::try_from(world.limits().max_group_description_chars).unwrap_or(500);
    let with = |description: &str| {
        let mut body = GroupDraft::new("described").body();
        body["description"] = json!(description);
        alice.post("/v1/groups", &body)
    };
    let good = ["", " ", "two\nlines", "  around  ", &"\u{1F600}".repeat(most), &"e\u{301}".repeat(most / 2), "مرحبا"];
    for description in good {
        let chat_id = text_at(&with(description).send().await?.succeeded(201)?, "chat_id")?;
        expect(&alice.group(&chat_id).await?["description"]).to_equal(description)?;
        expect(&alice.chat(&chat_id).await?["group"]["description"]).to_equal(description)?;
    }
    with(&"x".repeat(most + 1)).send().await?.refused_field("description", FieldCode::TooLong)?;
    names_field(&with("nul\0").send().await?, "description")?;
    expect(alice.reads("/v1/chats").await?["items"].as_array().map(Vec::len)).to_equal(good.len())
}

async fn members_of_a_new_group_have_a_bound(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let most = usize::try_from(world.limits().max_members_per_call).unwrap_or(100);
    // Names of nobody are names all the same.
    let mark = world.newcomer().username;
    let mut many: Vec<String> = (0..most - 1).map(|number| format!("{mark}-{number}")).collect();
    many.push(bob.username.clone());
    let created = alice.creates(&GroupDraft::new("many names").naming(&many)).await?;
    let results = list_at(&created, "results")?;
    expect(results.iter().map(|result| &result["username"]).collect::<Vec<_>>()).to_equal(&many)?;
    let added: Vec<_> = results.iter().filter(|result| result["added"] == true).map(|one| &one["username"]).collect();
    expect(added).to_equal([&bob.username])?;
    many.push(mark);
    let answer = alice.creating(&GroupDraft::new("one more").naming(&many)).send().await?;
    answer.refused_field("members", FieldCode::TooLong)?;
    let answer = alice.creating(&GroupDraft::new("no name").naming(["not a name"])).send().await?;
    answer.refused_with(ErrorCode::InvalidRequest)?;
    expect(alice.reads("/v1/chats").await?["items"].as_array().map(Vec::len)).to_equal(1)
}

/// `invalid_request` with the field code `conflicting`, whichever item it names.
pub(in crate::cases) fn is_conflicting(answer: &Answer) -> Verdict {
    let problem = answer.refused_with(ErrorCode::InvalidRequest)?;
    let fields = problem["fields"].as_array().cloned().unwrap_or_default();
    check(fields.iter().any(|field| field["code"] == FieldCode::Conflicting.as_str()), || {
        ("invalid_request with the field code conflicting", answer.to_string())
    })
}

async fn a_name_that_stands_twice_is_refused(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let chat_id = alice.founds("ours", []).await?;
    let twice: [Vec<String>; 3] = [
        vec![bob.username.clone(), bob.username.clone()],
        vec![bob.username.to_uppercase(), carol.username.clone(), bob.username.to_lowercase()],
        // Of nobody, too.
        vec!["nobody-at-all".to_owned(), "Nobody-At-All".to_owned()],
    ];
    for names in &twice {
        is_conflicting(&alice.creating(&GroupDraft::new("twice").naming(names)).send().await?)?;
        is_conflicting(&alice.adding(&chat_id, names).send().await?)?;
    }
    expect(alice.history(&chat_id).await?.len()).to_equal(1)?;
    let told: Vec<Value> = bob.reads("/v1/chats").await?["items"].as_array().cloned().unwrap_or_default();
    expect(told).to_equal(json!([]))
}

async fn a_picture_that_there_is_not_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let draft = GroupDraft::new("pictured");
    let mut body = draft.body();
    body["picture_id"] = json!(missing_id());
    alice.post("/v1/groups", &body).send().await?.refused_with(ErrorCode::MediaNotUsable)?;
    body["picture_id"] = json!("a picture");
    alice.post("/v1/groups", &body).send().await?.refused_field("picture_id", FieldCode::BadFormat)?;
    expect(&alice.reads("/v1/chats").await?["items"]).to_equal(json!([]))?;
    // Without a picture, by `null` or by leaving it out, the same id is good.
    body["picture_id"] = Value::Null;
    let first = alice.post("/v1/groups", &body).send().await?.succeeded(201)?;
    expect(alice.creates(&draft).await?).to_equal(&first)?;
    group_has_no_picture(&alice, &text_at(&first, "chat_id")?).await
}

async fn group_has_no_picture(user: &User, chat_id: &str) -> Verdict {
    let group = user.group(chat_id).await?;
    check(group.get("picture_id").is_none(), || ("a group without picture_id", group.to_string()))
}
