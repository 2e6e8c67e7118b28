//! The sentences of docs/protocol.md, as the suite quotes them.

use std::sync::LazyLock;

/// The specification, as it stood when the suite was built.
pub const TEXT: &str = include_str!("../../docs/protocol.md");

/// One numbered sentence (or a few of them under one id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The id, such as `MSG-7`.
    pub id: String,
    /// The heading that it stands under.
    pub section: String,
    /// The text, without its id.
    pub text: String,
}

impl Requirement {
    /// Whether a server has to keep it, as against a MAY or an explanation.
    pub fn is_binding(&self) -> bool {
        self.text.contains("MUST")
    }
}

/// Every requirement, in the order of the page.
pub static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| read(TEXT));

/// The requirement of that id, in any case.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    REQUIREMENTS.iter().find(|requirement| requirement.id.eq_ignore_ascii_case(id))
}

fn read(page: &str) -> Vec<Requirement> {
    let mut found: Vec<Requirement> = Vec::new();
    let mut section = String::new();
    let mut open = false;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut section);
            open = false;
        } else if let Some((id, text)) = opening(line) {
            found.push(Requirement { id: id.to_owned(), section: section.clone(), text: text.to_owned() });
            open = true;
        } else if line.trim().is_empty() || line.starts_with('|') {
            open = false;
        } else if open && let Some(last) = found.last_mut() {
            last.text.push(' ');
            last.text.push_str(line.trim());
        }
    }
    found
}

fn opening(line: &str) -> Option<(&str, &str)> {
    let (id, text) = line.strip_prefix("**")?.split_once(".**")?;
    let (section, number) = id.split_once('-')?;
    let is_id = section.len() == 3
        && section.bytes().all(|byte| byte.is_ascii_uppercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| (id, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_goes_on_to_the_end_of_its_paragraph() {
        let page = "## 1 Words\n\n**ABC-1.** One MUST\nwrap.\n\nNot this.\n\n**ABC-22.** Two.\n| a | b |\nnor this\n**no id.** x";
        let found = read(page);
        let texts: Vec<_> = found.iter().map(|found| (found.id.as_str(), found.text.as_str())).collect();
        assert_eq!(texts, [("ABC-1", "One MUST wrap."), ("ABC-22", "Two.")]);
        assert_eq!(found[0].section, "1 Words");
        assert_eq!((found[0].is_binding(), found[1].is_binding()), (true, false));
    }

    #[test]
    fn the_specification_is_read() {
        assert!(requirement("msg-7").is_some_and(|found| found.text.contains("client_id")));
        assert!(requirement("MSG-999").is_none());
        assert!(REQUIREMENTS.len() > 90);
    }
}
