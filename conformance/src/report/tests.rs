use std::{collections::BTreeSet, time::Duration};

use i9chat_spec::Profile;
use serde_json::{Value, json};

use super::{console, json as as_json, junit};
use crate::{
    case::Case,
    run::Finished,
    verdict::{Ending, Outcome},
};

fn finished(name: &'static str, profile: Profile, ending: Ending, detail: &str) -> Finished {
    Finished {
        case: Case { name, profile, requirements: &["SES-9"], story: |_| Box::pin(async { Ok(()) }) },
        outcome: Outcome {
            ending,
            detail: detail.to_owned(),
            traffic: vec!["→ GET /v1/me".to_owned()],
            refusals: BTreeSet::new(),
        },
        took: Duration::from_millis(1500),
    }
}

fn one_of_each() -> Vec<Finished> {
    vec![
        finished("goes_well", Profile::Core, Ending::Passed, ""),
        finished("goes_wrong", Profile::Core, Ending::Failed, "expected 204, got <500>"),
        finished("cannot_say", Profile::Messages, Ending::Inconclusive, "signing up: no mail"),
        finished("is_not_for_it", Profile::Messages, Ending::Skipped, "the server does not claim it"),
    ]
}

#[test]
fn the_console_tells_a_stranger_why() {
    let text = console(&one_of_each(), "i9chat-conformance run --url http://x");
    for part in [
        "  core         1 passed   1 FAILED",
        "goes_wrong   SES-9",
        "SES-9: \"`DELETE /v1/sessions/{session_id}` ends one",
        "expected 204, got <500>",
        "→ GET /v1/me",
        "run again: i9chat-conformance run --url http://x --filter goes_wrong",
        "cannot_say   SES-9   (inconclusive)",
        "skipped because the server does not claim it: is_not_for_it",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(text.lines().last(), Some("1 passed, 2 failed, 1 skipped"));
}

#[test]
fn long_traffic_is_cut_in_the_middle() {
    let mut long = finished("goes_wrong", Profile::Core, Ending::Failed, "x");
    long.outcome.traffic = (0..100).map(|number| format!("line {number}.")).collect();
    let text = console(&[long], "x");
    for (part, shown) in [("line 0.", true), ("line 50.", false), ("line 99.", true), ("… 60 lines more …", true)] {
        assert_eq!(text.contains(part), shown, "{part}\n{text}");
    }
}

#[test]
fn a_run_of_nothing_says_so() {
    assert_eq!(console(&[], "x"), "no case ran, which shows nothing\n0 passed, 0 failed, 0 skipped");
}

#[test]
fn the_json_has_the_form_that_was_agreed() {
    let report: Value = serde_json::from_str(&as_json(&one_of_each()).unwrap()).unwrap();
    assert_eq!(report["summary"], json!({ "passed": 1, "failed": 1, "skipped": 1, "inconclusive": 1 }));
    assert_eq!(
        report["cases"][1],
        json!({
            "name": "goes_wrong",
            "profile": "core",
            "requirements": ["SES-9"],
            "verdict": "failed",
            "detail": "expected 204, got <500>",
        })
    );
}

#[test]
fn the_junit_counts_each_kind() {
    let xml = junit(&one_of_each()).unwrap();
    assert!(xml.contains(r#"<testsuite name="core" tests="2" skipped="0" errors="0" failures="1">"#), "{xml}");
    assert!(xml.contains(r#"<testsuite name="messages" tests="2" skipped="1" errors="1" failures="0">"#), "{xml}");
    assert!(xml.contains("&lt;500&gt;"), "{xml}");
    assert!(xml.contains(r#"<testcase name="goes_well" time="1.500"/>"#), "{xml}");
}
