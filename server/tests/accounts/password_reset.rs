use futures_util::future::join_all;
use i9chat_server::{
    app::{Failure, Unidentified},
    store::mails::MailMatter,
};
use i9chat_spec::api::{
    password_reset::{
        CompletePasswordResetRefusal::TicketInvalid as CannotReset,
        VerifyPasswordResetRefusal::{TicketInvalid, WrongCode},
    },
    sessions::SignInRefusal::WrongCredentials,
    signup::{CompleteSignupRefusal, VerifySignupRefusal},
};

use crate::world::{PASSWORD, World, other_than};

const NEW: &str = "battery staple";

#[tokio::test]
async fn whoever_reads_the_mail_sets_a_new_password_and_every_session_ends() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bob = world.signs_up("bob").await;
    let (_, cookie) = world.signs_in_by_cookie("alice").await;
    let ticket = world.proves_to_reset("alice@example.com").await;
    world.uses(&alice.tokens).await.unwrap();
    world.resets(&ticket, NEW).await.unwrap();
    assert!(matches!(world.uses(&alice.tokens).await, Err(Unidentified::SessionEnded)));
    assert!(matches!(world.uses_cookie(&cookie).await, Err(Unidentified::SessionEnded)));
    world.refreshes(&alice.tokens.refresh_token).await.unwrap_err();
    world.uses(&bob.tokens).await.unwrap();
    let old = world.tries_to_sign_in("alice", PASSWORD, 1).await;
    assert!(matches!(old, Err(Failure::Refused(WrongCredentials))), "{old:?}");
    world.tries_to_sign_in("alice", NEW, 1).await.unwrap();
    assert!(matches!(world.resets(&ticket, PASSWORD).await, Err(Failure::Refused(CannotReset))));
}

#[tokio::test]
async fn the_mail_goes_to_the_address_as_the_account_has_it_however_it_was_typed() {
    let world = World::new().await;
    world.signs_up("Alice").await;
    let typed = world.asks_to_reset("aLICE@EXAMPLE.com").await.ticket;
    assert_eq!(world.newest_mail("aLICE@EXAMPLE.com").await, None, "somebody else's, for all we know");
    let code = world.mailed_code("Alice@example.com").await;
    let ticket = world.verifies_reset(&typed, &code).await.unwrap();
    world.resets(&ticket, NEW).await.unwrap();
    world.tries_to_sign_in("Alice", NEW, 1).await.unwrap();
}

#[tokio::test]
async fn an_address_without_an_account_is_answered_alike_and_told_by_mail() {
    let world = World::new().await;
    let issued = world.asks_to_reset("nobody@example.com").await;
    assert_eq!(issued.expires_at, world.now().plus_seconds(900));
    assert_eq!(world.newest_mail("nobody@example.com").await, Some(MailMatter::NoAccount));
    let guess = "123456".parse().unwrap();
    for _ in 0..5 {
        assert!(matches!(world.verifies_reset(&issued.ticket, &guess).await, Err(Failure::Refused(WrongCode))));
    }
    let sixth = world.verifies_reset(&issued.ticket, &guess).await;
    assert!(matches!(sixth, Err(Failure::Refused(TicketInvalid))), "{sixth:?}");
}

#[tokio::test]
async fn tickets_of_one_purpose_are_no_good_for_the_other_and_void_none_of_it() {
    let world = World::new().await;
    world.signs_up("alice").await;
    let reset = world.asks_to_reset("alice@example.com").await.ticket;
    let code = world.mailed_code("alice@example.com").await;
    world.asks_to_sign_up("alice@example.com").await;
    let elsewhere = world.verifies(&reset, &code).await;
    assert!(matches!(elsewhere, Err(Failure::Refused(VerifySignupRefusal::TicketInvalid))), "{elsewhere:?}");
    let proven = world.verifies_reset(&reset, &code).await.unwrap();
    let elsewhere = world.completes(&proven, "alice2").await;
    assert!(matches!(elsewhere, Err(Failure::Refused(CompleteSignupRefusal::TicketInvalid))), "{elsewhere:?}");

    let sign_up = world.proves("bob@example.com").await;
    assert!(matches!(world.resets(&sign_up, NEW).await, Err(Failure::Refused(CannotReset))));
    world.completes(&sign_up, "bob").await.unwrap();
    world.resets(&proven, NEW).await.unwrap();
}

#[tokio::test]
async fn a_ticket_is_good_for_its_own_step_and_runs_out() {
    let world = World::new().await;
    world.signs_up("alice").await;
    let first = world.asks_to_reset("alice@example.com").await.ticket;
    assert!(matches!(world.resets(&first, NEW).await, Err(Failure::Refused(CannotReset))));
    let code = world.mailed_code("alice@example.com").await;
    let wrong = world.verifies_reset(&first, &other_than(&code)).await;
    assert!(matches!(wrong, Err(Failure::Refused(WrongCode))), "{wrong:?}");
    let second = world.verifies_reset(&first, &code).await.unwrap();
    world.wait(900);
    assert!(matches!(world.resets(&second, NEW).await, Err(Failure::Refused(CannotReset))));
    world.signs_in("alice").await;
}

#[tokio::test]
async fn a_sixth_ticket_within_an_hour_gets_no_mail_and_sign_ups_are_counted_apart() {
    let world = World::new().await;
    world.signs_up("alice").await;
    for _ in 0..5 {
        world.asks_to_reset("alice@example.com").await;
    }
    let last = world.mailed_code("alice@example.com").await;
    let sixth = world.asks_to_reset("alice@example.com").await.ticket;
    assert_eq!(world.mailed_code("alice@example.com").await, last, "no further mail is there");
    assert!(matches!(world.verifies_reset(&sixth, &last).await, Err(Failure::Refused(WrongCode))));
    world.asks_to_sign_up("alice@example.com").await;
    assert_eq!(world.newest_mail("alice@example.com").await, Some(MailMatter::AlreadyRegistered));
}

#[tokio::test]
async fn one_ticket_sets_one_password_however_often_it_is_used_at_once() {
    let world = World::new().await;
    world.signs_up("alice").await;
    let ticket = world.proves_to_reset("alice@example.com").await;
    let passwords: Vec<_> = (0..4).map(|n| format!("{NEW} {n}")).collect();
    let answers = join_all(passwords.iter().map(|password| world.resets(&ticket, password))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    for (password, answer) in passwords.iter().zip(&answers) {
        assert_eq!(world.tries_to_sign_in("alice", password, 1).await.is_ok(), answer.is_ok());
    }
}

#[tokio::test]
async fn no_session_of_the_old_password_outlives_a_reset_however_they_race() {
    for _ in 0..8 {
        let world = World::new().await;
        world.signs_up("alice").await;
        let ticket = world.proves_to_reset("alice@example.com").await;
        let sign_ins = join_all((0..4).map(|_| world.tries_to_sign_in("alice", PASSWORD, 1)));
        let (reset, opened) = tokio::join!(world.resets(&ticket, NEW), sign_ins);
        reset.unwrap();
        for opened in opened.into_iter().flatten() {
            let used = world.uses(&opened.tokens.unwrap()).await;
            assert!(matches!(used, Err(Unidentified::SessionEnded)), "{used:?}");
        }
    }
}
