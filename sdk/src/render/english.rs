//! The English for phrases and previews.

use std::fmt::{self, Display, Formatter};

use super::{Line, Name, Phrase, Preview};

/// So many names are told; of more, two, and how many others.
const MAX_NAMES: usize = 3;

/// As the first word of a sentence.
impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("You"),
            Self::User(name) => f.write_str(name.as_str()),
        }
    }
}

impl Name {
    fn inside(&self) -> &str {
        match self {
            Self::You => "you",
            Self::User(name) => name.as_str(),
        }
    }
}

impl Display for Phrase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created { who, name, members } => {
                write!(f, "{who} created the group")?;
                if let Some(name) = name {
                    write!(f, " “{name}”")?;
                }
                if members.is_empty() { Ok(()) } else { write!(f, " with {}", Names(members)) }
            }
            Self::Renamed { who, from: Some(from), to: Some(to) } => {
                write!(f, "{who} changed the group’s name from “{from}” to “{to}”")
            }
            Self::Renamed { who, to: Some(to), .. } => write!(f, "{who} changed the group’s name to “{to}”"),
            Self::Renamed { who, .. } => write!(f, "{who} changed the group’s name"),
            Self::Described { who, to } if to.is_empty() => write!(f, "{who} removed the group’s description"),
            Self::Described { who, .. } => write!(f, "{who} changed the group’s description"),
            Self::Pictured { who, has_picture: true } => write!(f, "{who} changed the group’s picture"),
            Self::Pictured { who, has_picture: false } => write!(f, "{who} removed the group’s picture"),
            Self::Joined { who } => write!(f, "{who} joined"),
            Self::Left { who } => write!(f, "{who} left"),
            Self::Added { who, members } => write!(f, "{who} added {}", Names(members)),
            Self::Removed { who, members } => write!(f, "{who} removed {}", Names(members)),
            Self::MadeAdmin { who, members } => write!(f, "{who} made {} admin", Names(members)),
            Self::MadeMember { who, members } => write!(f, "{who} removed {} as admin", Names(members)),
            Self::Succeeded { members, .. } => match members.as_slice() {
                [member] => write!(f, "{member} became admin"),
                members => write!(f, "New admins: {}", Names(members)),
            },
            Self::Unknown { who } => write!(f, "{who} changed something in the group"),
        }
    }
}

impl Display for Preview {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { sender, is_reply, line } => {
                write!(f, "{sender}: {}{line}", if *is_reply { "↩ " } else { "" })
            }
            Self::Activity(phrase) => phrase.fmt(f),
            Self::Unknown => f.write_str("Something newer than this app"),
        }
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Voice { seconds } => write!(f, "🎤 Voice message ({}:{:02})", seconds / 60, seconds % 60),
            Self::Images { caption: Some(caption), .. } => write!(f, "📷 {caption}"),
            Self::Images { count: 1, .. } => f.write_str("📷 Photo"),
            Self::Images { count, .. } => write!(f, "📷 {count} photos"),
            Self::Videos { caption: Some(caption), .. } => write!(f, "🎬 {caption}"),
            Self::Videos { count: 1, .. } => f.write_str("🎬 Video"),
            Self::Videos { count, .. } => write!(f, "🎬 {count} videos"),
            Self::Audio { title: Some(title) } => write!(f, "🎵 {title}"),
            Self::Audio { title: None } => f.write_str("🎵 Audio"),
            Self::File { name } => write!(f, "📎 {name}"),
            Self::Unknown => f.write_str("A message newer than this app"),
        }
    }
}

/// Names in a sentence: "bob", "you and bob", "bob, carol and 3 others". The viewer comes first.
struct Names<'a>(&'a [Name]);

impl Display for Names<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (you, others): (Vec<&Name>, Vec<&Name>) = self.0.iter().partition(|name| **name == Name::You);
        let names: Vec<&str> = you.into_iter().chain(others).map(Name::inside).collect();
        match names.as_slice() {
            [] => f.write_str("nobody"),
            [name] => f.write_str(name),
            [first, second, rest @ ..] if names.len() > MAX_NAMES => {
                write!(f, "{first}, {second} and {} others", rest.len())
            }
            [before @ .., last] => write!(f, "{} and {last}", before.join(", ")),
        }
    }
}
