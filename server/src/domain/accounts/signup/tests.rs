use i9chat_spec::Example;

use super::*;

const FIRST: SecretHash = SecretHash([1; 32]);
const SECOND: SecretHash = SecretHash([2; 32]);
const MINUTE: u64 = 60;

fn rules() -> SignupRules {
    SignupRules::new(&Limits::default(), &Lifetimes::default())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

/// A stranger asks at that second.
fn asks(earlier: Option<Signup>, second: u64) -> (Signup, RequestMail) {
    request(earlier, EmailAddress::example(), false, FIRST, at(second), &rules())
}

fn tries(signup: Signup, right: bool, second: u64) -> Verification {
    verify(signup, right, SECOND, at(second), &rules())
}

fn mistypes(signup: Signup, second: u64) -> Signup {
    match tries(signup, false, second) {
        Verification::Wrong(signup) => signup,
        other => panic!("a wrong code was answered with {other:?}"),
    }
}

#[test]
fn a_stranger_asks_types_the_code_and_completes() {
    let (signup, mail) = asks(None, 0);
    assert_eq!(mail, RequestMail::Code);
    let Verification::Verified(signup) = tries(signup, true, 60) else { panic!("the code was right") };
    assert_eq!((signup.ticket, signup.step), (SECOND, Step::Complete), "the next step has a ticket of its own");
    assert_eq!(signup.expires_at, at(60 + 15 * MINUTE));
    let signup = complete(signup, at(120)).unwrap();
    assert_eq!(complete(signup, at(121)), None, "a ticket is consumed by success");
}

#[test]
fn a_ticket_works_for_its_own_step_only() {
    let (signup, _) = asks(None, 0);
    assert_eq!(complete(signup.clone(), at(1)), None);
    let Verification::Verified(signup) = tries(signup, true, 1) else { panic!("the code was right") };
    assert_eq!(tries(signup, true, 2), Verification::TicketInvalid);
}

#[test]
fn a_ticket_expires_after_fifteen_minutes_in_either_step() {
    let (signup, _) = asks(None, 0);
    assert_eq!(tries(signup.clone(), true, 15 * MINUTE), Verification::TicketInvalid);
    let Verification::Verified(signup) = tries(signup, true, 15 * MINUTE - 1) else { panic!("it was still good") };
    assert!(complete(signup.clone(), at(30 * MINUTE - 2)).is_some());
    assert_eq!(complete(signup, at(30 * MINUTE - 1)), None);
}

#[test]
fn the_fifth_wrong_code_voids_the_ticket() {
    let (mut signup, _) = asks(None, 0);
    for second in 1..=4 {
        signup = mistypes(signup, second);
    }
    assert!(matches!(tries(signup.clone(), true, 5), Verification::Verified(_)), "four wrong ones are forgiven");
    let signup = mistypes(signup, 5);
    assert_eq!(tries(signup.clone(), true, 6), Verification::TicketInvalid);
    assert_eq!(tries(signup, false, 6), Verification::TicketInvalid);
}

#[test]
fn an_address_with_an_account_gets_a_ticket_that_never_verifies_and_fails_like_any_other() {
    let (mut signup, mail) = request(None, EmailAddress::example(), true, FIRST, at(0), &rules());
    assert_eq!(mail, RequestMail::AlreadyRegistered);
    for second in 1..=5 {
        let Verification::Wrong(next) = tries(signup, true, second) else { panic!("it must look like a wrong code") };
        signup = next;
    }
    assert_eq!(tries(signup, true, 6), Verification::TicketInvalid);
}

#[test]
fn a_sixth_ticket_within_the_hour_gets_no_mail_and_never_verifies() {
    let (mut signup, _) = asks(None, 0);
    for minute in 1..5 {
        let (next, mail) = asks(Some(signup), minute * MINUTE);
        assert_eq!(mail, RequestMail::Code);
        signup = next;
    }
    let (sixth, mail) = asks(Some(signup), 5 * MINUTE);
    assert_eq!(mail, RequestMail::Nothing);
    assert!(matches!(tries(sixth.clone(), true, 5 * MINUTE + 1), Verification::Wrong(_)));
    let (_, mail) = asks(Some(sixth), 60 * MINUTE);
    assert_eq!(mail, RequestMail::Code, "the first one is an hour old by now");
}

#[test]
fn an_address_with_an_account_gets_no_more_than_five_mails_an_hour_either() {
    let mut signup = None;
    for _ in 0..5 {
        signup = Some(request(signup, EmailAddress::example(), true, FIRST, at(0), &rules()).0);
    }
    let (_, mail) = request(signup, EmailAddress::example(), true, FIRST, at(1), &rules());
    assert_eq!(mail, RequestMail::Nothing);
}

#[test]
fn after_twenty_wrong_codes_in_a_day_even_the_right_one_is_wrong() {
    let hour = 60 * MINUTE;
    let mut signup = None;
    for round in 0..4 {
        let (mut fresh, _) = asks(signup, round * hour);
        for second in 1..=5 {
            fresh = mistypes(fresh, round * hour + second);
        }
        signup = Some(fresh);
    }
    let (signup, mail) = asks(signup, 4 * hour);
    assert_eq!(mail, RequestMail::Code);
    assert!(matches!(tries(signup.clone(), true, 4 * hour), Verification::Wrong(_)));

    let (next_day, _) = asks(Some(signup), 24 * hour + 1);
    assert!(matches!(tries(next_day, true, 24 * hour + 2), Verification::Verified(_)));
}

#[test]
fn nothing_is_forgotten_while_it_counts() {
    let (signup, _) = asks(None, 0);
    assert_eq!(forget_at(&signup, &rules()), at(3600));
    let signup = mistypes(signup, 10);
    assert_eq!(forget_at(&signup, &rules()), at(24 * 3600 + 10));
}
