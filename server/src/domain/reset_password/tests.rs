use i9chat_spec::{EmailAddress, Example, Lifetimes, Limits, Timestamp};

use super::*;
use crate::domain::{
    accounts::claim::{Claim, ClaimRules, Purpose, Verification},
    testing::Scene,
};

const TICKET: SecretHash = SecretHash([2; 32]);

/// A claim to reset that was proven at that moment.
fn proven(at: Timestamp) -> Claim {
    let rules = ClaimRules::new(&Limits::default(), &Lifetimes::default());
    let asked = SecretHash([1; 32]);
    let (claim, _) = claim::request(None, Purpose::PasswordReset, EmailAddress::example(), true, asked, at, &rules);
    match claim::verify(claim, true, TICKET, at, &rules) {
        Verification::Verified(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_session_of_the_user_ends_with_the_ticket_and_nobody_elses() {
    let mut scene = Scene::new();
    let [alice, bob] = scene.users();
    for user in [&alice, &alice, &bob] {
        scene.session_of(user);
    }
    scene.claim(proven(Scene::now()));
    let password = PasswordHash("phc".to_owned());
    let command = ResetPassword { user_id: alice.user_id, ticket: TICKET, password };
    assert_eq!(scene.decide(&command), Ok(()));
    assert_eq!(scene.heard_by(&alice), ["session_ended", "session_ended"]);
    assert!(scene.heard_by(&bob).is_empty());
    assert_eq!(scene.decide(&command), Err(CompletePasswordResetRefusal::TicketInvalid), "a ticket is used once");
}

#[test]
fn a_ticket_that_ran_out_or_that_nobody_has_changes_nothing() {
    let mut scene = Scene::new();
    let [alice, _] = scene.users();
    scene.session_of(&alice);
    let password = PasswordHash("phc".to_owned());
    let command = ResetPassword { user_id: alice.user_id, ticket: TICKET, password };
    assert_eq!(scene.decide(&command), Err(CompletePasswordResetRefusal::TicketInvalid));
    scene.claim(proven(Scene::now().minus_seconds(900)));
    assert_eq!(scene.decide(&command), Err(CompletePasswordResetRefusal::TicketInvalid));
    assert!(scene.heard_by(&alice).is_empty());
}
