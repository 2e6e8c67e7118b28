//! `docs/protocol.md` says what the code says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use i9chat_spec::{CloseCode, ErrorCode, FieldCode, MediaRule, Profile, Reconnect};
use regex_lite::Regex;

pub static PAGE: LazyLock<String> =
    LazyLock::new(|| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")).unwrap());

/// The cells of the table that starts with that heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().skip_while(|line| *line != heading).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn ids(text: &str) -> Vec<&str> {
    static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[A-Z]{3}-[0-9]+\b").unwrap());
    // The one word that looks like an id.
    ID.find_iter(text).map(|found| found.as_str()).filter(|id| *id != "UTF-8").collect()
}

/// The ids of the sentences that the page has.
fn sentences() -> Vec<&'static str> {
    static SENTENCE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^\*\*([A-Z]{3}-[0-9]+)\.\*\*").unwrap());
    SENTENCE.captures_iter(&PAGE).map(|found| found.get(1).unwrap().as_str()).collect()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[test]
fn the_table_of_error_codes_is_the_list() {
    let rows = table("| Code | Status | Retryable | When |");
    let list: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let when = code.description().trim_end_matches('.');
            [
                format!("`{code}`"),
                code.status().to_string(),
                if code.retryable() { "yes" } else { "no" }.to_owned(),
                lower_first(when),
            ]
        })
        .collect();
    assert_eq!(rows, list);
}

/// A sentence as it stands in a cell.
fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    // An acronym or a word in quotes stays as it is.
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[test]
fn the_table_of_close_codes_is_the_list() {
    let rows = table("| Close code | Name | Reconnect | When |");
    let rows: Vec<_> = rows.iter().map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned())).collect();
    let list: Vec<_> = CloseCode::ALL
        .iter()
        .map(|code| {
            let reconnect = match code.reconnect() {
                Reconnect::No => "no",
                Reconnect::AfterRefresh => "after a refresh",
                Reconnect::Yes => "yes",
            };
            (code.number().to_string(), format!("`{}`", code.name()), reconnect.to_owned())
        })
        .collect();
    assert_eq!(rows, list);
}

#[test]
fn the_table_of_profiles_is_the_list() {
    let rows: Vec<_> = table("| Profile | What it asks |").iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(rows, Profile::ALL.iter().map(|profile| format!("`{profile}`")).collect::<Vec<_>>());
}

#[test]
fn the_table_of_media_is_the_list() {
    let size = |bytes: u64| match bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    };
    let list: Vec<_> = MediaRule::all()
        .into_iter()
        .map(|rule| {
            let types = rule.content_types.map_or("any".to_owned(), |types| {
                types.iter().map(|name| format!("`{}`", name.as_str())).collect::<Vec<_>>().join(", ")
            });
            let [kind, part] = [rule.kind.as_str(), rule.part.as_str()].map(|name| format!("`{name}`"));
            [kind, part, types, size(rule.min_bytes), size(rule.max_bytes)]
        })
        .collect();
    assert_eq!(table("| Kind | Part | Types | Smallest | Largest |"), list);
}

#[test]
fn the_page_names_every_field_code() {
    let sentence = PAGE.split("**ERR-4.**").nth(1).unwrap().split("**ERR-5.**").next().unwrap();
    for code in FieldCode::ALL {
        assert!(sentence.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn every_sentence_has_an_id_of_its_own() {
    let sentences = sentences();
    assert!(sentences.len() > 100);
    let unique: BTreeSet<_> = sentences.iter().collect();
    assert_eq!(unique.len(), sentences.len());
}

#[test]
fn every_cited_sentence_exists() {
    let sentences: BTreeSet<_> = sentences().into_iter().collect();
    for id in ids(&PAGE) {
        assert!(sentences.contains(id), "docs/protocol.md cites {id}");
    }
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut cited = BTreeSet::new();
    for file in &files {
        for id in ids(&fs::read_to_string(file).unwrap()) {
            assert!(sentences.contains(id), "{} cites {id}", file.display());
            cited.insert(id.to_owned());
        }
    }
    assert!(cited.len() > 50);
}
