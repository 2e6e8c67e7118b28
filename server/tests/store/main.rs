//! What every store must do, tried on each: on SQLite, and on Neo4j when there is one.
//!
//! A case is a story of one method, or of a few together, on an empty store. What reaches the log comes through the rules, as
//! in the server; so nothing here knows how a store keeps what it keeps.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails the test")]

mod accounts;
mod acts;
mod case;
mod chats;
mod groups;
mod history;
#[path = "../scale_out/lab.rs"]
mod lab;
mod log;
mod media;
mod nearby;
mod places;
mod presence;
mod profiles;
mod reactions;
mod receipts;
mod retention;
mod sessions;
mod shelf;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;

use self::{
    case::Case,
    places::{Place, Places},
};

fn cases() -> impl Iterator<Item = Case> {
    [
        accounts::cases(),
        sessions::cases(),
        profiles::cases(),
        nearby::cases(),
        media::cases(),
        presence::cases(),
        log::cases(),
        retention::cases(),
        chats::cases(),
        history::cases(),
        groups::cases(),
        reactions::cases(),
        receipts::cases(),
    ]
    .into_iter()
    .flatten()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = match Runtime::new() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            eprintln!("the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let places = Arc::new(Places::default());
    let mut trials = Vec::new();
    for place in Place::ALL {
        for case in cases() {
            let (runtime, places) = (Arc::clone(&runtime), Arc::clone(&places));
            let name = format!("{}::{}::{}", place.name(), case.topic, case.name);
            trials.push(Trial::ignorable_test(name, move || runtime.block_on(run(&places, place, &case))));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    runtime.block_on(places.end());
    conclusion.exit_code()
}

async fn run(places: &Places, place: Place, case: &Case) -> Result<Completion, Failed> {
    match places.shelf(place).await {
        Ok(shelf) => {
            (case.run)(&shelf).await;
            Ok(Completion::Completed)
        }
        Err(unavailable) => unavailable.verdict(),
    }
}
