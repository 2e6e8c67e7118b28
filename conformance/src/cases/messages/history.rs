//! Reading entries and single messages. (MSG-10, MSG-11)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, FieldCode};

use crate::{
    cases,
    cases::chats::{answers_alike, missing_id, names_field},
    expect::{check, expect, list_at, text_at},
    verdict::{Stop, Verdict},
    world::{
        World,
        conversation::{Draft, items_of, messages_of, seqs},
    },
};

cases! { Messages:
    history_is_read_in_both_directions ["MSG-10", "CNV-11", "CNV-12"],
    history_read_while_others_write_shows_each_entry_once ["CNV-11", "MSG-10"],
    a_place_in_history_of_the_wrong_form_is_refused ["MSG-10", "CNV-12", "CNV-15"],
    a_message_is_found_in_its_own_chat_only ["MSG-11", "ERR-6", "CNV-7"],
}

async fn history_is_read_in_both_directions(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, (1..=7).map(|number| format!("number {number}"))).await?;
    let page = async |query: &str| {
        let page = bob.reads(format!("/v1/chats/{chat_id}/entries{query}")).await?;
        let items = seqs(list_at(&page, "items")?);
        Ok::<_, Stop>((items, page["next"].as_u64()))
    };
    let none = Vec::<u64>::new();
    let wanted = [
        ("", vec![7, 6, 5, 4, 3, 2, 1], None),
        ("?before=4", vec![3, 2, 1], None),
        ("?before=1", none.clone(), None),
        ("?before=99", vec![7, 6, 5, 4, 3, 2, 1], None),
        ("?after=4", vec![5, 6, 7], None),
        ("?after=0", vec![1, 2, 3, 4, 5, 6, 7], None),
        ("?after=7", none.clone(), None),
        ("?after=99", none, None),
        ("?limit=3", vec![7, 6, 5], Some(5)),
        ("?limit=3&before=5", vec![4, 3, 2], Some(2)),
        ("?limit=3&before=4", vec![3, 2, 1], None),
        ("?limit=3&after=2", vec![3, 4, 5], Some(5)),
        ("?limit=3&after=4", vec![5, 6, 7], None),
        ("?limit=7", vec![7, 6, 5, 4, 3, 2, 1], None),
    ];
    for (query, items, next) in wanted {
        let came = page(query).await?;
        check(came == (items.clone(), next), || {
            (format!("{items:?} and next {next:?} for entries{query}"), format!("{:?} and next {:?}", came.0, came.1))
        })?;
    }
    let path = format!("/v1/chats/{chat_id}/entries");
    for limit in 1..=8 {
        let down = items_of(&bob.reads_pages(&format!("{path}?limit={limit}"), "before").await?)?;
        expect(seqs(&down)).to_equal([7, 6, 5, 4, 3, 2, 1])?;
        let first = bob.reads(format!("{path}?limit={limit}&after=0")).await?;
        let mut up = seqs(list_at(&first, "items")?);
        let mut next = first["next"].as_u64();
        while let Some(after) = next {
            let (items, then) = page(&format!("?limit={limit}&after={after}")).await?;
            check(!items.is_empty(), || ("items where next was given", "none"))?;
            up.extend(items);
            next = then;
        }
        expect(up).to_equal([1, 2, 3, 4, 5, 6, 7])?;
    }
    Ok(())
}

async fn history_read_while_others_write_shows_each_entry_once(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, (1..=9).map(|number| format!("number {number}"))).await?;
    let path = format!("/v1/chats/{chat_id}/entries?limit=2");
    let mut came = Vec::new();
    let mut page = bob.reads(path.clone()).await?;
    loop {
        came.extend(seqs(list_at(&page, "items")?));
        alice.says(&chat_id, ["meanwhile"]).await?;
        let Some(next) = page["next"].as_u64() else { break };
        page = bob.reads(format!("{path}&before={next}")).await?;
    }
    expect(came).to_equal([9, 8, 7, 6, 5, 4, 3, 2, 1])
}

async fn a_place_in_history_of_the_wrong_form_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    alice.says(&chat_id, ["hello"]).await?;
    let path = format!("/v1/chats/{chat_id}/entries");
    let both = alice.get(format!("{path}?before=2&after=0")).send().await?;
    let problem = both.refused_with(ErrorCode::InvalidRequest)?;
    let fields = problem["fields"].as_array().cloned().unwrap_or_default();
    check(fields.iter().any(|field| field["code"] == FieldCode::Conflicting.as_str()), || {
        ("a field with the code conflicting", both.to_string())
    })?;
    for (parameter, wrong) in [
        ("before", ["0", "-1", "1.5", "x", "", "9007199254740992"]),
        ("after", ["-1", "-0.1", "1e3", "x", "", "9007199254740992"]),
    ] {
        for wrong in wrong {
            names_field(&alice.get(format!("{path}?{parameter}={wrong}")).send().await?, parameter)?;
        }
    }
    // The greatest number there is asks for nothing wrong.
    expect(seqs(list_at(&alice.reads(format!("{path}?before=9007199254740991")).await?, "items")?)).to_equal([1])
}

async fn a_message_is_found_in_its_own_chat_only(world: &World) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let with_bob = alice.opens_direct_chat_with(&bob).await?;
    let with_carol = alice.opens_direct_chat_with(&carol).await?;
    let sent = alice.sends(&with_bob, &Draft::new("for bob")).await?;
    let message_id = text_at(&sent, "message_id")?;
    bob.reads(format!("{}/{message_id}", messages_of(&with_bob))).await?;
    let elsewhere = format!("{}/{message_id}", messages_of(&with_carol));
    let nowhere = format!("{}/{}", messages_of(&with_carol), missing_id());
    let elsewhere = alice.get(elsewhere).header("X-Request-Id", "same").send().await?;
    let nowhere = alice.get(nowhere).header("X-Request-Id", "same").send().await?;
    elsewhere.refused_with(ErrorCode::MessageNotFound)?;
    answers_alike(&elsewhere, &nowhere)?;
    for wrong in ["1", "x", &message_id.to_uppercase(), &message_id.replace('-', "")] {
        // An id of digits alone has no other case.
        if *wrong != message_id {
            let answer = alice.get(format!("{}/{wrong}", messages_of(&with_bob))).send().await?;
            names_field(&answer, "message_id")?;
        }
    }
    let answer = alice.get(format!("/v1/chats/{}/entries", with_bob.replace('-', ""))).send().await?;
    names_field(&answer, "chat_id")
}
