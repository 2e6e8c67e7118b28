//! From an embedded server to a cluster: everything that anybody could read is as it was, clients go on from where they were, a move
//! that was broken off goes on, and nothing that holds something else is touched.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[path = "../faults/door.rs"]
#[expect(dead_code, reason = "nobody is called back to a server that was moved")]
mod door;
mod everything;
#[path = "../scale_out/lab.rs"]
mod lab;
mod moving;
mod pages;
mod people;
#[path = "../joint/process.rs"]
#[expect(dead_code, reason = "nothing is killed or read over its shoulder here but the program that moves")]
mod process;
mod refused;
mod resumed;
#[path = "../joint/sign_up.rs"]
mod sign_up;
mod world;

use std::{process::ExitCode, time::Duration};

use futures_util::future::LocalBoxFuture;

use self::lab::{Backends, Trials, Verdict, in_time};

/// How long a test may take. Only failures, and machines with other work, ever take this long.
const LIMIT: Duration = Duration::from_mins(4);

/// A test: its name, and what it does.
type Test = (&'static str, for<'a> fn(&'a Backends) -> LocalBoxFuture<'a, ()>);

macro_rules! tests {
    ($($module:ident::$name:ident,)*) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), |backends| Box::pin($module::$name(backends))),)*]
    };
}

const TESTS: &[Test] = tests![
    moving::everything_is_as_it_was_and_clients_do_not_notice,
    resumed::a_move_that_is_killed_again_and_again_goes_on_and_doubles_nothing,
    resumed::a_move_that_is_killed_amid_a_table_goes_on_there,
    resumed::a_move_that_is_killed_at_its_very_end_is_found_done,
    resumed::what_nodes_take_as_soon_as_they_may_is_no_difference,
    pages::what_hangs_from_one_thing_is_read_back_in_pages,
    refused::a_folder_that_a_server_uses_is_not_moved,
    refused::a_database_that_holds_something_is_left_alone,
    refused::a_move_goes_on_with_the_folder_that_it_was_begun_with,
    refused::a_row_that_is_another_than_was_sent_is_found,
    refused::no_server_goes_on_with_a_folder_that_was_moved,
    refused::a_difference_leaves_the_folder_to_its_server,
];

fn main() -> ExitCode {
    // They share what they move to.
    let mut trials = Trials::one_by_one();
    for (name, test) in TESTS {
        trials.add(*name, async |(): &()| run(*test).await);
    }
    trials.run()
}

async fn run(test: for<'a> fn(&'a Backends) -> LocalBoxFuture<'a, ()>) -> Verdict {
    let backends = match Box::pin(Backends::fresh()).await {
        Ok(backends) => backends,
        Err(unavailable) => return unavailable.verdict(),
    };
    let outcome = in_time(LIMIT, test(&backends)).await;
    backends.end().await;
    outcome
}
