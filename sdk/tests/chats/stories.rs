//! What the property says in general, told once each.

use i9chat_spec::{MessageStatus, Role};

use crate::{
    reader::{Reader, Step},
    world::{Deed, VIEWER},
};

/// Reads and delivers until there is nothing left.
fn settle(reader: &mut Reader) {
    loop {
        reader.deliver(usize::MAX);
        let Some(read) = reader.view.next_read() else { return };
        reader.view.failed(read.key);
        reader.ask();
        reader.answer(0);
    }
}

fn chat_with_three_messages() -> Reader {
    let mut reader = Reader::new();
    reader.world.act(Deed::OpenDirect { user: 1, other: VIEWER });
    for _ in 0..3 {
        reader.world.act(Deed::Send { chat: 0, user: 1 });
    }
    settle(&mut reader);
    reader
}

#[test]
fn messages_of_others_count_as_unread_until_they_are_read_and_own_ones_never() {
    let mut reader = chat_with_three_messages();
    let unread = |reader: &Reader| reader.view.list().next().expect("a chat").chat().unread_count;
    assert_eq!(unread(&reader), 3);
    reader.world.act(Deed::Send { chat: 0, user: VIEWER });
    reader.deliver(1);
    assert_eq!(unread(&reader), 3, "one's own does not count");
    for _ in 0..5 {
        reader.world.act(Deed::Send { chat: 0, user: 1 });
    }
    reader.deliver(5);
    assert_eq!(unread(&reader), 4, "it is counted up to max_unread_count");
    reader.world.act(Deed::Mark { chat: 0, user: VIEWER, delivered: 0, read: 8 });
    reader.deliver(1);
    assert_eq!(unread(&reader), 1);
}

#[test]
fn an_own_message_is_sent_then_delivered_then_read() {
    let mut reader = chat_with_three_messages();
    reader.world.act(Deed::Send { chat: 0, user: VIEWER });
    let chat = reader.view.list().next().expect("a chat").chat().chat_id;
    reader.view.open(chat);
    settle(&mut reader);
    let status = |reader: &Reader| {
        let state = reader.view.chat(chat).expect("held").clone();
        let last = state.entries().last().and_then(|entry| entry.as_message()).expect("a message").clone();
        state.status(&last)
    };
    assert_eq!(status(&reader), Some(MessageStatus::Sent));
    reader.world.act(Deed::Mark { chat: 0, user: 1, delivered: 4, read: 0 });
    reader.deliver(1);
    assert_eq!(status(&reader), Some(MessageStatus::Delivered));
    reader.world.act(Deed::Mark { chat: 0, user: 1, delivered: 4, read: 4 });
    reader.deliver(1);
    assert_eq!(status(&reader), Some(MessageStatus::Read));
}

#[test]
fn a_group_tells_the_status_only_while_it_is_small() {
    let mut reader = Reader::new();
    reader.world.act(Deed::CreateGroup { user: VIEWER, others: vec![1, 2] });
    reader.world.act(Deed::Send { chat: 0, user: VIEWER });
    settle(&mut reader);
    let chat = reader.view.list().next().expect("a chat").chat().chat_id;
    reader.view.open(chat);
    settle(&mut reader);
    let status = |reader: &Reader| {
        let state = reader.view.chat(chat).expect("held").clone();
        let message = state.entries().find_map(|entry| entry.as_message()).expect("a message").clone();
        state.status(&message)
    };
    reader.world.act(Deed::Mark { chat: 0, user: 1, delivered: 2, read: 2 });
    settle(&mut reader);
    assert_eq!(status(&reader), Some(MessageStatus::Sent), "one of two has it");
    reader.world.act(Deed::Mark { chat: 0, user: 2, delivered: 2, read: 0 });
    settle(&mut reader);
    assert_eq!(status(&reader), Some(MessageStatus::Delivered));
    reader.world.act(Deed::Add { chat: 0, others: vec![3] });
    settle(&mut reader);
    assert_eq!(status(&reader), None, "the group is too large for receipts");
    reader.world.act(Deed::Leave { chat: 0, user: 2 });
    settle(&mut reader);
    assert_eq!(status(&reader), Some(MessageStatus::Read), "who came later is past it, who left does not count");
}

#[test]
fn after_too_much_was_missed_only_what_changed_is_read_and_all_is_stale_until_then() {
    let mut reader = chat_with_three_messages();
    reader.world.act(Deed::CreateGroup { user: VIEWER, others: vec![1] });
    settle(&mut reader);
    reader.world.act(Deed::Rename { chat: 1, name: 1 });
    reader.step(Step::Limited { forgotten: false });
    assert!(reader.view.list().all(|state| state.is_stale()));
    settle(&mut reader);
    assert!(reader.view.list().all(|state| !state.is_stale()));
    assert_eq!(reader.view.list().next().map(|state| state.title().to_owned()), Some("group 1".to_owned()));
    reader.is_what_a_fresh_read_would_show();
}

#[test]
fn the_only_admin_who_leaves_has_no_role_any_more_and_keeps_the_history() {
    let mut reader = Reader::new();
    reader.world.act(Deed::CreateGroup { user: VIEWER, others: vec![1] });
    settle(&mut reader);
    let role = |reader: &Reader| {
        let chat = reader.view.list().next().expect("a chat").chat().clone();
        (chat.group.and_then(|group| group.role), chat.visible.last().and_then(|stretch| stretch.to).is_some())
    };
    assert_eq!(role(&reader), (Some(Role::Admin), false));
    reader.world.act(Deed::Leave { chat: 0, user: VIEWER });
    reader.deliver(usize::MAX);
    assert_eq!(role(&reader), (None, true));
    reader.is_what_a_fresh_read_would_show();
}
