//! The report for a reader: a stranger whose server fails understands why from it alone.

use i9chat_spec::Profile;

use crate::{
    protocol,
    run::{Finished, Summary},
    verdict::Ending,
};

/// Of long traffic the first and the last lines are shown.
const FIRST: usize = 10;
const LAST: usize = 30;

/// The report; `again` is the command line that ran the cases, without a filter.
pub fn console(finished: &[Finished], again: &str) -> String {
    let mut lines = Vec::new();
    for profile in Profile::ALL {
        let of_profile: Vec<_> = finished.iter().filter(|finished| finished.case.profile == *profile).collect();
        if !of_profile.is_empty() {
            lines.extend(profile_lines(*profile, &of_profile, again));
        }
    }
    let Summary { passed, failed, skipped, inconclusive } = Summary::of(finished);
    if finished.is_empty() {
        lines.push("no case ran, which shows nothing".to_owned());
    }
    if inconclusive > 0 {
        lines.push(format!("{inconclusive} of the failed are inconclusive: a step that they need did not work"));
    }
    // What is inconclusive does not show conformance, so that the last line, which others read, counts it as failed.
    lines.push(format!("{passed} passed, {} failed, {skipped} skipped", failed + inconclusive));
    lines.join("\n")
}

fn profile_lines(profile: Profile, finished: &[&Finished], again: &str) -> Vec<String> {
    let summary = Summary::of(finished.iter().copied());
    let mut counts = format!("  {:<10} {:>3} passed", profile.as_str(), summary.passed);
    for (count, word) in
        [(summary.failed, "FAILED"), (summary.inconclusive, "INCONCLUSIVE"), (summary.skipped, "skipped")]
    {
        if count > 0 {
            counts.extend(["   ", &count.to_string(), " ", word]);
        }
    }
    let mut lines = vec![counts];
    for finished in finished {
        if matches!(finished.outcome.ending, Ending::Failed | Ending::Inconclusive) {
            lines.extend(case_lines(finished, again));
        }
    }
    lines.extend(skipped_lines(finished));
    lines
}

/// One line for each reason.
fn skipped_lines(finished: &[&Finished]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for finished in finished.iter().filter(|finished| finished.outcome.ending == Ending::Skipped) {
        let reason = finished.outcome.detail.as_str();
        match reasons.iter_mut().find(|(have, _)| *have == reason) {
            Some((_, names)) => names.push(finished.case.name),
            None => reasons.push((reason, vec![finished.case.name])),
        }
    }
    reasons.into_iter().map(|(reason, names)| format!("    skipped because {reason}: {}", names.join(", "))).collect()
}

fn case_lines(finished: &Finished, again: &str) -> Vec<String> {
    let case = &finished.case;
    let mark = if finished.outcome.ending == Ending::Inconclusive { "   (inconclusive)" } else { "" };
    let mut lines = vec![format!("    {}   {}{mark}", case.name, case.requirements.join(", "))];
    for requirement in case.requirements.iter().filter_map(|id| protocol::requirement(id)) {
        lines.push(format!("      {}: \"{}\"", requirement.id, requirement.text));
    }
    lines.push(format!("      {}", finished.outcome.detail));
    let traffic = &finished.outcome.traffic;
    let left_out = traffic.len().saturating_sub(FIRST + LAST);
    let first = if left_out > 0 { FIRST } else { traffic.len() };
    lines.extend(traffic.iter().take(first).map(|line| format!("        {line}")));
    if left_out > 0 {
        lines.push(format!("        … {left_out} lines more …"));
        lines.extend(traffic.iter().skip(FIRST + left_out).map(|line| format!("        {line}")));
    }
    lines.push(format!("      run again: {again} --filter {}", case.name));
    lines
}
