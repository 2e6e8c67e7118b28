//! How far messages have come, and how far users are. (RCP-7 to RCP-9)

use i9chat_server::store::{Names, OneMessage, Seen};
use i9chat_spec::{
    ChatId, MessageId, MessageStatus, User,
    api::receipts::{ChatReceipt, MessageReceipt},
};

use super::{case::cases, groups::names, shelf::Shelf};

cases![
    a_message_is_as_far_as_the_last_of_those_who_are_to_read_it,
    only_those_count_whose_present_stretch_holds_the_message,
    receipts_of_a_message_are_listed_by_name_for_members,
    receipts_of_a_chat_are_those_of_its_members_or_of_the_two,
];

impl Shelf {
    async fn receipts(
        &self,
        user: &User,
        chat_id: ChatId,
        message_id: MessageId,
        page: Names,
    ) -> (MessageStatus, Vec<MessageReceipt>) {
        let one = OneMessage { user_id: user.user_id, chat_id, message_id };
        match self.other.message_receipts(one, page).await.unwrap() {
            Seen::Found(found) => found,
            seen => panic!("{seen:?}"),
        }
    }

    async fn status(&self, user: &User, chat_id: ChatId, message_id: MessageId) -> MessageStatus {
        self.receipts(user, chat_id, message_id, names(None, 10)).await.0
    }

    async fn chat_receipts(&self, user: &User, chat_id: ChatId, page: Names) -> Vec<(String, u64, u64)> {
        match self.other.chat_receipts(user.user_id, chat_id, page).await.unwrap() {
            Seen::Found(receipts) => receipts
                .into_iter()
                .map(|ChatReceipt { user, delivered, read }| {
                    (user.username.as_str().to_owned(), delivered.get(), read.get())
                })
                .collect(),
            seen => panic!("{seen:?}"),
        }
    }
}

async fn a_message_is_as_far_as_the_last_of_those_who_are_to_read_it(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob, &carol]).await; // 1
    let message = shelf.send(&alice, group, "Hello").await.message_id; // 2
    assert_eq!(shelf.status(&alice, group, message).await, MessageStatus::Sent);
    shelf.read(&bob, group, 2).await;
    assert_eq!(shelf.status(&alice, group, message).await, MessageStatus::Sent);
    shelf.mark(&carol, group, Some(2), None).await;
    assert_eq!(shelf.status(&alice, group, message).await, MessageStatus::Delivered);
    shelf.read(&carol, group, 2).await;
    assert_eq!(shelf.status(&bob, group, message).await, MessageStatus::Read);
    let direct = shelf.open(&alice, &bob).await;
    let message = shelf.send(&alice, direct, "Hello").await.message_id;
    assert_eq!(shelf.status(&alice, direct, message).await, MessageStatus::Sent);
    shelf.read(&bob, direct, 1).await;
    assert_eq!(shelf.status(&alice, direct, message).await, MessageStatus::Read);
}

async fn only_those_count_whose_present_stretch_holds_the_message(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let group = shelf.group(&alice, "Friends", &[&bob]).await; // 1
    let message = shelf.send(&alice, group, "Hello").await.message_id; // 2
    shelf.add(&alice, group, &carol).await; // 3
    let (status, receipts) = shelf.receipts(&alice, group, message, names(None, 10)).await;
    assert_eq!((status, receipts.len()), (MessageStatus::Sent, 1), "carol came later");
    shelf.leave(&bob, group).await; // 4
    let (status, receipts) = shelf.receipts(&alice, group, message, names(None, 10)).await;
    assert_eq!((status, receipts.len()), (MessageStatus::Read, 0), "nobody is left who would have to read it");
    shelf.join(&bob, group).await; // 5
    assert_eq!(shelf.status(&alice, group, message).await, MessageStatus::Read, "bob sees it from another stretch");
}

async fn receipts_of_a_message_are_listed_by_name_for_members(shelf: &Shelf) {
    let [zoe, alice, bob, carol] = shelf.users(["Zoe", "alice", "BOB", "carol"]).await;
    let [stranger, gone] = shelf.users(["stranger", "gone"]).await;
    let group = shelf.group(&zoe, "Friends", &[&alice, &bob, &carol, &gone]).await; // 1
    let message = shelf.send(&carol, group, "Hello").await.message_id; // 2
    shelf.read(&zoe, group, 2).await;
    shelf.mark(&bob, group, Some(2), None).await;
    shelf.leave(&gone, group).await;
    let receipt = |user: &User, status| MessageReceipt { user: user.clone(), status };
    let all = [
        receipt(&alice, MessageStatus::Sent),
        receipt(&bob, MessageStatus::Delivered),
        receipt(&zoe, MessageStatus::Read),
    ];
    assert_eq!(shelf.receipts(&alice, group, message, names(None, 10)).await, (MessageStatus::Sent, all.to_vec()));
    let page = shelf.receipts(&alice, group, message, names(Some("Alice"), 1)).await;
    assert_eq!(page, (MessageStatus::Sent, all[1..2].to_vec()), "the status is that of all");
    assert!(shelf.receipts(&alice, group, message, names(Some("zoe"), 5)).await.1.is_empty());
    for user in [&stranger, &gone] {
        let one = OneMessage { user_id: user.user_id, chat_id: group, message_id: message };
        assert!(matches!(shelf.store.message_receipts(one, names(None, 9)).await.unwrap(), Seen::NotMember));
    }
    shelf.join(&gone, group).await;
    let one =
        OneMessage { user_id: gone.user_id, chat_id: group, message_id: MessageId::from_uuid(super::shelf::uuid()) };
    assert!(matches!(shelf.store.message_receipts(one, names(None, 9)).await.unwrap(), Seen::NoMessage));
}

async fn receipts_of_a_chat_are_those_of_its_members_or_of_the_two(shelf: &Shelf) {
    let [zoe, alice, bob] = shelf.users(["Zoe", "alice", "Bob"]).await;
    let group = shelf.group(&zoe, "Friends", &[&alice, &bob]).await; // 1
    shelf.send(&zoe, group, "Hello").await; // 2
    shelf.mark(&alice, group, Some(2), None).await;
    let row = |name: &str, delivered, read| (name.to_owned(), delivered, read);
    let all = [row("alice", 2, 1), row("Bob", 1, 1), row("Zoe", 1, 1)];
    let own = shelf.chat(&zoe, group).await;
    let all = all.map(|found| if found.0 == "Zoe" { row("Zoe", own.delivered.get(), own.read.get()) } else { found });
    assert_eq!(shelf.chat_receipts(&bob, group, names(None, 10)).await, all);
    assert_eq!(shelf.chat_receipts(&bob, group, names(Some("ALICE"), 1)).await, all[1..2]);
    shelf.leave(&alice, group).await;
    assert_eq!(shelf.chat_receipts(&bob, group, names(None, 10)).await.len(), 2);
    let seen = shelf.store.chat_receipts(alice.user_id, group, names(None, 10)).await.unwrap();
    assert!(matches!(seen, Seen::NotMember));

    let direct = shelf.open(&bob, &alice).await;
    let both = [row("alice", 0, 0), row("Bob", 0, 0)];
    assert_eq!(shelf.chat_receipts(&bob, direct, names(None, 10)).await, both, "one does not have it as yet");
    let seen = shelf.store.chat_receipts(alice.user_id, direct, names(None, 10)).await.unwrap();
    assert!(matches!(seen, Seen::NoChat));
    shelf.send(&bob, direct, "Hello").await;
    shelf.read(&alice, direct, 1).await;
    let found = shelf.chat_receipts(&alice, direct, names(None, 10)).await;
    assert_eq!(found[0], row("alice", 1, 1));
    assert_eq!(shelf.chat_receipts(&bob, direct, names(Some("alice"), 10)).await.len(), 1);
    assert!(shelf.chat_receipts(&bob, direct, names(Some("bob"), 10)).await.is_empty(), "the end of the list");
    let seen = shelf.store.chat_receipts(zoe.user_id, direct, names(None, 10)).await.unwrap();
    assert!(matches!(seen, Seen::NoChat));
}
