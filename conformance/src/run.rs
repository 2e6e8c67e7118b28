//! Running many cases, a few at a time.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use i9chat_spec::{ErrorCode, Profile};
use tokio::task;

use crate::{
    case::{Case, run_case},
    cases::{CODES_NOT_SEEN_ON_THE_WIRE, REFUSALS_NOT_SEEN_ON_THE_WIRE},
    contract::CONTRACT,
    target::Target,
    verdict::{Ending, Outcome},
};

/// Which cases to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only those of these profiles; of all when empty.
    pub profiles: Vec<Profile>,
    /// Only those whose name holds this text, or that prove the requirement of this id (`SES-7`) or one of this section (`SES`).
    pub filter: Option<String>,
}

impl Choice {
    /// Whether a case is to run.
    pub fn takes(&self, case: &Case) -> bool {
        let of_profile = self.profiles.is_empty() || self.profiles.contains(&case.profile);
        let of_filter = self.filter.as_deref().is_none_or(|text| {
            let is_it = |id: &str| id.eq_ignore_ascii_case(text);
            case.name.contains(text)
                || case.requirements.iter().any(|id| is_it(id) || id.split('-').next().is_some_and(is_it))
        });
        of_profile && of_filter
    }
}

/// A case and how it ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The case.
    pub case: Case,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// How many cases ended in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// The server did as the specification says.
    pub passed: usize,
    /// It did not.
    pub failed: usize,
    /// The case does not apply.
    pub skipped: usize,
    /// Nothing can be said.
    pub inconclusive: usize,
}

impl Summary {
    /// Counts endings.
    pub fn of<'f>(finished: impl IntoIterator<Item = &'f Finished>) -> Self {
        let mut summary = Self::default();
        for finished in finished {
            match finished.outcome.ending {
                Ending::Passed => summary.passed += 1,
                Ending::Failed => summary.failed += 1,
                Ending::Skipped => summary.skipped += 1,
                Ending::Inconclusive => summary.inconclusive += 1,
            }
        }
        summary
    }

    /// Whether the server was shown to conform: something passed, nothing failed, nothing is open. Zero cases show nothing.
    pub fn is_success(&self) -> bool {
        self.passed > 0 && self.failed == 0 && self.inconclusive == 0
    }
}

/// Which refusals that endpoints declare as their own no case has met, and no reason excuses: `endpoint: code`. For runs of all cases.
pub fn unmet_refusals<'f>(finished: impl IntoIterator<Item = &'f Finished>) -> Vec<String> {
    let met: BTreeSet<_> =
        finished.into_iter().flat_map(|finished| finished.outcome.refusals.iter().copied()).collect();
    let is_excused = |refusal: &(&str, ErrorCode)| {
        CODES_NOT_SEEN_ON_THE_WIRE.iter().any(|(code, _)| *code == refusal.1)
            || REFUSALS_NOT_SEEN_ON_THE_WIRE.iter().any(|(endpoint, code, _)| (*endpoint, *code) == *refusal)
    };
    CONTRACT
        .refusals()
        .filter(|refusal| !met.contains(refusal) && !is_excused(refusal))
        .map(|(endpoint, code)| format!("{endpoint}: {code}"))
        .collect()
}

/// Runs the cases, at most `jobs` at a time, and answers how they ended in the order in which they were given.
pub async fn run(target: &Target, cases: Vec<Case>, jobs: usize) -> Vec<Finished> {
    let target = Arc::new(target.clone());
    stream::iter(cases)
        .map(|case| {
            let target = target.clone();
            async move {
                let begun = Instant::now();
                // On a task of its own, a case that panics takes no other with it.
                let running = task::spawn(async move { run_case(&target, &case).await });
                let outcome = running.await.unwrap_or_else(|error| Outcome {
                    ending: Ending::Inconclusive,
                    detail: format!("the case itself broke: {error}"),
                    traffic: Vec::new(),
                    refusals: BTreeSet::new(),
                });
                Finished { case, outcome, took: begun.elapsed() }
            }
        })
        .buffered(jobs.max(1))
        .collect()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(passed: usize, failed: usize, skipped: usize, inconclusive: usize) -> Summary {
        Summary { passed, failed, skipped, inconclusive }
    }

    #[test]
    fn only_passing_shows_conformance() {
        assert!(summary(1, 0, 5, 0).is_success());
        assert!(!summary(0, 0, 5, 0).is_success());
        assert!(!summary(9, 1, 0, 0).is_success());
        assert!(!summary(9, 0, 0, 1).is_success());
        assert!(!Summary::default().is_success());
    }

    #[test]
    fn cases_are_chosen_by_profile_name_and_requirement() {
        let case = Case {
            name: "a_body_is_read",
            profile: Profile::Core,
            requirements: &["CNV-2"],
            story: |_| Box::pin(async { Ok(()) }),
        };
        let choice = |profiles: &[Profile], filter: Option<&str>| Choice {
            profiles: profiles.to_vec(),
            filter: filter.map(str::to_owned),
        };
        assert!(choice(&[], None).takes(&case));
        assert!(choice(&[Profile::Core], Some("body")).takes(&case));
        assert!(choice(&[], Some("cnv-2")).takes(&case));
        assert!(choice(&[], Some("CNV")).takes(&case));
        assert!(!choice(&[Profile::Messages], None).takes(&case));
        assert!(!choice(&[], Some("CNV-22")).takes(&case));
    }
}
