//! How things are printed.

use i9chat_sdk::{
    render,
    spec::{Content, Entry, Message, UserId},
};

/// An entry as one line: messages with their number, for `/reply` and `/react`.
pub fn line(entry: &Entry, me: UserId) -> String {
    match entry {
        Entry::Message(message) => {
            let quote = message.reply_to.as_ref().map_or_else(String::new, |quote| format!("(to {}) ", quote.seq));
            format!("{} {}: {quote}{}", message.seq, message.sender.username, words(message))
        }
        Entry::Activity(activity) => format!("* {}", plain(&render::activity(activity, me))),
        Entry::Unknown(_) => "* (something newer than this program)".to_owned(),
    }
}

fn words(message: &Message) -> String {
    let kind = match &message.content {
        Content::Text { text } => return plain(text.as_str()),
        Content::Image { items, .. } if items.len() > 1 => format!("[{} images]", items.len()),
        Content::Image { .. } => "[image]".to_owned(),
        Content::Video { .. } => "[video]".to_owned(),
        Content::Voice { duration_ms, .. } => format!("[voice, {} s]", duration_ms.get().div_ceil(1000)),
        Content::Audio { .. } => "[audio]".to_owned(),
        Content::File { .. } => "[file]".to_owned(),
        Content::Unknown(_) => "(something newer than this program)".to_owned(),
    };
    match message.content.snippet() {
        Some(snippet) => format!("{kind} {}", plain(snippet.as_str())),
        None => kind,
    }
}

/// What somebody else wrote must not steer this terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
