//! The connection against a simulated server, network and application, under any mix of faults.
//!
//! Whatever happens: the application sees each event once and in order, each send has one outcome, and once the network heals
//! everything that was sent is acknowledged and stored once.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod server;
mod world;

use i9chat_spec::ErrorCode;
use proptest::{prelude::*, sample::select};

use server::AnswerFault;
use world::{Step, World};

/// Codes of errors after which the same send may succeed.
const RETRYABLE: [ErrorCode; 4] =
    [ErrorCode::RateLimited, ErrorCode::Unavailable, ErrorCode::Overloaded, ErrorCode::Internal];

/// Close codes after which a client comes back.
const RECONNECTABLE: [u16; 9] = [4004, 4005, 4006, 4007, 4008, 4010, 4013, 1001, 1011];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2_u8).prop_map(|chat| Step::Send { chat }),
        4 => Just(Step::Ask),
        6 => (0..2_u8, 1..6_u8).prop_map(|(chat, count)| Step::PeerSends { chat, count }),
        1 => Just(Step::UnknownEvent),
        8 => (0..400_u64).prop_map(Step::Advance),
        2 => (400..90_000_u64).prop_map(Step::Advance),
        3 => (0..12_usize).prop_map(Step::Take),
        1 => (0..300_u64).prop_map(Step::Latency),
        2 => Just(Step::Cut),
        1 => Just(Step::GoSilent),
        1 => (select(&RECONNECTABLE[..]), prop::option::of(0..20_000_u64))
            .prop_map(|(number, retry_after_ms)| Step::Close { number, retry_after_ms }),
        1 => (1..4_u8).prop_map(Step::RefuseOpens),
        1 => Just(Step::RefuseToken),
        1 => Just(Step::Heartbeat),
        3 => answer_fault().prop_map(Step::NextAnswer),
        1 => Just(Step::Forget),
        1 => Just(Step::NewEpoch),
    ]
}

fn answer_fault() -> impl Strategy<Value = AnswerFault> {
    prop_oneof![
        Just(AnswerFault::Lost),
        Just(AnswerFault::Twice),
        Just(AnswerFault::Garbled),
        (select(&RETRYABLE[..]), any::<bool>(), prop::option::of(0..15_000_u64))
            .prop_map(|(code, stored, retry_after_ms)| AnswerFault::Error { code, stored, retry_after_ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_event_comes_once_in_order_and_every_send_is_stored_once(
        steps in prop::collection::vec(step(), 1..120),
        seed in any::<u64>(),
        queue in 1..40_usize,
    ) {
        let mut world = World::new(seed, queue);
        for step in &steps {
            world.perform(step);
        }
        world.heal();
        world.check_events();
        world.check_sends();
        world.check_asks();
        if !steps.iter().any(|step| matches!(step, Step::Forget | Step::NewEpoch)) {
            world.check_no_gap();
        }
        if !steps.iter().any(|step| matches!(step, Step::NextAnswer(AnswerFault::Error { .. }))) {
            world.check_order_of_sends();
        }
    }
}
