//! The report for programs.

use serde::Serialize;

use crate::{
    run::{Finished, Summary},
    verdict::Ending,
};

#[derive(Serialize)]
struct Report<'f> {
    summary: Summary,
    cases: Vec<CaseReport<'f>>,
}

#[derive(Serialize)]
struct CaseReport<'f> {
    name: &'f str,
    profile: &'f str,
    requirements: &'f [&'f str],
    verdict: Ending,
    detail: &'f str,
}

/// `{summary {passed, failed, skipped, inconclusive}, cases [{name, profile, requirements, verdict, detail}]}`.
pub fn json(finished: &[Finished]) -> Result<String, serde_json::Error> {
    let cases = finished
        .iter()
        .map(|Finished { case, outcome, .. }| CaseReport {
            name: case.name,
            profile: case.profile.as_str(),
            requirements: case.requirements,
            verdict: outcome.ending,
            detail: &outcome.detail,
        })
        .collect();
    serde_json::to_string_pretty(&Report { summary: Summary::of(finished), cases })
}
