//! Section 6: oneself and others.

pub(super) mod earth;
pub(super) mod nearby;
mod places;
mod profile;

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::json;

use crate::{
    case::Case,
    cases,
    expect::{check, expect},
    verdict::Verdict,
    world::World,
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, profile::CASES, nearby::CASES, places::CASES].concat()
}

cases! { Core:
    one_sees_ones_own_profile ["USR-1"],
    a_user_is_found_by_name_in_any_case ["USR-2", "CNV-10"],
    a_user_that_is_not_there_is_told ["USR-2"],
    a_name_of_impossible_form_is_refused ["USR-2", "ERR-4"],
    a_mail_address_is_shown_to_its_owner_alone ["USR-3"],
}

async fn one_sees_ones_own_profile(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    for user in [&alice, &bob] {
        let me = user.get("/v1/me").send().await?.succeeded(200)?;
        for (field, wanted) in [("user_id", &user.user_id), ("username", &user.username), ("email", &user.email)] {
            expect(&me[field]).to_equal(wanted)?;
        }
        expect(&me["bio"]).to_equal("")?;
    }
    Ok(())
}

async fn a_user_is_found_by_name_in_any_case(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let wanted = json!({ "user_id": bob.user_id, "username": bob.username, "bio": "" });
    for name in [bob.username.clone(), bob.username.to_lowercase(), bob.username.to_uppercase()] {
        let found = alice.get(format!("/v1/users/{name}")).send().await?.succeeded(200)?;
        for (field, value) in wanted.as_object().into_iter().flatten() {
            expect(&found[field]).to_equal(value)?;
        }
    }
    Ok(())
}

async fn a_user_that_is_not_there_is_told(world: &World) -> Verdict {
    let alice = world.user().await?;
    let nobody = world.newcomer().username;
    alice.get(format!("/v1/users/{nobody}")).send().await?.refused_with(ErrorCode::UserNotFound)?;
    // Only the exact name finds somebody.
    let part: String = alice.username.chars().take(8).collect();
    alice.get(format!("/v1/users/{part}")).send().await?.refused_with(ErrorCode::UserNotFound)?;
    alice.get(format!("/v1/users/{}", alice.username)).send().await?.succeeded(200)?;
    Ok(())
}

async fn a_name_of_impossible_form_is_refused(world: &World) -> Verdict {
    let alice = world.user().await?;
    let long = "a".repeat(31);
    let wrong = [
        ("ab", FieldCode::TooShort),
        (long.as_str(), FieldCode::TooLong),
        ("-abc", FieldCode::BadFormat),
        ("abc_", FieldCode::BadFormat),
        ("a%20bc", FieldCode::BadFormat),
        ("a%40b.example", FieldCode::BadFormat),
        ("%C3%A4bc", FieldCode::BadFormat),
    ];
    for (name, code) in wrong {
        alice.get(format!("/v1/users/{name}")).send().await?.refused_field("username", code)?;
    }
    // An escape that stands for a letter is that letter.
    let escaped: String = alice.username.bytes().flat_map(|byte| ['%', hex(byte >> 4), hex(byte & 15)]).collect();
    alice.get(format!("/v1/users/{escaped}")).send().await?.succeeded(200)?;
    Ok(())
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or_default()
}

async fn a_mail_address_is_shown_to_its_owner_alone(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let profile = alice.get(format!("/v1/users/{}", bob.username)).send().await?;
    profile.succeeded(200)?;
    let body = String::from_utf8_lossy(&profile.body).to_lowercase();
    check(!body.contains(&bob.email.to_lowercase()), || ("a profile without a mail address", body.clone()))?;
    let me = bob.get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["email"]).to_equal(&bob.email)
}
