//! Section 4: signing up, what an account is, and setting a new password.

mod password_reset;

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    client::Answer,
    expect::{check, expect, text_at},
    mail::{MailSource, Seen, codes_in},
    verdict::{Stop, Verdict},
    world::{Newcomer, World},
};

/// The cases of this section.
pub fn all() -> Vec<Case> {
    [CASES, &password_reset::all()].concat()
}

cases! { Core:
    signing_up_takes_three_steps ["ACC-1", "ACC-2", "SES-1", "USR-1"],
    a_known_address_is_answered_as_an_unknown_one ["ACC-3", "ACC-10"],
    a_ticket_works_for_its_own_step_only ["ACC-4"],
    a_ticket_works_once ["ACC-4"],
    a_ticket_lives_for_fifteen_minutes ["ACC-4"],
    five_wrong_codes_void_a_ticket ["ACC-5", "CAP-2"],
    fewer_wrong_codes_leave_a_ticket_good ["ACC-5", "CAP-2"],
    a_new_ticket_voids_the_earlier_ones ["ACC-6"],
    a_sixth_ticket_in_an_hour_is_never_good ["ACC-7"],
    after_twenty_wrong_codes_a_day_every_code_is_wrong ["ACC-7"],
    a_username_has_its_form ["ACC-8", "CAP-2"],
    a_username_is_taken_in_every_case ["ACC-8"],
    of_two_who_want_one_name_at_once_one_gets_it ["ACC-8"],
    a_password_has_its_length ["ACC-9", "CAP-2"],
    of_two_tickets_for_one_address_one_completes ["ACC-10", "ACC-6"],
    a_bio_has_its_length ["ACC-11", "CAP-2"],
    the_answer_does_not_wait_for_the_mail ["ACC-12"],
}

/// Another code than this one; never the right one.
fn wrong_code(right: &str, turn: usize) -> String {
    let right: usize = right.parse().unwrap_or_default();
    format!("{:06}", (right + 1 + turn) % 1_000_000)
}

async fn signing_up_takes_three_steps(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let session = newcomer.completes(&ticket).await?.succeeded(201)?;
    expect(&session["user"]["username"]).to_equal(&newcomer.username)?;
    text_at(&session, "refresh_token")?;
    let token = text_at(&session, "token")?;
    let me = newcomer.client.with_token(token).get("/v1/me").send().await?.succeeded(200)?;
    expect(&me["user_id"]).to_equal(&session["user"]["user_id"])?;
    expect(&me["username"]).to_equal(&newcomer.username)?;
    expect(&me["email"]).to_equal(&newcomer.email)?;
    expect(&me["bio"]).to_equal("")
}

/// The answers of two requests look the same: status, and the names of what they hold.
fn look_alike(one: &Answer, other: &Answer) -> Verdict {
    let names = |answer: &Answer| {
        let fields = answer.value.as_ref().and_then(Value::as_object);
        fields.map(|fields| fields.keys().cloned().collect::<Vec<_>>())
    };
    check(one.status == other.status && names(one) == names(other), || (one.to_string(), other.to_string()))
}

async fn a_known_address_is_answered_as_an_unknown_one(world: &World) -> Verdict {
    let alice = world.user().await?;
    let unknown = world.newcomer().asks().await?;
    unknown.succeeded(202)?;
    for email in [alice.email.clone(), alice.email.to_uppercase()] {
        let again = world.newcomer().with_email(email);
        // The mail of Alice's own signing up has come before.
        let seen = world.target().mail().seen(&again.email).await;
        let known = again.asks().await?;
        look_alike(&unknown, &known)?;
        let ticket = text_at(&known.succeeded(202)?, "ticket")?;
        // The mail tells the owner; whatever six digits may stand in it are no code.
        let mail = again.reads_mail(&seen).await?;
        let mut codes = codes_in(&mail);
        codes.truncate(2);
        codes.push("000000".to_owned());
        for code in codes {
            again.verifies(&ticket, &code).await?.refused_with(ErrorCode::WrongCode)?;
        }
    }
    // The same steps go well for an address without an account.
    world.newcomer().signs_up().await?;
    Ok(())
}

async fn a_ticket_works_for_its_own_step_only(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let first = newcomer.gets_ticket().await?;
    newcomer.completes(&first.ticket).await?.refused_with(ErrorCode::TicketInvalid)?;
    let second = text_at(&newcomer.verifies(&first.ticket, &first.code).await?.succeeded(200)?, "ticket")?;
    newcomer.verifies(&second, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    newcomer.completes(&second).await?.succeeded(201)?;
    Ok(())
}

async fn a_ticket_works_once(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let first = newcomer.gets_ticket().await?;
    let second = text_at(&newcomer.verifies(&first.ticket, &first.code).await?.succeeded(200)?, "ticket")?;
    newcomer.verifies(&first.ticket, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    newcomer.completes(&second).await?.succeeded(201)?;
    newcomer.completes(&second).await?.refused_with(ErrorCode::TicketInvalid)?;
    let other = newcomer.with_username(world.newcomer().username);
    other.completes(&second).await?.refused_with(ErrorCode::TicketInvalid)?;
    other.completes("never-made").await?.refused_with(ErrorCode::TicketInvalid)?;
    Ok(())
}

async fn a_ticket_lives_for_fifteen_minutes(world: &World) -> Verdict {
    expect(world.lifetimes().ticket_ttl_s).to_equal(15 * 60)?;
    let newcomer = world.newcomer();
    let first = newcomer.gets_ticket().await?;
    let verified = newcomer.verifies(&first.ticket, &first.code).await?.succeeded(200)?;
    let session = newcomer.completes(&text_at(&verified, "ticket")?).await?.succeeded(201)?;
    // Both times come from the clock of the server; the account was made in the same moment, give or take a slow machine.
    let alice = newcomer.client.with_token(text_at(&session, "token")?);
    let made = alice.get("/v1/me").send().await?.succeeded(200)?;
    let lifetime = millis(&verified["expires_at"]) - millis(&made["created_at"]);
    expect(lifetime).to_be_within(14 * 60 * 1000, 15 * 60 * 1000)
}

fn millis(time: &Value) -> i64 {
    time.as_str()
        .and_then(|text| text.parse::<i9chat_spec::Timestamp>().ok())
        .map_or(0, i9chat_spec::Timestamp::as_millis)
}

async fn five_wrong_codes_void_a_ticket(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let first = newcomer.gets_ticket().await?;
    let most = tries(world)?;
    for turn in 0..most {
        newcomer.verifies(&first.ticket, &wrong_code(&first.code, turn)).await?.refused_with(ErrorCode::WrongCode)?;
    }
    newcomer.verifies(&first.ticket, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    newcomer.verifies(&first.ticket, &wrong_code(&first.code, 7)).await?.refused_with(ErrorCode::TicketInvalid)?;
    Ok(())
}

async fn fewer_wrong_codes_leave_a_ticket_good(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let first = newcomer.gets_ticket().await?;
    for turn in 1..tries(world)? {
        newcomer.verifies(&first.ticket, &wrong_code(&first.code, turn)).await?.refused_with(ErrorCode::WrongCode)?;
    }
    newcomer.verifies(&first.ticket, &first.code).await?.succeeded(200)?;
    Ok(())
}

/// How many wrong codes a ticket takes; the specification says five.
fn tries(world: &World) -> Verdict<usize> {
    let most = world.limits().max_wrong_codes;
    expect(most).to_equal(5)?;
    Ok(usize::try_from(most).unwrap_or_default())
}

async fn a_new_ticket_voids_the_earlier_ones(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let first = newcomer.gets_ticket().await?;
    let upper = newcomer.clone().with_email(newcomer.email.to_uppercase());
    let second = upper.gets_ticket().await?;
    check(first.ticket != second.ticket, || ("another ticket", "the same ticket again"))?;
    newcomer.verifies(&first.ticket, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    newcomer.verifies(&second.ticket, &second.code).await?.succeeded(200)?;
    Ok(())
}

async fn a_sixth_ticket_in_an_hour_is_never_good(world: &World) -> Verdict {
    expect(world.limits().tickets_per_hour).to_equal(5)?;
    let newcomer = world.newcomer();
    let mut last = newcomer.gets_ticket().await?;
    for _ in 1..5 {
        last = newcomer.gets_ticket().await?;
    }
    let sixth = newcomer.asks().await?;
    look_alike(&world.newcomer().asks().await?, &sixth)?;
    let ticket = text_at(&sixth.succeeded(202)?, "ticket")?;
    for code in [last.code.clone(), wrong_code(&last.code, 0)] {
        let answer = newcomer.verifies(&ticket, &code).await?;
        let refused =
            [ErrorCode::WrongCode, ErrorCode::TicketInvalid].iter().any(|code| answer.refused_with(*code).is_ok());
        check(refused, || ("wrong_code or ticket_invalid", answer.to_string()))?;
    }
    // A mail that was asked for later has come; the sixth has not.
    world.newcomer().gets_ticket().await?;
    match world.target().mail().count(&newcomer.email) {
        Some(mails) => expect(mails).to_equal(5),
        None => Ok(()),
    }
}

async fn after_twenty_wrong_codes_a_day_every_code_is_wrong(world: &World) -> Verdict {
    expect(world.limits().wrong_codes_per_day).to_equal(20)?;
    let newcomer = world.newcomer();
    let most = tries(world)?;
    for _ in 0..20 / most {
        let ticket = newcomer.gets_ticket().await?;
        for turn in 0..most {
            newcomer
                .verifies(&ticket.ticket, &wrong_code(&ticket.code, turn))
                .await?
                .refused_with(ErrorCode::WrongCode)?;
        }
    }
    let last = newcomer.gets_ticket().await?;
    newcomer.verifies(&last.ticket, &last.code).await?.refused_with(ErrorCode::WrongCode)?;
    Ok(())
}

/// Completes with one field changed, and answers what came.
async fn completes_with(newcomer: &Newcomer<'_>, ticket: &str, field: &str, value: &str) -> Verdict<Answer> {
    let mut account = newcomer.account(ticket);
    account[field] = json!(value);
    newcomer.client.post("/v1/signup/complete", &account).send().await
}

fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

async fn a_username_has_its_form(world: &World) -> Verdict {
    let (least, most) = (size(world.limits().min_username_chars), size(world.limits().max_username_chars));
    expect((least, most)).to_equal((3, 30))?;
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let wrong = [
        ("ab".to_owned(), FieldCode::TooShort),
        (String::new(), FieldCode::TooShort),
        ("a".repeat(31), FieldCode::TooLong),
        ("-abc".to_owned(), FieldCode::BadFormat),
        ("abc.".to_owned(), FieldCode::BadFormat),
        ("_abc_".to_owned(), FieldCode::BadFormat),
        ("a bc".to_owned(), FieldCode::BadFormat),
        ("a@bc".to_owned(), FieldCode::BadFormat),
        ("\u{e4}bc".to_owned(), FieldCode::BadFormat),
        ("abc\n".to_owned(), FieldCode::BadFormat),
    ];
    for (name, code) in wrong {
        completes_with(&newcomer, &ticket, "username", &name).await?.refused_field("username", code)?;
    }
    let longest = format!("{}-._{}", newcomer.username, "z".repeat(30));
    let longest: String = longest.chars().take(30).collect();
    let session = completes_with(&newcomer, &ticket, "username", &longest).await?.succeeded(201)?;
    expect(&session["user"]["username"]).to_equal(&longest)?;
    shortest_name_is_taken_up(world).await
}

/// A name of the fewest characters is good; short ones may be taken by others, so that a few are tried.
async fn shortest_name_is_taken_up(world: &World) -> Verdict {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    for _ in 0..20 {
        let name: String = (0..3).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect();
        let answer = completes_with(&newcomer, &ticket, "username", &name).await?;
        if answer.refused_with(ErrorCode::UsernameTaken).is_err() {
            answer.succeeded(201)?;
            return Ok(());
        }
    }
    Err(Stop::Inconclusive("20 names of 3 characters were all taken".to_owned()))
}

async fn a_username_is_taken_in_every_case(world: &World) -> Verdict {
    let alice = world.user().await?;
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    for name in [alice.username.clone(), alice.username.to_lowercase(), alice.username.to_uppercase()] {
        completes_with(&newcomer, &ticket, "username", &name).await?.refused_with(ErrorCode::UsernameTaken)?;
    }
    // The refusals left the ticket usable.
    newcomer.completes(&ticket).await?.succeeded(201)?;
    Ok(())
}

async fn of_two_who_want_one_name_at_once_one_gets_it(world: &World) -> Verdict {
    let one = world.newcomer();
    let other = world.newcomer().with_username(one.username.to_lowercase());
    let (ticket, others) = futures_util::try_join!(one.proves_address(), other.proves_address())?;
    let (answer, others) = futures_util::try_join!(one.completes(&ticket), other.completes(&others))?;
    let (winner, loser) = if answer.status == 201 { (answer, others) } else { (others, answer) };
    winner.succeeded(201)?;
    loser.refused_with(ErrorCode::UsernameTaken)?;
    Ok(())
}

async fn a_password_has_its_length(world: &World) -> Verdict {
    let (least, most) = (size(world.limits().min_password_chars), size(world.limits().max_password_chars));
    expect((least, most)).to_equal((8, 128))?;
    // Characters are counted, not bytes.
    for length in [least, most] {
        let newcomer = world.newcomer();
        let ticket = newcomer.proves_address().await?;
        let refused =
            [("\u{1f511}".repeat(least - 1), FieldCode::TooShort), ("\u{1f511}".repeat(most + 1), FieldCode::TooLong)];
        for (password, code) in refused {
            completes_with(&newcomer, &ticket, "password", &password).await?.refused_field("password", code)?;
        }
        let password = "\u{1f511}".repeat(length);
        completes_with(&newcomer, &ticket, "password", &password).await?.succeeded(201)?;
        let body = json!({ "login": newcomer.username, "password": password });
        newcomer.client.post("/v1/sessions", &body).send().await?.succeeded(201)?;
    }
    Ok(())
}

async fn of_two_tickets_for_one_address_one_completes(world: &World) -> Verdict {
    let one = world.newcomer();
    let other = world.newcomer().with_email(one.email.to_uppercase());
    let first = one.proves_address().await?;
    let second = other.proves_address().await?;
    let (first, second) = futures_util::try_join!(one.completes(&first), other.completes(&second))?;
    let (winner, loser) = if first.status == 201 { (first, second) } else { (second, first) };
    winner.succeeded(201)?;
    loser.refused_with(ErrorCode::TicketInvalid)?;
    Ok(())
}

async fn a_bio_has_its_length(world: &World) -> Verdict {
    let most = size(world.limits().max_bio_chars);
    expect(most).to_equal(150)?;
    let newcomer = world.newcomer();
    let ticket = newcomer.proves_address().await?;
    let answer = completes_with(&newcomer, &ticket, "bio", &"\u{e9}".repeat(most + 1)).await?;
    answer.refused_field("bio", FieldCode::TooLong)?;
    completes_with(&newcomer, &ticket, "bio", &"\u{e9}".repeat(most)).await?.succeeded(201)?;
    Ok(())
}

async fn the_answer_does_not_wait_for_the_mail(world: &World) -> Verdict {
    let MailSource::Receiver(mailbox) = world.target().mail() else {
        return Err(Stop::skipped("only the suite's own SMTP receiver can hold mail back"));
    };
    let newcomer = world.newcomer();
    let held = mailbox.hold(&newcomer.email);
    let ticket = text_at(&newcomer.asks().await?.succeeded(202)?, "ticket")?;
    expect(mailbox.count(&newcomer.email)).to_equal(0)?;
    drop(held);
    let code = newcomer.reads_code(&Seen::default()).await?;
    newcomer.verifies(&ticket, &code).await?.succeeded(200)?;
    Ok(())
}
