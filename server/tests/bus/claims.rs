//! Claims to mail addresses.

use i9chat_server::{
    domain::accounts::{
        claim::{self, Claim, ClaimRules, Purpose, Step},
        hashes::SecretHash,
    },
    store::{
        StoreError,
        claims::SaveClaim,
        mails::{MailMatter, NewMail},
    },
};
use i9chat_spec::{Lifetimes, Limits};

use super::{case::cases, memory::at, scene::Scene};

cases! {
    Any {
        a_claim_comes_back_as_it_was_saved_in_every_step,
        a_claim_that_somebody_else_saved_meanwhile_is_left_alone_and_its_mail_is_not_queued,
        of_those_who_save_at_once_one_gets_through,
        a_version_that_was_never_there_is_not_taken_for_one,
        the_claims_of_an_address_for_two_purposes_are_two,
        a_new_ticket_takes_the_place_of_the_one_before,
        claims_are_forgotten_when_they_no_longer_matter,
        when_too_many_mails_wait_neither_claim_nor_mail_is_taken,
    }
}

pub fn hash(n: u8) -> SecretHash {
    SecretHash([n; 32])
}

/// Somebody asked for a ticket at the beginning.
pub fn asked(email: &str, ticket: u8) -> SaveClaim {
    let rules = ClaimRules::new(&Limits::default(), &Lifetimes::default());
    let (claim, _) = claim::request(None, Purpose::Signup, email.parse().unwrap(), false, hash(ticket), at(0), &rules);
    SaveClaim { forget_at: claim::forget_at(&claim, &rules), claim, seen: None, mail: None }
}

pub fn mail(to: &str, matter: MailMatter, second: u64) -> NewMail {
    NewMail { to: to.parse().unwrap(), matter, due_at: at(second), give_up_at: at(10_000) }
}

async fn a_claim_comes_back_as_it_was_saved_in_every_step(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let mut save = asked("Alice@Example.com", 1);
    for (round, step) in [
        Step::Verify { good: true, wrong_codes: 3 },
        Step::Verify { good: false, wrong_codes: 0 },
        Step::Complete,
        Step::Done,
    ]
    .into_iter()
    .enumerate()
    {
        save.claim.step = step;
        assert!(one.claims.save_claim(save.clone()).await.unwrap());
        let stored = other.claims.claim(Purpose::Signup, hash(1)).await.unwrap().unwrap();
        assert_eq!(stored.value, save.claim);
        let by_address = other.claims.claim_to(Purpose::Signup, &"aLICE@example.COM".parse().unwrap()).await.unwrap();
        assert_eq!(by_address, Some(stored.clone()), "an address is found in any case, round {round}");
        save.seen = Some(stored.version);
    }
}

async fn a_claim_that_somebody_else_saved_meanwhile_is_left_alone_and_its_mail_is_not_queued(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    assert!(one.claims.save_claim(asked("alice@example.com", 1)).await.unwrap());
    let mail = mail("alice@example.com", MailMatter::AlreadyRegistered, 0);
    for seen in [None, Some(7)] {
        let late = SaveClaim { seen, mail: Some(mail.clone()), ..asked("alice@example.com", 2) };
        assert!(!other.claims.save_claim(late).await.unwrap());
    }
    assert!(one.claims.claim(Purpose::Signup, hash(2)).await.unwrap().is_none());
    assert!(one.claims.claim(Purpose::Signup, hash(1)).await.unwrap().is_some());
    assert!(one.mails.due_mails(at(0), 10).await.unwrap().mails.is_empty());
}

async fn of_those_who_save_at_once_one_gets_through(scene: &Scene) {
    let nodes = scene.nodes().await;
    for round in 0..5_u8 {
        let seen = nodes[0].claims.claim_to(Purpose::Signup, &"alice@example.com".parse().unwrap()).await.unwrap();
        let seen = seen.map(|stored| stored.version);
        let saving = (0..10_u8).map(|n| {
            let save = SaveClaim { seen, ..asked("alice@example.com", round * 10 + n) };
            nodes[usize::from(n % 2)].claims.save_claim(save)
        });
        let saved = futures_util::future::join_all(saving).await;
        let through: Vec<_> = (0..10).filter(|n| *saved[usize::from(*n)].as_ref().unwrap()).collect();
        assert_eq!(through.len(), 1);
        for n in 0..10 {
            let found = nodes[1].claims.claim(Purpose::Signup, hash(round * 10 + n)).await.unwrap();
            assert_eq!(found.is_some(), through == [n]);
        }
    }
}

async fn a_version_that_was_never_there_is_not_taken_for_one(scene: &Scene) {
    let node = scene.node().await;
    let late = SaveClaim { seen: Some(1), ..asked("alice@example.com", 1) };
    assert!(!node.claims.save_claim(late).await.unwrap());
    assert!(node.claims.claim(Purpose::Signup, hash(1)).await.unwrap().is_none());
}

async fn the_claims_of_an_address_for_two_purposes_are_two(scene: &Scene) {
    let node = scene.node().await;
    let reset = SaveClaim {
        claim: Claim { purpose: Purpose::PasswordReset, ..asked("alice@example.com", 2).claim },
        ..asked("alice@example.com", 2)
    };
    assert!(node.claims.save_claim(asked("alice@example.com", 1)).await.unwrap());
    assert!(node.claims.save_claim(reset.clone()).await.unwrap(), "neither takes the place of the other");
    for (purpose, ticket, other) in [(Purpose::Signup, 1, 2), (Purpose::PasswordReset, 2, 1)] {
        let stored = node.claims.claim(purpose, hash(ticket)).await.unwrap().unwrap();
        assert_eq!(stored.value.purpose, purpose);
        assert!(node.claims.claim(purpose, hash(other)).await.unwrap().is_none(), "a ticket is for its own purpose");
        let by_address = node.claims.claim_to(purpose, &"alice@example.com".parse().unwrap()).await.unwrap();
        assert_eq!(by_address, Some(stored));
    }
}

async fn a_new_ticket_takes_the_place_of_the_one_before(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    assert!(one.claims.save_claim(asked("alice@example.com", 1)).await.unwrap());
    let seen = one.claims.claim(Purpose::Signup, hash(1)).await.unwrap().map(|stored| stored.version);
    assert!(other.claims.save_claim(SaveClaim { seen, ..asked("ALICE@example.com", 2) }).await.unwrap());
    assert!(one.claims.claim(Purpose::Signup, hash(1)).await.unwrap().is_none());
    let stored = one.claims.claim(Purpose::Signup, hash(2)).await.unwrap().unwrap();
    assert_eq!(stored.value.email.as_str(), "ALICE@example.com");
    assert_ne!(Some(stored.version), seen);
}

async fn claims_are_forgotten_when_they_no_longer_matter(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    one.claims.save_claim(asked("bob@example.com", 9)).await.unwrap();
    let later = SaveClaim { forget_at: at(7200), ..asked("carol@example.com", 8) };
    one.claims.save_claim(later).await.unwrap();
    let is_there = async |ticket| one.claims.claim(Purpose::Signup, hash(ticket)).await.unwrap().is_some();
    other.claims.forget_claims(at(3599)).await.unwrap();
    assert!(is_there(9).await);
    other.claims.forget_claims(at(3600)).await.unwrap();
    assert!(!is_there(9).await);
    assert!(one.claims.claim_to(Purpose::Signup, &"bob@example.com".parse().unwrap()).await.unwrap().is_none());
    assert!(is_there(8).await);
    // It can be made anew.
    assert!(one.claims.save_claim(asked("bob@example.com", 7)).await.unwrap());
    assert!(is_there(7).await);
}

async fn when_too_many_mails_wait_neither_claim_nor_mail_is_taken(scene: &Scene) {
    let node = scene.node().await;
    let save = |n: usize| {
        let email = format!("user{n}@example.com");
        let mut save = asked(&email, 1);
        save.claim.ticket.0[..8].copy_from_slice(&n.to_be_bytes());
        SaveClaim { mail: Some(mail(&email, MailMatter::AlreadyRegistered, 5)), ..save }
    };
    for thousand in 0..10 {
        let saves = (0..1000).map(|n| node.claims.save_claim(save(thousand * 1000 + n)));
        for saved in futures_util::future::join_all(saves).await {
            assert!(saved.unwrap());
        }
    }
    assert!(matches!(node.claims.save_claim(save(10_000)).await, Err(StoreError::Overloaded)));
    let refused = node.claims.claim_to(Purpose::Signup, &"user10000@example.com".parse().unwrap()).await.unwrap();
    assert!(refused.is_none());
    assert!(node.claims.save_claim(SaveClaim { mail: None, ..save(10_000) }).await.unwrap(), "one without a mail");
    let due = node.mails.due_mails(at(5), 1).await.unwrap();
    node.mails.remove_mail(&due.mails[0].id).await.unwrap();
    assert!(node.claims.save_claim(save(10_001)).await.unwrap(), "there is room for one again");
}
