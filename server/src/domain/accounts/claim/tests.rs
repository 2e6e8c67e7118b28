use i9chat_spec::Example;

use super::*;

const FIRST: SecretHash = SecretHash([1; 32]);
const SECOND: SecretHash = SecretHash([2; 32]);
const MINUTE: u64 = 60;

fn rules() -> ClaimRules {
    ClaimRules::new(&Limits::default(), &Lifetimes::default())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

/// A stranger asks at that second.
fn asks(earlier: Option<Claim>, second: u64) -> (Claim, RequestMail) {
    request(earlier, Purpose::Signup, EmailAddress::example(), false, FIRST, at(second), &rules())
}

fn tries(claim: Claim, right: bool, second: u64) -> Verification {
    verify(claim, right, SECOND, at(second), &rules())
}

fn mistypes(claim: Claim, second: u64) -> Claim {
    match tries(claim, false, second) {
        Verification::Wrong(claim) => claim,
        other => panic!("a wrong code was answered with {other:?}"),
    }
}

#[test]
fn a_stranger_asks_types_the_code_and_completes() {
    let (claim, mail) = asks(None, 0);
    assert_eq!(mail, RequestMail::Code);
    let Verification::Verified(claim) = tries(claim, true, 60) else { panic!("the code was right") };
    assert_eq!((claim.ticket, claim.step), (SECOND, Step::Complete), "the next step has a ticket of its own");
    assert_eq!(claim.expires_at, at(60 + 15 * MINUTE));
    let claim = complete(claim, at(120)).unwrap();
    assert_eq!(complete(claim, at(121)), None, "a ticket is consumed by success");
}

#[test]
fn a_ticket_works_for_its_own_step_only() {
    let (claim, _) = asks(None, 0);
    assert_eq!(complete(claim.clone(), at(1)), None);
    let Verification::Verified(claim) = tries(claim, true, 1) else { panic!("the code was right") };
    assert_eq!(tries(claim, true, 2), Verification::TicketInvalid);
}

#[test]
fn a_ticket_expires_after_fifteen_minutes_in_either_step() {
    let (claim, _) = asks(None, 0);
    assert_eq!(tries(claim.clone(), true, 15 * MINUTE), Verification::TicketInvalid);
    let Verification::Verified(claim) = tries(claim, true, 15 * MINUTE - 1) else { panic!("it was still good") };
    assert!(complete(claim.clone(), at(30 * MINUTE - 2)).is_some());
    assert_eq!(complete(claim, at(30 * MINUTE - 1)), None);
}

#[test]
fn the_fifth_wrong_code_voids_the_ticket() {
    let (mut claim, _) = asks(None, 0);
    for second in 1..=4 {
        claim = mistypes(claim, second);
    }
    assert!(matches!(tries(claim.clone(), true, 5), Verification::Verified(_)), "four wrong ones are forgiven");
    let claim = mistypes(claim, 5);
    assert_eq!(tries(claim.clone(), true, 6), Verification::TicketInvalid);
    assert_eq!(tries(claim, false, 6), Verification::TicketInvalid);
}

#[test]
fn an_address_with_an_account_gets_a_ticket_that_never_verifies_and_fails_like_any_other() {
    let (mut claim, mail) = request(None, Purpose::Signup, EmailAddress::example(), true, FIRST, at(0), &rules());
    assert_eq!(mail, RequestMail::Note);
    for second in 1..=5 {
        let Verification::Wrong(next) = tries(claim, true, second) else { panic!("it must look like a wrong code") };
        claim = next;
    }
    assert_eq!(tries(claim, true, 6), Verification::TicketInvalid);
}

#[test]
fn a_sixth_ticket_within_the_hour_gets_no_mail_and_never_verifies() {
    let (mut claim, _) = asks(None, 0);
    for minute in 1..5 {
        let (next, mail) = asks(Some(claim), minute * MINUTE);
        assert_eq!(mail, RequestMail::Code);
        claim = next;
    }
    let (sixth, mail) = asks(Some(claim), 5 * MINUTE);
    assert_eq!(mail, RequestMail::Nothing);
    assert!(matches!(tries(sixth.clone(), true, 5 * MINUTE + 1), Verification::Wrong(_)));
    let (_, mail) = asks(Some(sixth), 60 * MINUTE);
    assert_eq!(mail, RequestMail::Code, "the first one is an hour old by now");
}

#[test]
fn an_address_with_an_account_gets_no_more_than_five_mails_an_hour_either() {
    let mut claim = None;
    for _ in 0..5 {
        claim = Some(request(claim, Purpose::Signup, EmailAddress::example(), true, FIRST, at(0), &rules()).0);
    }
    let (_, mail) = request(claim, Purpose::Signup, EmailAddress::example(), true, FIRST, at(1), &rules());
    assert_eq!(mail, RequestMail::Nothing);
}

#[test]
fn after_twenty_wrong_codes_in_a_day_even_the_right_one_is_wrong() {
    let hour = 60 * MINUTE;
    let mut claim = None;
    for round in 0..4 {
        let (mut fresh, _) = asks(claim, round * hour);
        for second in 1..=5 {
            fresh = mistypes(fresh, round * hour + second);
        }
        claim = Some(fresh);
    }
    let (claim, mail) = asks(claim, 4 * hour);
    assert_eq!(mail, RequestMail::Code);
    assert!(matches!(tries(claim.clone(), true, 4 * hour), Verification::Wrong(_)));

    let (next_day, _) = asks(Some(claim), 24 * hour + 1);
    assert!(matches!(tries(next_day, true, 24 * hour + 2), Verification::Verified(_)));
}

#[test]
fn a_reset_needs_an_account_where_a_sign_up_needs_none() {
    for (purpose, has_account, expected) in [
        (Purpose::Signup, false, RequestMail::Code),
        (Purpose::Signup, true, RequestMail::Note),
        (Purpose::PasswordReset, false, RequestMail::Note),
        (Purpose::PasswordReset, true, RequestMail::Code),
    ] {
        let (claim, mail) = request(None, purpose, EmailAddress::example(), has_account, FIRST, at(0), &rules());
        assert_eq!((claim.purpose, mail), (purpose, expected));
        let right = matches!(tries(claim, true, 1), Verification::Verified(_));
        assert_eq!(right, expected == RequestMail::Code, "{purpose:?}, {has_account}");
    }
}

#[test]
fn nothing_is_forgotten_while_it_counts() {
    let (claim, _) = asks(None, 0);
    assert_eq!(forget_at(&claim, &rules()), at(3600));
    let claim = mistypes(claim, 10);
    assert_eq!(forget_at(&claim, &rules()), at(24 * 3600 + 10));
}
