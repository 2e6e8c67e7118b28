//! The ledger: what docs/protocol.md asks for, against what the cases prove.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use i9chat_conformance::{
    cases::{CODES_NOT_SEEN_ON_THE_WIRE, NOT_SEEN_ON_THE_WIRE, all},
    protocol::{REQUIREMENTS, requirement},
};
use i9chat_spec::ErrorCode;

fn cited() -> BTreeSet<&'static str> {
    all().iter().flat_map(|case| case.requirements).copied().collect()
}

fn excused() -> BTreeSet<&'static str> {
    NOT_SEEN_ON_THE_WIRE.iter().map(|(id, _)| *id).collect()
}

#[test]
fn every_must_has_a_case_or_a_reason() {
    let (cited, excused) = (cited(), excused());
    let open: Vec<_> = REQUIREMENTS
        .iter()
        .filter(|requirement| requirement.is_binding())
        .map(|requirement| requirement.id.as_str())
        .filter(|id| !cited.contains(id) && !excused.contains(id))
        .collect();
    assert!(open.is_empty(), "neither a case nor a reason: {open:?}");
}

#[test]
fn every_cited_id_exists() {
    let unknown: Vec<_> = cited().union(&excused()).copied().filter(|id| requirement(id).is_none()).collect();
    assert!(unknown.is_empty(), "docs/protocol.md has no {unknown:?}");
}

#[test]
fn no_reason_stands_beside_a_case() {
    let both: Vec<_> = cited().intersection(&excused()).copied().collect();
    assert!(both.is_empty(), "proved after all: {both:?}");
    assert_eq!(excused().len(), NOT_SEEN_ON_THE_WIRE.len(), "an id has two reasons");
    assert!(NOT_SEEN_ON_THE_WIRE.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn every_id_is_given_once() {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for requirement in REQUIREMENTS.iter() {
        *times.entry(&requirement.id).or_default() += 1;
    }
    times.retain(|_, times| *times > 1);
    assert!(times.is_empty(), "given more than once: {times:?}");
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for case in all() {
        assert!(names.insert(case.name), "two cases are named {}", case.name);
        assert!(!case.requirements.is_empty(), "{} proves nothing", case.name);
    }
}

/// The sources of the cases, apart from the tables of what is not seen.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if !path.ends_with("unseen.rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_error_code_is_expected_by_a_case_or_has_a_reason() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases"), &mut files);
    let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for code in ErrorCode::ALL {
        let named = format!("ErrorCode::{code:?}");
        let is_expected = text
            .match_indices(&named)
            .any(|(at, _)| !text[at + named.len()..].starts_with(|next: char| next.is_alphanumeric()));
        let is_excused = CODES_NOT_SEEN_ON_THE_WIRE.iter().any(|(excused, _)| excused == code);
        assert!(is_expected != is_excused, "{code}: expected by a case: {is_expected}, excused: {is_excused}");
    }
}
