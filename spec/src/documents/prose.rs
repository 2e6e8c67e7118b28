//! Summaries and descriptions, read from the doc comments of endpoints and actions.

use std::sync::LazyLock;

use regex_lite::Regex;

/// What a reader sees first, and what they read next.
pub(super) struct Prose {
    /// One line, without the ids of clauses.
    pub(super) summary: String,
    /// Markdown; ends with the clauses of `docs/protocol.md` that say the rest.
    pub(super) description: String,
}

impl Prose {
    /// Reads the lines of a doc comment: the first is the summary, an empty line ends a paragraph.
    pub(super) fn of(docs: &[&str]) -> Self {
        static CLAUSES: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r" ?\(([A-Z]{3}-[0-9]+(?:(?:, | to )[A-Z]{3}-[0-9]+)*)\)").ok());

        let (first, rest) = docs.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let mut paragraphs: Vec<String> =
            rest.split(|line| line.trim().is_empty()).map(join).filter(|paragraph| !paragraph.is_empty()).collect();
        let mut summary = first.trim().to_owned();
        let mut clauses = Vec::new();
        if let Some(regex) = CLAUSES.as_ref() {
            for text in std::iter::once(&mut summary).chain(&mut paragraphs) {
                clauses.extend(regex.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str().to_owned())));
                *text = regex.replace_all(text, "").trim().to_owned();
            }
        }
        if !clauses.is_empty() {
            paragraphs.push(format!("In [the protocol](protocol.md): {}.", clauses.join(", ")));
        }
        Self { summary, description: paragraphs.join("\n\n") }
    }
}

fn join(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
