//! What was acknowledged, what is stored and what was heard have to be the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use i9chat_sdk::{
    ChatHandle, Error, Update,
    spec::{Activity, ChatId, Entry, Message, Watermark},
};

/// An entry, as far as everybody sees the same of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub seq: u64,
    /// What tells it from every other.
    pub what: String,
}

impl Line {
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Message(message) => Self::of_message(message),
            Entry::Activity(activity) => Self::of_activity(activity),
            Entry::Unknown(fields) => panic!("an entry of a kind that nobody made: {fields:?}"),
        }
    }

    pub fn of_message(message: &Message) -> Self {
        let Message { seq, message_id, sender, content, .. } = message;
        let text = content.text().unwrap_or_default();
        Self { seq: seq.get(), what: format!("{message_id} of {}: {text}", sender.username) }
    }

    pub fn of_activity(activity: &Activity) -> Self {
        let targets: Vec<_> = activity.targets.iter().map(|user| user.username.as_str()).collect();
        let what = format!("{:?} by {} for {targets:?}", activity.kind, activity.actor.username);
        Self { seq: activity.seq.get(), what }
    }

    /// The entry that an update tells of, if it tells of one.
    pub fn heard(update: &Update) -> Option<(ChatId, Self)> {
        let line = update.message().map(Self::of_message).or_else(|| update.activity().map(Self::of_activity))?;
        Some((update.chat_id()?, line))
    }
}

/// Reads everything that somebody may see of a chat, oldest first.
pub async fn history(chat: &ChatHandle) -> Result<Vec<Entry>, Error> {
    let mut items = chat.entries_after(Watermark::ZERO).items();
    let mut entries = Vec::new();
    while let Some(entry) = items.next().await {
        entries.push(entry?);
    }
    Ok(entries)
}

pub fn lines(entries: &[Entry]) -> Vec<Line> {
    entries.iter().map(Line::of).collect()
}

/// Panics unless the lines are a whole chat: 1, 2, 3 … in this order.
pub fn assert_without_holes(lines: &[Line]) {
    let numbers: Vec<_> = lines.iter().map(|line| line.seq).collect();
    let wanted: Vec<_> = (1..=lines.len() as u64).collect();
    assert_eq!(numbers, wanted, "numbered without holes");
}

/// Panics unless what was acknowledged is what is stored, each once.
pub fn assert_stored_once<T: Ord + Debug>(acknowledged: Vec<T>, stored: Vec<T>) {
    let (acknowledged, stored) = (counted(acknowledged), counted(stored));
    let twice: Vec<_> = [&acknowledged, &stored].into_iter().flatten().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "acknowledged or stored more than once: {twice:?}");
    let (acknowledged, stored): (BTreeSet<_>, BTreeSet<_>) = (acknowledged.keys().collect(), stored.keys().collect());
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged, and not stored: {lost:?}");
    let unknown: Vec<_> = stored.difference(&acknowledged).collect();
    assert!(unknown.is_empty(), "stored, and acknowledged to nobody: {unknown:?}");
}

fn counted<T: Ord>(items: Vec<T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

/// Panics unless two of the same chat are the same, and says where they first differ.
pub fn assert_same(who: &str, seen: &[Line], other: &str, wanted: &[Line]) {
    let place = seen.iter().zip(wanted).position(|(one, two)| one != two).unwrap_or(seen.len().min(wanted.len()));
    assert!(
        seen == wanted,
        "{who} ({} entries) and {other} ({} entries) differ at the place {place}: {:?} and {:?}",
        seen.len(),
        wanted.len(),
        seen.get(place),
        wanted.get(place),
    );
}
