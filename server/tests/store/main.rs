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

use std::process::ExitCode;

use libtest_mimic::Completion;

use self::{
    case::Case,
    lab::{Trials, Verdict},
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
    let mut trials = Trials::side_by_side();
    for place in Place::ALL {
        for case in cases() {
            let name = format!("{}::{}::{}", place.name(), case.topic, case.name);
            trials.add(name, async move |places: &Places| run(places, place, &case).await);
        }
    }
    trials.run()
}

async fn run(places: &Places, place: Place, case: &Case) -> Verdict {
    match places.shelf(place).await {
        Ok(shelf) => {
            (case.run)(&shelf).await;
            Ok(Completion::Completed)
        }
        Err(unavailable) => unavailable.verdict(),
    }
}
