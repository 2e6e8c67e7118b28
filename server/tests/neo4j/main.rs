//! What only Neo4j can do wrong: plans that walk what grows, several nodes that append at once, commits whose answer is lost,
//! clients that go silent with a lock, reads that meet a sweep. What every store must do alike is tried by the test program `store`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

#[path = "../store/acts.rs"]
#[expect(dead_code, reason = "the test program `store` uses all of it")]
mod acts;
mod appending;
mod bolt;
mod cells;
mod commits;
#[path = "../scale_out/lab.rs"]
mod lab;
mod locks;
mod meddler;
mod plans;
mod resuming;
mod schema;
#[path = "../store/shelf.rs"]
#[expect(dead_code, reason = "the test program `store` uses all of it")]
mod shelf;
mod world;

use std::process::ExitCode;

use self::{
    lab::Trials,
    world::{Case, World},
};

fn cases() -> Vec<Case> {
    [
        plans::cases(),
        schema::cases(),
        cells::cases(),
        appending::cases(),
        commits::cases(),
        locks::cases(),
        resuming::cases(),
    ]
    .concat()
}

fn main() -> ExitCode {
    let mut trials = Trials::side_by_side();
    for case in cases() {
        trials.add(case.name, async move |world: &World| world.run(case).await);
    }
    trials.run()
}
