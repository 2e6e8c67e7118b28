//! What breaks in a cluster: nodes that end, stand still and are restarted, Neo4j and Redis that go and come back, links that are
//! cut. People use the whole of it meanwhile, and everything that they were told has to be true afterwards.
//!
//! Each test stands alone on the machine, because all of them watch the time.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;
mod door;
mod ground;
#[path = "../joint/histories.rs"]
mod histories;
#[path = "../scale_out/lab.rs"]
mod lab;
mod load;
mod neo4j;
mod nodes;
mod presence;
#[path = "../joint/process.rs"]
mod process;
mod redis;
mod sessions;
#[path = "../joint/sign_up.rs"]
mod sign_up;

use std::{process::ExitCode, time::Duration};

use futures_util::future::BoxFuture;

use self::{
    ground::{Ground, Grounds, Needs},
    lab::{Trials, Verdict, in_time},
};

/// How long a test may take. Only failures, and machines with other work, ever take this long.
const LIMIT: Duration = Duration::from_mins(2);

/// A test: its name, what it needs, and what it does.
type Test = (&'static str, Needs, fn(Ground) -> BoxFuture<'static, ()>);

/// The functions of a module as tests of the same names.
macro_rules! tests {
    ($($module:ident { $($name:ident $needs:ident,)* })*) => {
        &[$($((
            concat!(stringify!($module), "::", stringify!($name)),
            Needs::$needs,
            |ground| Box::pin(async move { $module::$name(&ground).await }),
        ),)*)*]
    };
}

const TESTS: &[Test] = tests! {
    nodes {
        nodes_that_are_killed_under_load_lose_and_double_nothing Nothing,
        a_node_that_ends_between_its_commit_and_telling_of_it_is_made_up_for Nothing,
        nodes_that_are_stopped_in_turn_and_started_again_are_hardly_noticed Nothing,
        a_node_that_stood_still_with_the_log_in_its_hands_comes_back_as_one_among_others Nothing,
    }
    neo4j {
        a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice Nothing,
        a_commit_that_does_not_arrive_is_done_once Nothing,
        a_node_whose_commit_is_stuck_holds_nobody_up_for_long Nothing,
        neo4j_is_stopped_and_started_again OwnNeo4j,
        neo4j_crashes_and_is_started_again OwnNeo4j,
    }
    redis {
        redis_is_restarted_with_nothing_in_it Nothing,
        a_node_that_is_cut_from_redis_goes_on Nothing,
        a_redis_that_stands_still_holds_nothing_durable_up Nothing,
    }
    presence {
        users_of_a_node_that_crashed_are_gone_in_time_and_those_who_moved_are_not Nothing,
    }
    sessions {
        a_session_that_was_ended_by_one_node_is_dead_by_the_other Nothing,
        a_connection_whose_session_was_ended_by_another_node_does_nothing_more Nothing,
        a_node_that_hears_nothing_refuses_a_session_that_was_ended Nothing,
        a_node_that_stood_still_while_a_session_was_ended_delivers_nothing_to_it Nothing,
    }
};

fn main() -> ExitCode {
    let mut trials = Trials::one_by_one();
    for test in TESTS {
        trials.add(test.0, async move |grounds: &Grounds| run(grounds, test).await);
    }
    trials.run()
}

async fn run(grounds: &Grounds, (_, needs, test): &Test) -> Verdict {
    let (ground, _turn) = match grounds.take(*needs).await {
        Ok(taken) => taken,
        Err(unavailable) => return unavailable.verdict(),
    };
    in_time(LIMIT, test(ground)).await
}
