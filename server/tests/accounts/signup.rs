use futures_util::future::join_all;
use i9chat_server::{app::Failure, store::mails::MailMatter};
use i9chat_spec::api::signup::{
    CompleteSignupRefusal::{TicketInvalid as CannotComplete, UsernameTaken},
    VerifySignupRefusal::{TicketInvalid, WrongCode},
};

use crate::world::{World, member, other_than};

#[tokio::test]
async fn a_newcomer_signs_up_in_three_steps_and_is_signed_in() {
    let world = World::new().await;
    let issued = world.asks_to_sign_up("Alice@Example.com").await;
    assert_eq!(issued.expires_at, world.now().plus_seconds(900));
    let ticket = world.verifies(&issued.ticket, &world.mailed_code("Alice@Example.com").await).await.unwrap();
    let alice = member(world.completes(&ticket, "Alice").await.unwrap());
    assert_eq!(alice.user.username.as_str(), "Alice");
    assert_eq!(world.uses(&alice.tokens).await.unwrap(), alice.identity());
    world.signs_in("ALICE@example.com").await;
}

#[tokio::test]
async fn a_ticket_is_good_for_its_own_step_and_once() {
    let world = World::new().await;
    let first = world.asks_to_sign_up("alice@example.com").await.ticket;
    let code = world.mailed_code("alice@example.com").await;
    assert!(matches!(world.completes(&first, "alice").await, Err(Failure::Refused(CannotComplete))));
    let second = world.verifies(&first, &code).await.unwrap();
    assert!(matches!(world.verifies(&first, &code).await, Err(Failure::Refused(TicketInvalid))));
    assert!(matches!(world.verifies(&second, &code).await, Err(Failure::Refused(TicketInvalid))));
    world.completes(&second, "alice").await.unwrap();
    assert!(matches!(world.completes(&second, "alice2").await, Err(Failure::Refused(CannotComplete))));
}

#[tokio::test]
async fn a_new_ticket_voids_the_earlier_one() {
    let world = World::new().await;
    let first = world.asks_to_sign_up("alice@example.com").await.ticket;
    let code = world.mailed_code("alice@example.com").await;
    let second = world.asks_to_sign_up("ALICE@example.com").await.ticket;
    assert!(matches!(world.verifies(&first, &code).await, Err(Failure::Refused(TicketInvalid))));
    let code = world.mailed_code("ALICE@example.com").await;
    let proven = world.verifies(&second, &code).await.unwrap();
    world.asks_to_sign_up("alice@example.com").await;
    assert!(matches!(world.completes(&proven, "alice").await, Err(Failure::Refused(CannotComplete))));
}

#[tokio::test]
async fn however_many_guess_at_once_five_are_told_that_they_are_wrong() {
    let world = World::new().await;
    let ticket = world.asks_to_sign_up("alice@example.com").await.ticket;
    let right = world.mailed_code("alice@example.com").await;
    let wrong = other_than(&right);
    let answers = join_all((0..12).map(|_| world.verifies(&ticket, &wrong))).await;
    let count = |wanted| {
        answers.iter().filter(|answer| matches!(answer, Err(Failure::Refused(refusal)) if *refusal == wanted)).count()
    };
    assert_eq!((count(WrongCode), count(TicketInvalid)), (5, 7), "{answers:?}");
    assert!(matches!(world.verifies(&ticket, &right).await, Err(Failure::Refused(TicketInvalid))));
}

#[tokio::test]
async fn an_address_with_an_account_is_answered_alike_and_its_owner_is_told() {
    let world = World::new().await;
    world.signs_up("alice").await;
    let issued = world.asks_to_sign_up("Alice@example.com").await;
    assert_eq!(issued.expires_at, world.now().plus_seconds(900));
    assert_eq!(world.newest_mail("alice@example.com").await, Some(MailMatter::AlreadyRegistered), "as she wrote it");
    let guess = "123456".parse().unwrap();
    for _ in 0..5 {
        assert!(matches!(world.verifies(&issued.ticket, &guess).await, Err(Failure::Refused(WrongCode))));
    }
    assert!(matches!(world.verifies(&issued.ticket, &guess).await, Err(Failure::Refused(TicketInvalid))));
}

#[tokio::test]
async fn a_sixth_ticket_within_an_hour_is_answered_alike_and_gets_no_mail() {
    let world = World::new().await;
    let mut mailed = Vec::new();
    for _ in 0..5 {
        world.asks_to_sign_up("alice@example.com").await;
        mailed.push(world.mailed_code("alice@example.com").await);
    }
    let sixth = world.asks_to_sign_up("alice@example.com").await;
    assert_eq!(sixth.expires_at, world.now().plus_seconds(900));
    assert_eq!(world.mailed_code("alice@example.com").await, mailed[4], "no further mail is there");
    for code in &mailed {
        assert!(matches!(world.verifies(&sixth.ticket, code).await, Err(Failure::Refused(WrongCode))));
    }
    world.wait(3600);
    world.proves("alice@example.com").await;
}

#[tokio::test]
async fn a_name_that_is_taken_in_any_case_leaves_the_ticket_usable() {
    let world = World::new().await;
    world.signs_up("alice").await;
    let ticket = world.proves("bob@example.com").await;
    assert!(matches!(world.completes(&ticket, "ALICE").await, Err(Failure::Refused(UsernameTaken))));
    assert_eq!(world.completes(&ticket, "bob").await.unwrap().user.username.as_str(), "bob");
}

#[tokio::test]
async fn of_those_who_take_one_name_at_once_one_gets_it_and_the_others_may_take_another() {
    let world = World::new().await;
    let tickets = join_all((0..6).map(async |n| world.proves(&format!("user{n}@example.com")).await)).await;
    let answers = join_all(tickets.iter().map(|ticket| world.completes(ticket, "alice"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for (n, ticket) in tickets.iter().enumerate().filter(|(n, _)| answers[*n].is_err()) {
        assert!(matches!(answers[n], Err(Failure::Refused(UsernameTaken))), "{:?}", answers[n]);
        world.completes(ticket, &format!("user{n}")).await.unwrap();
    }
}

#[tokio::test]
async fn one_ticket_makes_one_account_however_often_it_is_used_at_once() {
    let world = World::new().await;
    let ticket = world.proves("alice@example.com").await;
    let names: Vec<_> = (0..6).map(|n| format!("alice{n}")).collect();
    let answers = join_all(names.iter().map(|name| world.completes(&ticket, name))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(
        answers.iter().filter(|answer| matches!(answer, Err(Failure::Refused(CannotComplete)))).count(),
        5,
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_ticket_runs_out() {
    let world = World::new().await;
    let ticket = world.asks_to_sign_up("alice@example.com").await.ticket;
    let code = world.mailed_code("alice@example.com").await;
    world.wait(900);
    assert!(matches!(world.verifies(&ticket, &code).await, Err(Failure::Refused(TicketInvalid))));
    let ticket = world.proves("alice@example.com").await;
    world.wait(900);
    assert!(matches!(world.completes(&ticket, "alice").await, Err(Failure::Refused(CannotComplete))));
}

#[tokio::test]
async fn a_ticket_of_nobody_is_invalid() {
    let world = World::new().await;
    let ticket = "nobody".parse().unwrap();
    let guess = "123456".parse().unwrap();
    assert!(matches!(world.verifies(&ticket, &guess).await, Err(Failure::Refused(TicketInvalid))));
    assert!(matches!(world.completes(&ticket, "alice").await, Err(Failure::Refused(CannotComplete))));
}
