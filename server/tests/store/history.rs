//! Entries of chats, and single messages. (MSG-5, MSG-13)

use i9chat_server::store::{OneMessage, Seek, Seen};
use i9chat_spec::{ChatId, Entry, Message, MessageId, Seq, User, Watermark};

use super::{
    acts::{sending, text},
    case::cases,
    shelf::{Shelf, uuid},
};

cases![
    entries_are_read_from_any_place_in_either_direction,
    of_several_stretches_nothing_between_is_read,
    history_that_is_read_while_others_write_has_no_holes,
    a_message_is_found_by_who_sees_it,
    a_retry_finds_what_was_sent_before,
];

impl Shelf {
    async fn entries(&self, user: &User, chat_id: ChatId, seek: Seek, limit: usize) -> Vec<Entry> {
        match self.other.entries(user.user_id, chat_id, seek, limit).await.unwrap() {
            Seen::Found(entries) => entries,
            other => panic!("{} finds {other:?}", user.username),
        }
    }

    async fn seqs(&self, user: &User, chat_id: ChatId, seek: Seek, limit: usize) -> Vec<u64> {
        let entries = self.entries(user, chat_id, seek, limit).await;
        entries.iter().filter_map(Entry::seq).map(Seq::get).collect()
    }

    pub async fn message(&self, user: &User, chat_id: ChatId, message_id: MessageId) -> Seen<Box<Message>> {
        self.other.message(OneMessage { user_id: user.user_id, chat_id, message_id }).await.unwrap()
    }
}

fn before(seq: u64) -> Seek {
    Seek::Before(seq.try_into().unwrap())
}

fn after(seq: u64) -> Seek {
    Seek::After(Watermark::try_from(seq).unwrap())
}

async fn entries_are_read_from_any_place_in_either_direction(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    assert_eq!(shelf.seqs(&alice, chat_id, Seek::Newest, 5).await, [0; 0]);
    shelf.commit_all((1..=9).map(|number| sending(&alice, chat_id, text(&format!("{number}")))).collect()).await;
    let newest = shelf.entries(&bob, chat_id, Seek::Newest, 2).await;
    let texts: Vec<_> =
        newest.iter().filter_map(Entry::as_message).filter_map(|message| message.content.text()).collect();
    assert_eq!(texts, ["9", "8"]);
    assert_eq!(newest[0].as_message().unwrap().sender, alice);
    assert_eq!(shelf.seqs(&bob, chat_id, before(5), 3).await, [4, 3, 2]);
    assert_eq!(shelf.seqs(&bob, chat_id, before(3), 3).await, [2, 1]);
    assert_eq!(shelf.seqs(&bob, chat_id, before(1), 3).await, [0; 0]);
    assert_eq!(shelf.seqs(&bob, chat_id, before(100), 2).await, [9, 8], "from beyond the end");
    assert_eq!(shelf.seqs(&bob, chat_id, after(0), 3).await, [1, 2, 3]);
    assert_eq!(shelf.seqs(&bob, chat_id, after(7), 3).await, [8, 9]);
    assert_eq!(shelf.seqs(&bob, chat_id, after(9), 3).await, [0; 0]);
    assert_eq!(shelf.seqs(&bob, chat_id, Seek::Newest, 100).await.len(), 9);

    let nothing = ChatId::from_uuid(uuid());
    for chat_id in [chat_id, nothing] {
        let seen = shelf.store.entries(carol.user_id, chat_id, Seek::Newest, 5).await.unwrap();
        assert!(matches!(seen, Seen::NoChat));
    }
    let group = shelf.group(&alice, "Friends", &[&bob]).await;
    let seen = shelf.store.entries(carol.user_id, group, Seek::Newest, 5).await.unwrap();
    assert!(matches!(seen, Seen::NotMember));
    let entries = shelf.entries(&bob, group, Seek::Newest, 5).await;
    assert_eq!(entries[0].as_activity().map(|activity| &activity.actor), Some(&alice));
}

async fn of_several_stretches_nothing_between_is_read(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await; // 1
    let send = async |count| shelf.commit_all((0..count).map(|_| sending(&alice, group, text("x"))).collect()).await;
    send(2).await; // 2, 3
    shelf.leave(&bob, group).await; // 4
    send(5).await; // 5 to 9
    shelf.join(&bob, group).await; // 10
    send(2).await; // 11, 12
    shelf.remove(&alice, group, &bob).await; // 13
    send(3).await; // 14 to 16
    assert_eq!(shelf.seqs(&bob, group, Seek::Newest, 100).await, [13, 12, 11, 10, 4, 3, 2, 1]);
    assert_eq!(shelf.seqs(&bob, group, Seek::Newest, 5).await, [13, 12, 11, 10, 4]);
    assert_eq!(shelf.seqs(&bob, group, before(10), 3).await, [4, 3, 2]);
    assert_eq!(shelf.seqs(&bob, group, before(7), 2).await, [4, 3], "from where nothing is seen");
    assert_eq!(shelf.seqs(&bob, group, before(15), 1).await, [13]);
    assert_eq!(shelf.seqs(&bob, group, after(2), 4).await, [3, 4, 10, 11]);
    assert_eq!(shelf.seqs(&bob, group, after(6), 100).await, [10, 11, 12, 13]);
    assert_eq!(shelf.seqs(&bob, group, after(13), 100).await, [0; 0]);
    assert_eq!(shelf.seqs(&alice, group, after(13), 100).await, [14, 15, 16]);
}

async fn history_that_is_read_while_others_write_has_no_holes(shelf: &Shelf) {
    const BATCHES: u64 = 20;
    const BATCH: u64 = 100;

    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    shelf.send(&alice, chat_id, "the first").await;
    let upwards = async {
        let mut known = 0;
        while known < BATCHES * BATCH {
            for seq in shelf.seqs(&bob, chat_id, after(known), 50).await {
                known += 1;
                assert_eq!(seq, known);
            }
        }
    };
    let downwards = async {
        loop {
            let seqs = shelf.seqs(&bob, chat_id, Seek::Newest, 200).await;
            assert!(seqs.windows(2).all(|pair| pair[0] == pair[1] + 1), "{seqs:?}");
            assert!(seqs.len() == 200 || seqs.last() == Some(&1), "{seqs:?}");
            let below = shelf.seqs(&bob, chat_id, before(seqs[0]), 50).await;
            assert_eq!(below.first().copied().unwrap_or(0), seqs[0] - 1);
            if seqs[0] > BATCHES * BATCH {
                break;
            }
        }
    };
    let writer = async {
        for _ in 0..BATCHES {
            shelf.commit_all((0..BATCH).map(|_| sending(&alice, chat_id, text("x"))).collect()).await;
        }
    };
    tokio::join!(upwards, downwards, writer);
}

async fn a_message_is_found_by_who_sees_it(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await; // 1
    let seen = shelf.send(&alice, group, "seen").await; // 2
    shelf.leave(&bob, group).await; // 3
    let unseen = shelf.send(&alice, group, "not seen").await; // 4
    let found = shelf.message(&bob, group, seen.message_id).await;
    let Seen::Found(message) = found else { panic!("{found:?}") };
    assert_eq!((message.seq, message.message_id, message.content.text()), (seen.seq, seen.message_id, Some("seen")));
    assert!(matches!(shelf.message(&bob, group, unseen.message_id).await, Seen::NoMessage));
    assert!(matches!(shelf.message(&alice, group, unseen.message_id).await, Seen::Found(_)));
    assert!(matches!(shelf.message(&carol, group, seen.message_id).await, Seen::NotMember));
    assert!(matches!(shelf.message(&bob, ChatId::from_uuid(uuid()), seen.message_id).await, Seen::NoChat));

    // Ids that were made up: one that points at the place of another message, at an activity, at nothing.
    let made_up = |place: u8| {
        let mut bytes = *uuid().as_bytes();
        bytes[11..].copy_from_slice(&[0, 0, 0, 0, place]);
        MessageId::from_uuid(uuid::Uuid::from_bytes(bytes))
    };
    for place in [2, 1, 200, 0] {
        assert!(matches!(shelf.message(&alice, group, made_up(place)).await, Seen::NoMessage), "{place}");
    }
    let direct = shelf.open(&alice, &bob).await;
    assert!(matches!(shelf.message(&alice, direct, seen.message_id).await, Seen::NoMessage), "of another chat");
}

async fn a_retry_finds_what_was_sent_before(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    let message = sending(&alice, chat_id, text("once"));
    let sent = futures_util::future::join_all([
        shelf.try_to(&shelf.store, message.clone()),
        shelf.try_to(&shelf.other, message.clone()),
        shelf.try_to(&shelf.store, message),
    ]);
    let sent: Vec<_> = sent.await.into_iter().map(Result::unwrap).collect();
    assert!(sent.iter().all(|one| *one == sent[0]), "{sent:?}");
    assert_eq!(shelf.seqs(&bob, chat_id, Seek::Newest, 5).await, [1]);
}
