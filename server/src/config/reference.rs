//! The reference of all options as a document, made from the same list as the options themselves.

use super::options::{GROUPS, Group, Known};

const BEGINNING: &str = "\
# Configuration

Every option of `i9chat-server`. This page is made from the code: `i9chat-server reference > docs/configuration.md`.

An option can be given as a flag, as an environment variable, and as a key of the TOML file that `--config FILE` (or the variable `I9CHAT_CONFIG`)
names. A flag counts more than the environment, the environment more than the file. An option that is given nowhere has its default; without one it is not set.
Several values are separated by commas in a flag or a variable, and a list in the file: `allowed-origins = [\"https://a.example\", \"https://b.example\"]`.
A value that is wrong, or a key that does not exist, stops the start with a sentence that says what to write.

Nodes of one cluster are given the same values, but for `--listen`.
";

/// The whole document.
pub fn reference() -> String {
    GROUPS.iter().fold(BEGINNING.to_owned(), |text, group| text + &section(group))
}

fn section(group: &Group) -> String {
    let beginning = format!(
        "\n## {}\n\n| Flag | Variable | Key | Default | Range | Meaning |\n|---|---|---|---|---|---|\n",
        group.title
    );
    group.options.iter().fold(beginning, |text, option| text + &row(option))
}

fn row(option: &Known) -> String {
    let (name, (meaning, default)) = (option.name(), option.help());
    let range = option.bounds.as_ref().map(|bounds| format!("{} to {}", bounds.start(), bounds.end()));
    format!(
        "| `--{name} {}` | `{}` | `{name}` | {} | {} | {} |\n",
        option.value,
        option.variable,
        cell(&default.unwrap_or_default()),
        range.unwrap_or_default(),
        cell(&meaning),
    )
}

/// Text in a cell of a table. Outside of code an angle bracket would begin a tag.
fn cell(text: &str) -> String {
    let pieces = text
        .split('`')
        .enumerate()
        .map(|(index, piece)| if index % 2 == 0 { piece.replace('<', "\\<") } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join("`").replace('|', "\\|")
}
