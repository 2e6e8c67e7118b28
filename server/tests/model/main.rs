//! Random users do random things, in a model in memory and on the real server, and both must come to the same.
//!
//! The model is the rules of the server on a log that is searched from end to end for every question, and what the
//! protocol says of each command, written down once more. The server is the real one: its committer, its store, HTTP and
//! WebSockets, JSON for some users and MessagePack for others. After every step each user's reads are compared, and each
//! user's client, which has read everything once and then only listened, across breaks, must hold what a fresh read
//! would show (LOG-9).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what fails here fails the test"
)]

mod act;
mod caller;
mod client;
mod compare;
mod difference;
mod fold;
mod model;
mod names;
mod server;
mod step;
mod views;
mod world;

use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence},
};

use step::steps;
use world::World;

/// How many cases are tried, and how long they are, unless the environment says otherwise (`PROPTEST_CASES`).
const CASES: u32 = 12;
const STEPS: usize = 60;

fn config() -> Config {
    let chosen = std::env::var_os("PROPTEST_CASES").is_some();
    let default = Config::default();
    Config {
        cases: if chosen { default.cases } else { CASES },
        max_shrink_iters: default.max_shrink_iters.min(400),
        max_shrink_time: 60_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_server_does_what_the_model_does(steps in steps(STEPS)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &steps {
                world.perform(step).await;
            }
            world.end().await;
        });
    }
}
