//! What the bus must do, tried on each: on the one of a single node, and on Redis when there is one.
//!
//! A case is a story of two nodes. Where there is only one, both are that one. What can only be with several nodes, or only go
//! wrong with Redis, is tried on Redis alone; what Redis must go through for it, on a Redis of the case's own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what fails here fails the test"
)]

mod attempts;
mod case;
mod changes;
mod claims;
mod clean_ups;
mod faults;
mod heard;
#[path = "../scale_out/lab.rs"]
mod lab;
mod leases;
mod live;
mod mails;
mod memory;
mod places;
mod presence;
mod rates;
mod scene;

use std::process::ExitCode;

use libtest_mimic::Completion;

use self::{
    case::{Case, Needs},
    lab::{Trials, Verdict},
    places::{Place, Places},
};

fn cases() -> impl Iterator<Item = Case> {
    [
        changes::cases(),
        live::cases(),
        presence::cases(),
        leases::cases(),
        rates::cases(),
        attempts::cases(),
        claims::cases(),
        mails::cases(),
        clean_ups::cases(),
        faults::cases(),
    ]
    .into_iter()
    .flatten()
}

fn main() -> ExitCode {
    // The Redis that the environment names may be behind TLS. Only the first to say which is heard.
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap_or_default();
    let mut trials = Trials::side_by_side();
    for place in Place::ALL {
        for case in cases().filter(|case| place == Place::Redis || case.needs == Needs::Any) {
            let name = format!("{}::{}::{}", place.name(), case.topic, case.name);
            trials.add(name, async move |places: &Places| run(places, place, &case).await);
        }
    }
    trials.run()
}

async fn run(places: &Places, place: Place, case: &Case) -> Verdict {
    match places.scene(place, case.needs).await {
        Ok(scene) => {
            (case.run)(&scene).await;
            scene.end().await;
            Ok(Completion::Completed)
        }
        Err(unavailable) => unavailable.verdict(),
    }
}
