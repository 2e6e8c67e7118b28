//! Every case of the conformance suite as tests of its own: against the server's own binary on SQLite, as one node on Neo4j and
//! Redis, and as two nodes among which the clients of a case are spread.
//!
//! Most cases run against servers as a newcomer starts them. Those that ask for short times (a token that runs out, a
//! heartbeat) run against some that were started with them.

#![expect(clippy::expect_used, reason = "a test may panic")]

mod cluster;
#[path = "../scale_out/lab.rs"]
mod lab;
mod open;

use std::process::ExitCode;

use i9chat_conformance::{
    case::{Case, run_case},
    cases,
    verdict::{Ending, Outcome},
};
use libtest_mimic::{Completion, Failed};

use self::{
    cluster::{Cluster, Kind, Layout, Trouble},
    lab::{Trials, Verdict},
    open::Clusters,
};

/// Options of the server, in the order in which they are tried: the first with which a case does not skip itself counts.
const OPTIONS: [&str; 3] = [
    // As a newcomer starts it.
    "",
    // Times that are short enough to wait for.
    "--heartbeat-ms 1000 --token-ttl-s 5 --upload-url-ttl-s 3 --download-url-ttl-s 3",
    // The same for media that nothing uses, whose uploaders must not be signed out meanwhile; and limits that are soon reached.
    "--unused-upload-ttl-s 4 --max-group-members 6 --event-retention-s 2 --max-presence-subscriptions 20",
];

fn main() -> ExitCode {
    let mut trials = Trials::side_by_side();
    for layout in Layout::ALL {
        for case in cases::all() {
            let name = format!("{}::{}", layout.name(), case.name);
            trials.add_of_kind(case.profile.as_str(), name, async move |clusters: &Clusters| {
                run(clusters, layout, &case).await
            });
        }
    }
    trials.run()
}

async fn run(clusters: &Clusters, layout: Layout, case: &Case) -> Verdict {
    let mut skipped = None;
    for options in OPTIONS {
        let entered = clusters.enter(Kind { layout, options }).await;
        let cluster = match entered.cluster() {
            Ok(cluster) => cluster,
            Err(Trouble::Unavailable(unavailable)) => return unavailable.verdict(),
            Err(Trouble::Server(trouble)) => return Err(trouble.into()),
        };
        let outcome = run_case(cluster.target(), case).await;
        match outcome.ending {
            Ending::Passed => return Ok(Completion::Completed),
            Ending::Failed | Ending::Inconclusive => return Err(report(&outcome, cluster)),
            Ending::Skipped => skipped = skipped.or(Some(outcome.detail)),
        }
    }
    Ok(Completion::ignored_with(skipped.unwrap_or_default()))
}

/// What was wrong, what was said, and the newest of what the servers warned of, which may be about other cases.
fn report(outcome: &Outcome, cluster: &Cluster) -> Failed {
    format!("{}\n{}\n{}", outcome.detail, outcome.traffic.join("\n"), cluster.warnings()).into()
}
