//! What a case is, and running one.

use std::{future::Future, pin::Pin};

use i9chat_spec::Profile;

use crate::{
    journal::Journal,
    target::Target,
    verdict::{Ending, Outcome, Stop, Verdict},
    world::World,
};

/// The story of a case, on its way.
pub type Story<'w> = Pin<Box<dyn Future<Output = Verdict> + Send + 'w>>;

/// One case: a story that a server must play along with, and the sentences of docs/protocol.md that say so.
///
/// Cases are independent of each other: each makes its own users, so that they run alone, together, and in any order.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What the server does, as a sentence with underscores.
    pub name: &'static str,
    /// The profile that it belongs to. (PRF-1)
    pub profile: Profile,
    /// The ids of the sentences that it proves.
    pub requirements: &'static [&'static str],
    /// The story.
    pub story: for<'w> fn(&'w World) -> Story<'w>,
}

/// Lists the cases of a file: `cases! { Core: a_case ["CNV-2", "ERR-2"], another_case ["CNV-3"] }` for
/// `async fn a_case(world: &World) -> Verdict`.
#[macro_export]
macro_rules! cases {
    ($profile:ident: $($name:ident [$($requirement:literal),+ $(,)?]),+ $(,)?) => {
        /// The cases of this section.
        pub const CASES: &[$crate::case::Case] = &[$(
            $crate::case::Case {
                name: stringify!($name),
                profile: ::i9chat_spec::Profile::$profile,
                requirements: &[$($requirement),+],
                story: |world| ::std::boxed::Box::pin($name(world)),
            },
        )+];
    };
}

/// Runs one case against a server, within the target's deadline for a case.
pub async fn run_case(target: &Target, case: &Case) -> Outcome {
    let world = match World::new(target).await {
        Ok(world) => world,
        Err(stop) => return outcome(Err(stop), &Journal::default()),
    };
    if !world.claims(case.profile) {
        let reason = format!("the server does not claim the profile {}", case.profile);
        return outcome(Err(Stop::Skipped(reason)), &Journal::default());
    }
    let deadline = target.deadlines().case;
    let verdict = tokio::time::timeout(deadline, (case.story)(&world)).await.unwrap_or_else(|_| {
        Err(Stop::failed(format!("the case to end within {} s", deadline.as_secs_f32()), "no end of it"))
    });
    // A breach of the documents fails a case even when its story went well.
    let verdict = match (verdict, world.journal().breaches()) {
        (Ok(()), breaches) if !breaches.is_empty() => {
            Err(Stop::failed("answers and frames as the documents give them", breaches.join("; ")))
        }
        (verdict, _) => verdict,
    };
    outcome(verdict, world.journal())
}

fn outcome(verdict: Verdict, journal: &Journal) -> Outcome {
    let (ending, detail) = match verdict {
        Ok(()) => (Ending::Passed, String::new()),
        Err(stop) => {
            let ending = match &stop {
                Stop::Failed(_) => Ending::Failed,
                Stop::Inconclusive(_) => Ending::Inconclusive,
                Stop::Skipped(_) => Ending::Skipped,
            };
            (ending, stop.to_string())
        }
    };
    Outcome { ending, detail, traffic: journal.lines(), refusals: journal.refusals() }
}
