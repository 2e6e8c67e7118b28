//! What was acknowledged, what is stored and what everybody heard: the same for all, whatever broke meanwhile.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use futures_util::future::join_all;
use i9chat_sdk::{
    ChatHandle,
    spec::{ChatId, Entry, Message, MessageId, ReactionCount, Seq, UserId, Watermark},
};
use tokio::time::Instant;

use super::{Done, Heard, Person};
use crate::{
    cluster::{Cluster, NODES},
    histories::{Line, assert_same, assert_stored_once, assert_without_holes, history, lines},
};

/// How long the last events may take to come. Only failures ever take this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Panics unless everything is as it has to be.
pub async fn check(cluster: &Cluster, people: Vec<Person>, guest: Person, mut done: Vec<Done>) {
    // Told after everything else, so whoever hears of it has heard all that they ever will.
    for (person, done) in people.iter().zip(&mut done) {
        for chat in person.direct.iter().chain([&person.group]) {
            let last = chat.send(format!("the last word of {}", person.name)).await.unwrap();
            done.sent.push((last.chat_id, last.message_id, last.seq));
        }
    }
    let chats = stored(cluster, &people).await;
    for (chat_id, entries) in &chats {
        let lines = lines(entries);
        assert_without_holes(&lines);
        let acknowledged = done.iter().flat_map(|done| &done.sent).filter(|(chat, ..)| chat == chat_id);
        let acknowledged = acknowledged.map(|(_, id, seq)| (*id, *seq)).collect();
        assert_stored_once(acknowledged, messages(entries).map(|message| (message.message_id, message.seq)).collect());
    }
    assert_turns(&lines(&chats[&guest.group.id()]), &guest.name);
    let reactions = assert_reactions(&chats, &done);
    assert_read(&people, &done).await;

    let seen_by_guest = lines(&history(&guest.group).await.unwrap());
    let in_time = Instant::now() + PATIENCE;
    let mut all_heard = Vec::new();
    for person in people {
        let own: Vec<_> = person.direct.iter().chain([&person.group]).map(ChatHandle::id).collect();
        let until = own.iter().map(|chat_id| (*chat_id, chats[chat_id].len() as u64)).collect();
        let heard = person.listener.heard(until, in_time).await;
        let heard = heard.unwrap_or_else(|| panic!("{} does not hear the last word in time", person.name));
        for chat_id in own {
            assert_same(&person.name, &heard.of(chat_id), "the history", &lines(&chats[&chat_id]));
        }
        assert_heard_reactions(&heard, &reactions);
        assert_heard_reads(&heard, &done);
        all_heard.push((person.name, heard));
    }
    let last = seen_by_guest.last().map_or(0, |line| line.seq);
    let heard = guest.listener.heard(HashMap::from([(guest.group.id(), last)]), in_time).await;
    let heard = heard.expect("the guest hears the last word in time");
    assert_same("what the guest heard", &heard.of(guest.group.id()), "their history", &seen_by_guest);
    all_heard.push((guest.name, heard));
    assert_one_order(&all_heard);
}

/// Every chat, which is the same for all who are in it and by every node.
async fn stored(cluster: &Cluster, people: &[Person]) -> HashMap<ChatId, Vec<Entry>> {
    let mut chats = HashMap::new();
    let mut compare = |who: &str, chat_id: ChatId, entries: Vec<Entry>| {
        let (_, known) = chats.entry(chat_id).or_insert_with(|| (who.to_owned(), entries.clone()));
        assert_same(who, &lines(&entries), "another", &lines(known));
        assert_eq!(reactions_of(&entries), reactions_of(known), "both see the same reactions");
    };
    for person in people {
        for chat in person.direct.iter().chain([&person.group]) {
            compare(&person.name, chat.id(), history(chat).await.unwrap());
        }
    }
    let readers = people.iter().zip(0..NODES).map(async |(person, node)| {
        let reader = cluster.connect_to_node(node, person.credentials.clone()).await;
        let mut read = Vec::new();
        for chat in person.direct.iter().chain([&person.group]) {
            read.push((chat.id(), history(&reader.chat(chat.id())).await.unwrap()));
        }
        reader.close().await;
        (node, read)
    });
    for (node, read) in join_all(readers).await {
        for (chat_id, entries) in read {
            compare(&format!("node {node}"), chat_id, entries);
        }
    }
    chats.into_iter().map(|(chat_id, (_, entries))| (chat_id, entries)).collect()
}

fn messages(entries: &[Entry]) -> impl Iterator<Item = &Message> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Message(message) => Some(message),
        _ => None,
    })
}

/// Those that are equally frequent have no order.
fn sorted(reactions: &[ReactionCount]) -> BTreeMap<String, u64> {
    reactions.iter().map(|reaction| (reaction.emoji.to_string(), reaction.count)).collect()
}

fn reactions_of(entries: &[Entry]) -> HashMap<MessageId, BTreeMap<String, u64>> {
    let reactions = messages(entries).map(|message| (message.message_id, sorted(&message.reactions)));
    reactions.filter(|(_, reactions)| !reactions.is_empty()).collect()
}

/// The guest comes and goes by turns: nothing of it was done twice.
fn assert_turns(group: &[Line], guest: &str) {
    let turns: Vec<_> = group.iter().filter(|line| line.what.ends_with(&format!("for [{guest:?}]"))).collect();
    assert!(turns.len() > 1, "the guest was in and out: {turns:?}");
    for pair in turns.windows(2) {
        assert_ne!(pair[0].what, pair[1].what, "the guest does not come or go twice");
    }
}

/// The reactions are those that were acknowledged.
fn assert_reactions(chats: &HashMap<ChatId, Vec<Entry>>, done: &[Done]) -> HashMap<MessageId, BTreeMap<String, u64>> {
    let mut wanted: HashMap<MessageId, BTreeMap<String, u64>> = HashMap::new();
    for (message_id, emoji) in done.iter().flat_map(|done| &done.reactions) {
        *wanted.entry(*message_id).or_default().entry(emoji.to_string()).or_default() += 1;
    }
    let stored: HashMap<_, _> = chats.values().flat_map(|entries| reactions_of(entries)).collect();
    assert!(!wanted.is_empty(), "somebody reacted");
    assert_eq!(stored, wanted, "the reactions are those that were acknowledged");
    wanted
}

fn assert_heard_reactions(heard: &Heard, wanted: &HashMap<MessageId, BTreeMap<String, u64>>) {
    let told: HashMap<_, _> = heard.reactions.iter().map(|(id, reactions)| (*id, sorted(reactions))).collect();
    assert_eq!(&told, wanted, "what was told of reactions is what they are");
}

/// What was marked as read is read, for everybody who asks.
async fn assert_read(people: &[Person], done: &[Done]) {
    for person in people {
        for chat in person.direct.iter().chain([&person.group]) {
            let mut receipts = chat.receipts().items();
            let mut read = HashMap::new();
            while let Some(receipt) = receipts.next().await {
                let receipt = receipt.unwrap();
                read.insert(receipt.user.user_id, receipt.read);
            }
            for (user, seq) in marks(done, chat.id()) {
                let now = read.get(&user).copied().unwrap_or(Watermark::ZERO);
                assert!(now >= seq.into(), "{user} has read up to {seq}, not {now:?}");
            }
        }
    }
}

fn marks(done: &[Done], chat_id: ChatId) -> impl Iterator<Item = (UserId, Seq)> {
    done.iter().filter_map(move |done| Some((done.user?, *done.read.get(&chat_id)?)))
}

/// Whoever is in a chat was told how far the others are.
fn assert_heard_reads(heard: &Heard, done: &[Done]) {
    for chat_id in heard.entries.iter().map(|(chat_id, _)| *chat_id).collect::<HashSet<_>>() {
        for (user, seq) in marks(done, chat_id) {
            let told = heard.receipts.get(&(chat_id, user)).map_or(Watermark::ZERO, |(_, read)| *read);
            assert!(told >= seq.into(), "{user} has read up to {seq}, and {told:?} was told");
        }
    }
}

/// What any two heard, they heard in the same order, over all chats.
fn assert_one_order(all: &[(String, Heard)]) {
    for (one, heard) in all {
        for (other, compared) in all {
            let places = |heard: &Heard| heard.entries.iter().map(|(chat, line)| (*chat, line.seq)).collect::<Vec<_>>();
            let (mut mine, mut theirs) = (places(heard), places(compared));
            let (in_mine, in_theirs): (HashSet<_>, HashSet<_>) =
                (mine.iter().copied().collect(), theirs.iter().copied().collect());
            mine.retain(|place| in_theirs.contains(place));
            theirs.retain(|place| in_mine.contains(place));
            assert!(mine == theirs, "{one} and {other} heard the same in another order");
        }
    }
}
