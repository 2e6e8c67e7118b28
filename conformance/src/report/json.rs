//! The report for programs.

use serde::Serialize;

use crate::{
    run::{Finished, Summary, unmet_refusals},
    verdict::Ending,
};

#[derive(Serialize)]
struct Report<'f> {
    summary: Summary,
    unmet_refusals: Vec<String>,
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

/// `{summary {passed, failed, skipped, inconclusive}, unmet_refusals ["endpoint: code"], cases [{name, profile, requirements, verdict, detail}]}`.
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
    let (summary, unmet_refusals) = (Summary::of(finished), unmet_refusals(finished));
    serde_json::to_string_pretty(&Report { summary, unmet_refusals, cases })
}
