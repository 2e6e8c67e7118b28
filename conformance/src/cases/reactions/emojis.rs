//! What is one emoji. (REA-2)

use i9chat_spec::FieldCode;
use serde_json::json;

use crate::{
    cases,
    cases::chats::names_field,
    expect::{check, expect},
    verdict::Verdict,
    world::{World, marks::reaction_to},
};

cases! { Reactions:
    an_emoji_is_kept_as_sent ["REA-2", "CNV-9"],
    what_is_not_one_emoji_is_refused ["REA-2", "ERR-4", "ERR-5", "CAP-2"],
}

async fn an_emoji_is_kept_as_sent(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    let good = [
        "👍",
        "😀",
        // With a skin tone; with a variation selector, and without.
        "👍\u{1F3FD}",
        "❤",
        "❤\u{FE0F}",
        "❤\u{FE0E}",
        // Joined: a family, a flag of colours, a couple with skin tones (10 characters).
        "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}",
        "\u{1F3F3}\u{FE0F}\u{200D}\u{1F308}",
        "\u{1F9D1}\u{1F3FD}\u{200D}❤\u{FE0F}\u{200D}\u{1F48B}\u{200D}\u{1F9D1}\u{1F3FB}",
        // Two regional indicators; keycaps; tags.
        "\u{1F1E9}\u{1F1EA}",
        "1\u{FE0F}\u{20E3}",
        "#\u{FE0F}\u{20E3}",
        "*\u{20E3}",
        "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
        "©",
        "㊗\u{FE0F}",
    ];
    for emoji in good {
        expect(bob.reacts(&chat_id, &message_id, emoji).await?).to_equal(json!([{ "emoji": emoji, "count": 1 }]))?;
        expect(&bob.message(&chat_id, &message_id).await?["own_reaction"]).to_equal(emoji)?;
        expect(alice.reactions_of(&chat_id, &message_id).await?).to_equal([(&bob.username, emoji)])?;
    }
    Ok(())
}

async fn what_is_not_one_emoji_is_refused(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "hello").await?;
    let most = usize::try_from(world.limits().max_emoji_chars).unwrap_or(16);
    // One cluster however long: joined people, each two characters with the joiner before it.
    let people = |count: usize| ["\u{1F468}"].repeat(count).join("\u{200D}");
    let at_most = people(most / 2) + if most.is_multiple_of(2) { "\u{FE0F}" } else { "" };
    expect(at_most.chars().count()).to_equal(most)?;
    bob.reacts(&chat_id, &message_id, &at_most).await?;
    let put = |emoji: serde_json::Value| bob.put(reaction_to(&chat_id, &message_id)).json(&json!({ "emoji": emoji }));
    put(json!(format!("{at_most}\u{FE0F}"))).send().await?.refused_field("emoji", FieldCode::TooLong)?;
    put(json!("")).send().await?.refused_field("emoji", FieldCode::TooShort)?;
    put(json!(null)).send().await?.refused_field("emoji", FieldCode::Missing)?;
    put(json!(7)).send().await?.refused_field("emoji", FieldCode::WrongType)?;
    for wrong in [
        "a",
        "1",
        "#",
        "*",
        " ",
        "\n",
        ":-)",
        ":+1:",
        "é",
        "ש",
        "漢",
        "\u{FE0F}",
        "\u{200D}",
        "\u{20E3}",
        // Two of them, or one and something else.
        "👍👍",
        "👍 ",
        " 👍",
        "👍a",
        "a👍",
        "👍\u{301}",
        "👍\n",
        "👍\0",
        "\0",
        "1\u{FE0F}\u{20E3}2\u{FE0F}\u{20E3}",
        // Half a flag, a flag and a half, a skin tone alone, a digit without its keycap.
        "\u{1F1E9}",
        "\u{1F1E9}\u{1F1EA}\u{1F1EB}",
        "\u{1F1E9}\u{1F1EA}\u{1F1EB}\u{1F1F7}",
        "\u{1F3FD}",
        "1\u{FE0F}",
    ] {
        names_field(&put(json!(wrong)).send().await?, "emoji")?;
    }
    let message = alice.message(&chat_id, &message_id).await?;
    check(message["reactions"] == json!([{ "emoji": at_most, "count": 1 }]), || {
        ("the reaction that was good, alone", message.to_string())
    })
}
