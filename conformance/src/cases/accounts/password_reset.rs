//! Setting a new password without the old one. (ACC-13 to ACC-18)

mod ending;
mod limits;

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::json;

use super::{look_alike, millis, size, wrong_code};
use crate::{
    case::Case,
    cases,
    client::Answer,
    expect::{check, expect, text_at},
    mail::{MailSource, Seen, codes_in},
    verdict::{InSetup, Stop, Verdict},
    world::{Newcomer, Ticket, User, World, patiently},
};

/// The cases of setting a new password.
pub fn all() -> Vec<Case> {
    [CASES, limits::CASES, ending::CASES].concat()
}

cases! { Core:
    a_new_password_is_set_in_three_steps ["ACC-13", "ACC-15", "ACC-2"],
    the_address_to_reset_counts_without_regard_to_case ["ACC-13", "ACC-10"],
    mail_goes_to_an_account_as_its_owner_wrote_the_address ["ACC-10", "ACC-13", "ACC-3"],
    an_unknown_address_is_answered_as_a_known_one ["ACC-14"],
    a_ticket_of_a_reset_works_for_its_own_step_and_once ["ACC-15", "ACC-4"],
    a_ticket_of_a_reset_lives_for_fifteen_minutes ["ACC-15", "ACC-4"],
    a_ticket_works_for_its_own_purpose_only ["ACC-16"],
    a_new_password_has_its_length ["ACC-15", "ACC-9", "ERR-5"],
    the_last_step_of_a_reset_does_not_sign_in ["ACC-18", "ACC-13"],
    the_answer_to_a_reset_does_not_wait_for_the_mail ["ACC-15", "ACC-12"],
}

/// Somebody who has forgotten a password, or says so.
struct Forgetful<'w> {
    world: &'w World,
    /// Reads the mail to the address.
    reader: Newcomer<'w>,
}

impl<'w> Forgetful<'w> {
    fn new(world: &'w World, address: impl Into<String>) -> Self {
        Self { world, reader: world.newcomer().with_email(address) }
    }

    /// The first step.
    async fn asks(&self) -> Verdict<Answer> {
        patiently(self.reader.client.post("/v1/password-reset", &json!({ "email": self.reader.email }))).await
    }

    /// The first step, and the code from the mail.
    async fn gets_ticket(&self) -> Verdict<Ticket> {
        let seen = self.world.target().mail().seen(&self.reader.email).await;
        let ticket = text_at(&self.asks().await?.succeeded(202)?, "ticket")?;
        self.world.journal().secret(&ticket);
        Ok(Ticket { ticket, code: self.reader.reads_code(&seen).await? })
    }

    /// The second step.
    async fn verifies(&self, ticket: &str, code: &str) -> Verdict<Answer> {
        let body = json!({ "ticket": ticket, "code": code });
        patiently(self.reader.client.post("/v1/password-reset/verify", &body)).await
    }

    /// The first two steps: answers the ticket for the last.
    async fn proves_address(&self) -> Verdict<String> {
        let Ticket { ticket, code } = self.gets_ticket().await?;
        let ticket = text_at(&self.verifies(&ticket, &code).await?.succeeded(200)?, "ticket")?;
        self.world.journal().secret(&ticket);
        Ok(ticket)
    }

    /// The last step.
    async fn completes(&self, ticket: &str, password: &str) -> Verdict<Answer> {
        self.world.journal().secret(password);
        let body = json!({ "ticket": ticket, "password": password });
        patiently(self.reader.client.post("/v1/password-reset/complete", &body)).await
    }

    /// All three steps. Inconclusive when one does not work.
    async fn resets_to(&self, password: &str) -> Verdict {
        let ticket = self.proves_address().await.in_setup("proving an address")?;
        self.completes(&ticket, password).await?.succeeded_without_body().in_setup("setting a new password")
    }
}

/// Signs in with a password.
async fn signs_in_with(user: &User, password: &str) -> Verdict<Answer> {
    let body = json!({ "login": user.username, "password": password });
    patiently(user.anonymous().post("/v1/sessions", &body)).await
}

/// A password that nobody had before.
fn new_password(world: &World) -> String {
    world.newcomer().password
}

async fn a_new_password_is_set_in_three_steps(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let first = forgetful.gets_ticket().await?;
    let verified = forgetful.verifies(&first.ticket, &first.code).await?.succeeded(200)?;
    let second = text_at(&verified, "ticket")?;
    check(second != first.ticket, || ("a ticket for the last step", "that of the first step again"))?;
    let password = new_password(world);
    forgetful.completes(&second, &password).await?.succeeded_without_body()?;
    let session = signs_in_with(&alice, &password).await?.succeeded(201)?;
    expect(&session["user"]).to_equal(alice.as_value())?;
    signs_in_with(&alice, &alice.password).await?.refused_with(ErrorCode::WrongCredentials)?;
    // It was about that account alone.
    signs_in_with(&bob, &password).await?.refused_with(ErrorCode::WrongCredentials)?;
    bob.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}

async fn the_address_to_reset_counts_without_regard_to_case(world: &World) -> Verdict {
    let alice = world.user().await?;
    // The mail goes where the account says, in whatever case that was typed now.
    let seen = world.target().mail().seen(&alice.email).await;
    let asked = Forgetful::new(world, alice.email.to_uppercase()).asks().await?.succeeded(202)?;
    let forgetful = Forgetful::new(world, &alice.email);
    let code = forgetful.reader.reads_code(&seen).await?;
    let verified = forgetful.verifies(&text_at(&asked, "ticket")?, &code).await?.succeeded(200)?;
    let password = new_password(world);
    forgetful.completes(&text_at(&verified, "ticket")?, &password).await?.succeeded_without_body()?;
    signs_in_with(&alice, &password).await?.succeeded(201)?;
    Ok(())
}

async fn mail_goes_to_an_account_as_its_owner_wrote_the_address(world: &World) -> Verdict {
    let MailSource::Receiver(mailbox) = world.target().mail() else {
        return Err(Stop::skipped("only the suite's own SMTP receiver sees how a mail was addressed"));
    };
    let newcomer = world.newcomer();
    let address = newcomer.email.replacen('u', "U", 1);
    let alice = newcomer.with_email(&address).signs_up().await?;
    let typed = address.to_lowercase();
    // A domain may be written in any case on the way; the rest names another mailbox on some mail servers.
    let addressed_right = || {
        let recipient = mailbox.newest_recipient(&address).unwrap_or_default();
        let local = |address: &str| address.split('@').next().map(ToOwned::to_owned);
        check(local(&recipient) == local(&address), || (&address, &recipient))
    };
    let seen = world.target().mail().seen(&address).await;
    let forgetful = Forgetful::new(world, &typed);
    let asked = forgetful.asks().await?.succeeded(202)?;
    let code = forgetful.reader.reads_code(&seen).await?;
    addressed_right()?;
    let verified = forgetful.verifies(&text_at(&asked, "ticket")?, &code).await?.succeeded(200)?;
    let password = new_password(world);
    forgetful.completes(&text_at(&verified, "ticket")?, &password).await?.succeeded_without_body()?;
    signs_in_with(&alice, &password).await?.succeeded(201)?;
    // So does the word that somebody tried to sign up with it.
    let seen = world.target().mail().seen(&address).await;
    let stranger = world.newcomer().with_email(&typed);
    stranger.asks().await?.succeeded(202)?;
    stranger.reads_mail(&seen).await?;
    addressed_right()
}

async fn an_unknown_address_is_answered_as_a_known_one(world: &World) -> Verdict {
    let alice = world.user().await?;
    let known = Forgetful::new(world, &alice.email);
    let asked = known.asks().await?;
    asked.succeeded(202)?;
    let nobody = Forgetful::new(world, world.newcomer().email);
    let unknown = nobody.asks().await?;
    look_alike(&asked, &unknown)?;
    let ticket = text_at(&unknown.succeeded(202)?, "ticket")?;
    // The mail says that there is no account; whatever six digits may stand in it are no code.
    let mail = nobody.reader.reads_mail(&Seen::default()).await?;
    let mut codes = codes_in(&mail);
    codes.truncate(2);
    codes.push("000000".to_owned());
    for code in codes {
        nobody.verifies(&ticket, &code).await?.refused_with(ErrorCode::WrongCode)?;
    }
    // No account has come into being by that.
    let body = json!({ "login": nobody.reader.email, "password": alice.password });
    world.visitor().post("/v1/sessions", &body).send().await?.refused_with(ErrorCode::WrongCredentials)?;
    // The same steps go well for an address with an account.
    let other = world.user().await?;
    Forgetful::new(world, &other.email).proves_address().await?;
    Ok(())
}

async fn a_ticket_of_a_reset_works_for_its_own_step_and_once(world: &World) -> Verdict {
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let password = new_password(world);
    let first = forgetful.gets_ticket().await?;
    forgetful.completes(&first.ticket, &password).await?.refused_with(ErrorCode::TicketInvalid)?;
    let second = text_at(&forgetful.verifies(&first.ticket, &first.code).await?.succeeded(200)?, "ticket")?;
    forgetful.verifies(&first.ticket, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    forgetful.verifies(&second, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    signs_in_with(&alice, &password).await?.refused_with(ErrorCode::WrongCredentials)?;
    forgetful.completes(&second, &password).await?.succeeded_without_body()?;
    let later = new_password(world);
    for used in [second.as_str(), first.ticket.as_str(), "never-made"] {
        forgetful.completes(used, &later).await?.refused_with(ErrorCode::TicketInvalid)?;
    }
    signs_in_with(&alice, &later).await?.refused_with(ErrorCode::WrongCredentials)?;
    signs_in_with(&alice, &password).await?.succeeded(201)?;
    Ok(())
}

async fn a_ticket_of_a_reset_lives_for_fifteen_minutes(world: &World) -> Verdict {
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let first = forgetful.gets_ticket().await?;
    let verified = forgetful.verifies(&first.ticket, &first.code).await?.succeeded(200)?;
    // Both times come from the clock of the server; the session was made a moment later, give or take a slow machine.
    let phone = alice.signs_in_again().await?;
    let sessions = phone.get("/v1/sessions").send().await?.succeeded(200)?;
    let lifetime = millis(&verified["expires_at"]) - millis(&sessions["items"][0]["created_at"]);
    expect(lifetime).to_be_within(14 * 60 * 1000, 15 * 60 * 1000)?;
    let second = text_at(&verified, "ticket")?;
    forgetful.completes(&second, &new_password(world)).await?.succeeded_without_body()
}

async fn a_ticket_works_for_its_own_purpose_only(world: &World) -> Verdict {
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let newcomer = world.newcomer();
    let password = new_password(world);
    // Each first ticket, with its right code, at the second step of the other purpose.
    let (to_reset, to_sign_up) = (forgetful.gets_ticket().await?, newcomer.gets_ticket().await?);
    newcomer.verifies(&to_reset.ticket, &to_reset.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    forgetful.verifies(&to_sign_up.ticket, &to_sign_up.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    // Trying has not used them up. Each second ticket, at the last step of the other purpose.
    let verified = forgetful.verifies(&to_reset.ticket, &to_reset.code).await?.succeeded(200)?;
    let to_reset = text_at(&verified, "ticket")?;
    let verified = newcomer.verifies(&to_sign_up.ticket, &to_sign_up.code).await?.succeeded(200)?;
    let to_sign_up = text_at(&verified, "ticket")?;
    newcomer.completes(&to_reset).await?.refused_with(ErrorCode::TicketInvalid)?;
    forgetful.completes(&to_sign_up, &password).await?.refused_with(ErrorCode::TicketInvalid)?;
    // And then where they belong.
    forgetful.completes(&to_reset, &password).await?.succeeded_without_body()?;
    newcomer.completes(&to_sign_up).await?.succeeded(201)?;
    Ok(())
}

async fn a_new_password_has_its_length(world: &World) -> Verdict {
    let (least, most) = (size(world.limits().min_password_chars), size(world.limits().max_password_chars));
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    for length in [least, most] {
        let ticket = forgetful.proves_address().await?;
        for (wrong, code) in
            [("\u{1f511}".repeat(least - 1), FieldCode::TooShort), ("\u{1f511}".repeat(most + 1), FieldCode::TooLong)]
        {
            forgetful.completes(&ticket, &wrong).await?.refused_field("password", code)?;
        }
        let with_nul = forgetful.completes(&ticket, "with a \0 inside").await?;
        with_nul.refused_with(ErrorCode::InvalidRequest)?;
        // A refusal has used nothing up.
        let password = "\u{1f511}".repeat(length);
        forgetful.completes(&ticket, &password).await?.succeeded_without_body()?;
        signs_in_with(&alice, &password).await?.succeeded(201)?;
    }
    Ok(())
}

async fn the_last_step_of_a_reset_does_not_sign_in(world: &World) -> Verdict {
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let ticket = forgetful.proves_address().await?;
    let password = new_password(world);
    // Not even when a cookie is asked for, as the other last step may.
    let body = json!({ "ticket": ticket, "password": password, "cookie": true });
    let answer = forgetful.reader.client.post("/v1/password-reset/complete", &body).send().await?;
    answer.succeeded_without_body()?;
    let cookie = answer.header("set-cookie");
    check(cookie.is_none(), || ("no cookie", format!("Set-Cookie: {}", cookie.unwrap_or_default())))?;
    let session = signs_in_with(&alice, &password).await?.succeeded(201)?;
    let client = alice.with_token(text_at(&session, "token")?);
    let sessions = client.get("/v1/sessions").send().await?.succeeded(200)?;
    let open = sessions["items"].as_array().map(Vec::len);
    expect(open).to_equal(1)
}

async fn the_answer_to_a_reset_does_not_wait_for_the_mail(world: &World) -> Verdict {
    let MailSource::Receiver(mailbox) = world.target().mail() else {
        return Err(Stop::skipped("only the suite's own SMTP receiver can hold mail back"));
    };
    let alice = world.user().await?;
    let seen = world.target().mail().seen(&alice.email).await;
    let before = mailbox.count(&alice.email);
    let held = mailbox.hold(&alice.email);
    let forgetful = Forgetful::new(world, &alice.email);
    let ticket = text_at(&forgetful.asks().await?.succeeded(202)?, "ticket")?;
    expect(mailbox.count(&alice.email)).to_equal(before)?;
    drop(held);
    let code = forgetful.reader.reads_code(&seen).await?;
    forgetful.verifies(&ticket, &code).await?.succeeded(200)?;
    // A code of another ticket is as wrong as any.
    let again = forgetful.gets_ticket().await?;
    let wrong = wrong_code(&again.code, 0);
    forgetful.verifies(&again.ticket, &wrong).await?.refused_with(ErrorCode::WrongCode)?;
    Ok(())
}
