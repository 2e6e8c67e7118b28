//! Chats as their users see them. (CHT-3 to CHT-8)

use i9chat_server::{
    domain::{OpenDirect, Position},
    store::{ChatsPage, ChatsQuery, Missed, MissedQuery, Seen, Snapshot},
};
use i9chat_spec::{
    Chat, ChatId, ChatKind, Entry, Membership, Patch, Role, Stretch, User, api::groups::GroupChanges, event::EventData,
    event::MessageCreated,
};

use super::{
    acts::{sending, text},
    case::cases,
    shelf::{Shelf, at, uuid},
};

cases![
    a_direct_chat_is_there_for_who_opened_it_and_from_its_first_message_for_both,
    two_who_open_a_chat_at_once_get_the_same,
    chats_come_with_the_latest_first_page_after_page,
    unread_are_messages_of_others_up_to_a_limit,
    a_group_is_shown_as_it_is_to_members_and_as_it_was_to_those_who_went,
    whoever_comes_back_sees_both_stretches_and_nothing_between,
    a_chat_of_others_is_not_there_and_a_group_of_others_is_not_theirs,
    changed_chats_are_those_of_which_something_was_heard,
    a_page_that_is_read_while_others_write_and_the_events_after_it_are_all_there_is,
];

impl Shelf {
    pub async fn chat(&self, user: &User, chat_id: ChatId) -> Chat {
        match self.other.chat(user.user_id, chat_id).await.unwrap() {
            Seen::Found(Snapshot { value, .. }) => value,
            seen => panic!("{} finds {seen:?}", user.username),
        }
    }

    async fn page(&self, user: &User, query: ChatsQuery) -> Snapshot<ChatsPage> {
        self.store.chats(user.user_id, query).await.unwrap()
    }

    async fn chats(&self, user: &User) -> Vec<Chat> {
        let page = self.page(user, ChatsQuery { before: None, changed_since: None, limit: 100 }).await;
        assert_eq!(page.place, self.head().await, "nobody writes");
        assert_eq!(page.value.next, None);
        page.value.chats
    }

    async fn changed_since(&self, user: &User, position: Position) -> Vec<ChatId> {
        let query = ChatsQuery { before: None, changed_since: Some(position), limit: 100 };
        let mut ids: Vec<_> = self.page(user, query).await.value.chats.iter().map(|chat| chat.chat_id).collect();
        ids.sort_unstable();
        ids
    }
}

pub fn stretch(from: u64, to: Option<u64>) -> Stretch {
    Stretch { from: from.try_into().unwrap(), to: to.map(|to| to.try_into().unwrap()) }
}

fn last_seq(chat: &Chat) -> Option<u64> {
    chat.last_entry.as_ref().and_then(Entry::seq).map(i9chat_spec::Seq::get)
}

async fn a_direct_chat_is_there_for_who_opened_it_and_from_its_first_message_for_both(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["Alice", "Bob", "carol"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    assert_eq!(shelf.open(&alice, &bob).await, chat_id);
    let own = shelf.chat(&alice, chat_id).await;
    assert_eq!((own.chat_id, own.kind, own.membership), (chat_id, ChatKind::Direct, Membership::Member));
    assert_eq!((own.opened_at, own.visible, own.last_entry), (at(0), vec![stretch(1, None)], None));
    assert_eq!((own.unread_count, own.delivered.get(), own.read.get(), own.group), (0, 0, 0, None));
    let partner = own.partner.unwrap();
    assert_eq!((&partner.user, partner.delivered.get(), partner.read.get()), (&bob, 0, 0));
    assert!(matches!(shelf.store.chat(bob.user_id, chat_id).await.unwrap(), Seen::NoChat));
    assert!(shelf.chats(&bob).await.is_empty());

    shelf.send(&alice, chat_id, "Hello").await;
    shelf.mark(&bob, chat_id, Some(1), None).await;
    let [chat] = &shelf.chats(&bob).await[..] else { panic!("one chat") };
    assert_eq!(*chat, shelf.chat(&bob, chat_id).await, "a list shows the same");
    assert_eq!((last_seq(chat), chat.unread_count), (Some(1), 1));
    assert_eq!((chat.delivered.get(), chat.read.get()), (1, 0));
    assert_eq!(chat.partner.as_ref().unwrap().user, alice);
    let own = shelf.chat(&alice, chat_id).await;
    let partner = own.partner.unwrap();
    assert_eq!((own.unread_count, partner.delivered.get(), partner.read.get()), (0, 1, 0));
    assert!(shelf.chats(&carol).await.is_empty());
}

async fn two_who_open_a_chat_at_once_get_the_same(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let opened = (0..6).map(|number| {
        let (opener, partner) = if number % 2 == 0 { (&alice, &bob) } else { (&bob, &alice) };
        let store = if number % 3 == 0 { &shelf.store } else { &shelf.other };
        shelf.try_to(store, OpenDirect { opener: opener.clone(), partner: partner.clone() })
    });
    let opened = futures_util::future::join_all(opened).await;
    let ids: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(shelf.chats(&alice).await.len(), 1);
    assert_eq!(shelf.chats(&bob).await.len(), 1);
}

async fn chats_come_with_the_latest_first_page_after_page(shelf: &Shelf) {
    let me = shelf.user("me-myself").await;
    let mut chats = Vec::new();
    for number in 0..7 {
        let other = shelf.user(&format!("user{number}")).await;
        chats.push(shelf.open(&me, &other).await);
    }
    // The order of writing is another than that of opening; the last stay empty, in the order of their openings.
    for index in [3, 0, 4, 0] {
        shelf.send(&me, chats[index], "Hello").await;
    }
    let expected: Vec<_> = [0, 4, 3, 6, 5, 2, 1].map(|index| chats[index]).into();
    let mut before = None;
    let mut listed = Vec::new();
    for _ in 0..3 {
        let page = shelf.page(&me, ChatsQuery { before, changed_since: None, limit: 3 }).await.value;
        listed.extend(page.chats.iter().map(|chat| chat.chat_id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(before, None);
    assert_eq!(listed, expected);
    let whole = shelf.page(&me, ChatsQuery { before: None, changed_since: None, limit: 7 }).await.value;
    assert_eq!((whole.chats.len(), whole.next), (7, None), "the end is known");
}

async fn unread_are_messages_of_others_up_to_a_limit(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await; // 1: created
    shelf.send(&alice, group, "one").await; // 2
    shelf.send(&bob, group, "mine").await; // 3
    let asked =
        GroupChanges { name: Some("Others".parse().unwrap()), description: Patch::Keep, picture_id: Patch::Keep };
    shelf.update(&alice, group, asked).await; // 4: an activity
    shelf.send(&alice, group, "two").await; // 5
    assert_eq!(shelf.chat(&bob, group).await.unread_count, 2);
    assert_eq!(shelf.chat(&alice, group).await.unread_count, 1);
    shelf.read(&bob, group, 2).await;
    let chat = shelf.chat(&bob, group).await;
    assert_eq!((chat.unread_count, chat.read.get(), chat.delivered.get()), (1, 2, 2));
    shelf.read(&bob, group, 5).await;
    assert_eq!(shelf.chat(&bob, group).await.unread_count, 0);
    for _ in 0..3 {
        shelf.commit_all((0..350).map(|_| sending(&alice, group, text("more"))).collect()).await;
    }
    let chat = shelf.chat(&bob, group).await;
    assert_eq!((chat.unread_count, last_seq(&chat)), (1000, Some(1055)), "counted up to a limit");
    shelf.read(&bob, group, 56).await;
    assert_eq!(shelf.chat(&bob, group).await.unread_count, 999);
}

async fn a_group_is_shown_as_it_is_to_members_and_as_it_was_to_those_who_went(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob, &carol]).await; // 1
    let own = shelf.chat(&alice, group).await;
    assert_eq!((own.kind, own.partner, own.visible), (ChatKind::Group, None, vec![stretch(1, None)]));
    assert_eq!((own.delivered.get(), own.read.get(), own.unread_count), (1, 1, 0));
    let summary = own.group.unwrap();
    assert_eq!((summary.name.as_str(), summary.description.as_str()), ("Friends", ""));
    assert_eq!((summary.picture_id, summary.members_count, summary.role), (None, 3, Some(Role::Admin)));
    assert_eq!(shelf.chat(&bob, group).await.group.unwrap().role, Some(Role::Member));

    shelf.leave(&bob, group).await; // 2
    shelf.remove(&alice, group, &carol).await; // 3
    let asked = GroupChanges {
        name: Some("Alone".parse().unwrap()),
        description: Patch::Set("Nobody else".parse().unwrap()),
        picture_id: Patch::Keep,
    };
    shelf.update(&alice, group, asked).await; // 4, 5
    shelf.send(&alice, group, "Hello?").await; // 6
    let now = shelf.chat(&alice, group).await;
    let summary = now.group.as_ref().unwrap();
    assert_eq!((summary.name.as_str(), summary.description.as_str()), ("Alone", "Nobody else"));
    assert_eq!((summary.members_count, last_seq(&now)), (1, Some(6)));
    for (user, membership, last, members) in [(&bob, Membership::Left, 2, 2), (&carol, Membership::Removed, 3, 1)] {
        let [chat] = &shelf.chats(user).await[..] else { panic!("it stays in the list") };
        assert_eq!((chat.membership, &chat.visible), (membership, &vec![stretch(1, Some(last))]));
        assert_eq!(last_seq(chat), Some(last));
        let summary = chat.group.as_ref().unwrap();
        assert_eq!((summary.name.as_str(), summary.members_count, summary.role), ("Friends", members, None));
    }
}

async fn whoever_comes_back_sees_both_stretches_and_nothing_between(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await; // 1
    shelf.send(&alice, group, "seen").await; // 2
    shelf.leave(&bob, group).await; // 3
    shelf.send(&alice, group, "not seen").await; // 4
    shelf.join(&bob, group).await; // 5
    let chat = shelf.chat(&bob, group).await;
    assert_eq!(chat.visible, [stretch(1, Some(3)), stretch(5, None)]);
    assert_eq!((chat.membership, chat.delivered.get(), chat.read.get()), (Membership::Member, 5, 5));
    assert_eq!((last_seq(&chat), chat.unread_count), (Some(5), 0));
    assert_eq!(chat.group.unwrap().members_count, 2);
    shelf.send(&alice, group, "welcome back").await; // 6
    shelf.remove(&alice, group, &bob).await; // 7
    shelf.send(&alice, group, "gone").await; // 8
    shelf.add(&alice, group, &bob).await; // 9
    let chat = shelf.chat(&bob, group).await;
    assert_eq!(chat.visible, [stretch(1, Some(3)), stretch(5, Some(7)), stretch(9, None)]);
    assert_eq!((last_seq(&chat), chat.unread_count), (Some(9), 0));
}

async fn a_chat_of_others_is_not_there_and_a_group_of_others_is_not_theirs(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let direct = shelf.open(&alice, &bob).await;
    shelf.send(&alice, direct, "Hello").await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    let nothing = ChatId::from_uuid(uuid());
    for chat_id in [direct, nothing] {
        assert!(matches!(shelf.store.chat(carol.user_id, chat_id).await.unwrap(), Seen::NoChat));
    }
    assert!(matches!(shelf.store.chat(carol.user_id, group).await.unwrap(), Seen::NotMember));
    assert!(shelf.chats(&carol).await.is_empty());
}

async fn changed_chats_are_those_of_which_something_was_heard(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let direct = shelf.open(&alice, &bob).await;
    let message = shelf.send(&alice, direct, "Hello").await;
    let group = shelf.group(&alice, "Friends", &[&bob, &carol]).await;
    let quiet = shelf.group(&alice, "Quiet", &[&bob]).await;
    let sorted = |mut ids: Vec<ChatId>| {
        ids.sort_unstable();
        ids
    };
    let since = async || shelf.head().await.position;
    let start = since().await;
    assert_eq!(shelf.changed_since(&bob, start).await, []);
    assert_eq!(shelf.changed_since(&bob, Position(0)).await, sorted(vec![direct, group, quiet]));

    // An entry; a reaction; another's receipt; one's own mark, of which others hear nothing in a large group, but here do.
    shelf.send(&carol, group, "to all").await;
    assert_eq!(shelf.changed_since(&bob, start).await, [group]);
    let after = since().await;
    shelf.react(&bob, direct, message.message_id, Some("🎉")).await;
    assert_eq!(shelf.changed_since(&alice, after).await, [direct]);
    let after = since().await;
    shelf.mark(&bob, direct, Some(1), None).await;
    assert_eq!(shelf.changed_since(&bob, after).await, [direct]);
    assert_eq!(shelf.changed_since(&alice, after).await, [direct]);
    assert_eq!(shelf.changed_since(&carol, after).await, []);

    // To be let out is heard, and what comes after it is not.
    let after = since().await;
    shelf.remove(&alice, group, &carol).await;
    assert_eq!(shelf.changed_since(&carol, after).await, [group]);
    let after = since().await;
    shelf.send(&alice, group, "without carol").await;
    assert_eq!(shelf.changed_since(&carol, after).await, []);
    assert_eq!(shelf.changed_since(&bob, after).await, [group]);
    // To be let in again is.
    shelf.add(&alice, group, &carol).await;
    assert_eq!(shelf.changed_since(&carol, after).await, [group]);
    let after = since().await;
    assert_eq!(shelf.changed_since(&carol, after).await, []);

    // Page by page as well.
    let query = ChatsQuery { before: None, changed_since: Some(start), limit: 1 };
    let first = shelf.page(&bob, query).await.value;
    let second = shelf.page(&bob, ChatsQuery { before: first.next, ..query }).await.value;
    let ids = [&first, &second].map(|page| page.chats[0].chat_id);
    assert_eq!((ids, second.next), ([group, direct], None));
}

/// What a client does that reads a chat and then hears events.
async fn a_page_that_is_read_while_others_write_and_the_events_after_it_are_all_there_is(shelf: &Shelf) {
    const BATCHES: usize = 30;
    const BATCH: usize = 40;

    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let direct = shelf.open(&alice, &bob).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    let reader = async |bob: &User| {
        let mut pages = Vec::new();
        loop {
            let page = shelf.page(bob, ChatsQuery { before: None, changed_since: None, limit: 10 }).await;
            let is_last = page.value.chats.iter().filter_map(last_seq).sum::<u64>() == (BATCH * BATCHES + 1) as u64;
            pages.push(page);
            if is_last {
                return pages;
            }
        }
    };
    let writer = async {
        for _ in 0..BATCHES {
            let chat_of = |number| if number % 2 == 0 { direct } else { group };
            let batch = (0..BATCH).map(|number| sending(&alice, chat_of(number), text("x"))).collect();
            shelf.commit_all(batch).await;
        }
    };
    let (pages, ()) = tokio::join!(reader(&bob), writer);
    for page in pages {
        let query =
            MissedQuery { user_id: bob.user_id, after: page.place.position, up_to: None, most: 10_000, limit: 10_000 };
        let Missed::Events { records, .. } = shelf.store.missed(query).await.unwrap() else { panic!("all are kept") };
        let later: Vec<_> = records
            .iter()
            .filter(|record| record.event == MessageCreated::NAME)
            .map(|record| serde_json::from_str::<MessageCreated>(&record.data).unwrap().message)
            .collect();
        for chat in &page.value.chats {
            let first = u64::from(chat.kind == ChatKind::Group);
            let last = last_seq(chat).unwrap_or(0);
            assert_eq!(chat.unread_count, (last - first).min(1000), "counted up to the entry that is shown");
            let mut known = last;
            for message in later.iter().filter(|message| message.chat_id == chat.chat_id) {
                if message.seq.get() > known {
                    known += 1;
                    assert_eq!(message.seq.get(), known, "one after the other");
                }
            }
            assert_eq!(known, (BATCH * BATCHES / 2) as u64 + first, "all messages");
        }
    }
}
