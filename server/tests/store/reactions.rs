//! Reactions to messages. (REA-1 to REA-7)

use i9chat_server::store::{OneMessage, Seek, Seen};
use i9chat_spec::{ChatId, Emoji, MessageId, User, api::reactions::Reaction};

use super::{case::cases, groups::names, shelf::Shelf};

cases![
    a_message_shows_its_reactions_the_most_frequent_first_and_ones_own,
    who_reacted_is_listed_by_name_for_whoever_sees_the_message,
];

impl Shelf {
    /// What a message shows: its reactions, and one's own.
    async fn shown(&self, user: &User, chat_id: ChatId, message_id: MessageId) -> (Vec<(String, u64)>, Option<String>) {
        let found = self.message(user, chat_id, message_id).await;
        let Seen::Found(message) = found else { panic!("{found:?}") };
        let reactions = message.reactions.iter().map(|count| (count.emoji.as_str().to_owned(), count.count)).collect();
        (reactions, message.own_reaction.map(|emoji| emoji.as_str().to_owned()))
    }
}

async fn a_message_shows_its_reactions_the_most_frequent_first_and_ones_own(shelf: &Shelf) {
    let [alice, bob, carol, dave] = shelf.users(["alice", "bob", "carol", "dave"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob, &carol, &dave]).await;
    let message = shelf.send(&alice, group, "Hello").await.message_id;
    let other = shelf.send(&alice, group, "Hello again").await.message_id;
    assert_eq!(shelf.shown(&bob, group, message).await, (vec![], None));
    for (user, emoji) in [(&alice, "🎉"), (&bob, "👍"), (&carol, "❤️"), (&dave, "👍")] {
        shelf.react(user, group, message, Some(emoji)).await;
    }
    let counted = |counts: &[(&str, u64)]| counts.iter().map(|(emoji, count)| ((*emoji).to_owned(), *count)).collect();
    let all: Vec<_> = counted(&[("👍", 2), ("❤️", 1), ("🎉", 1)]);
    assert_eq!(shelf.shown(&bob, group, message).await, (all.clone(), Some("👍".to_owned())));
    // History and the list of chats show the same.
    let seen = shelf.other.entries(carol.user_id, group, Seek::Newest, 2).await.unwrap();
    let Seen::Found(entries) = seen else { panic!("{seen:?}") };
    let listed = entries[1].as_message().unwrap();
    assert_eq!(listed.reactions.iter().map(|count| count.count).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(listed.own_reaction.as_ref().map(Emoji::as_str), Some("❤️"));
    assert!(entries[0].as_message().unwrap().reactions.is_empty());
    shelf.react(&bob, group, other, Some("🎉")).await;
    let last = shelf.chat(&bob, group).await.last_entry.unwrap();
    let last = last.as_message().unwrap();
    assert_eq!((last.reactions.len(), last.own_reaction.as_ref().map(Emoji::as_str)), (1, Some("🎉")));

    // Another in its place; none.
    shelf.react(&bob, group, message, Some("🎉")).await;
    let (shown, own) = shelf.shown(&bob, group, message).await;
    assert_eq!((shown, own), (counted(&[("🎉", 2), ("❤️", 1), ("👍", 1)]), Some("🎉".to_owned())));
    for user in [&alice, &bob, &carol, &dave] {
        shelf.react(user, group, message, None).await;
    }
    assert_eq!(shelf.shown(&bob, group, message).await, (vec![], None));
    shelf.react(&bob, group, message, None).await;
}

async fn who_reacted_is_listed_by_name_for_whoever_sees_the_message(shelf: &Shelf) {
    let [zoe, alice, bob, gone] = shelf.users(["Zoe", "alice", "Bob", "gone"]).await;
    let stranger = shelf.user("stranger").await;
    let group = shelf.group(&zoe, "Friends", &[&alice, &bob, &gone]).await;
    let message = shelf.send(&alice, group, "Hello").await.message_id;
    shelf.react(&gone, group, message, Some("👍")).await;
    shelf.leave(&gone, group).await;
    let unseen = shelf.send(&alice, group, "without you").await.message_id;
    for (user, emoji) in [(&zoe, "🎉"), (&bob, "👍")] {
        shelf.react(user, group, message, Some(emoji)).await;
    }
    let one = |user: &User, message_id| OneMessage { user_id: user.user_id, chat_id: group, message_id };
    let read = async |user: &User, page| match shelf.other.reactions(one(user, message), page).await.unwrap() {
        Seen::Found(reactions) => reactions,
        seen => panic!("{seen:?}"),
    };
    let reaction = |user: &User, emoji: &str| Reaction { user: user.clone(), emoji: emoji.parse().unwrap() };
    let all = [reaction(&bob, "👍"), reaction(&gone, "👍"), reaction(&zoe, "🎉")];
    assert_eq!(read(&alice, names(None, 10)).await, all);
    assert_eq!(read(&gone, names(None, 10)).await, all, "they see those that it has now");
    assert_eq!(read(&alice, names(Some("bob"), 1)).await, all[1..2]);
    assert_eq!(read(&alice, names(Some("zoe"), 10)).await, []);
    let asked = async |user: &User, message_id| shelf.store.reactions(one(user, message_id), names(None, 9)).await;
    assert!(matches!(asked(&gone, unseen).await.unwrap(), Seen::NoMessage));
    assert!(matches!(asked(&stranger, message).await.unwrap(), Seen::NotMember));
    assert!(matches!(asked(&alice, unseen).await.unwrap(), Seen::Found(reactions) if reactions.is_empty()));
}
