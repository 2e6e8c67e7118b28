//! The view of a user's chats against a model of a server: whatever users do, in whatever order events, answers, breaks and repetitions
//! come, the view is what a fresh read would show. (LOG-9)

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod answers;
mod driver;
mod reader;
mod room;
mod server;
mod stories;
mod world;

use proptest::{collection::vec, option, prelude::*};

use reader::{Reader, Step};
use world::{Deed, USERS};

fn deed() -> impl Strategy<Value = Deed> {
    let user = 0..USERS;
    let chat = 0..4_usize;
    let users = vec(0..USERS, 0..4);
    prop_oneof![
        2 => (user.clone(), user.clone()).prop_map(|(user, other)| Deed::OpenDirect { user, other }),
        8 => (chat.clone(), user.clone()).prop_map(|(chat, user)| Deed::Send { chat, user }),
        5 => (chat.clone(), user.clone(), 0..4_usize, option::of(0..3_usize))
            .prop_map(|(chat, user, message, emoji)| Deed::React { chat, user, message, emoji }),
        6 => (chat.clone(), user.clone(), 0..12_u64, 0..12_u64)
            .prop_map(|(chat, user, delivered, read)| Deed::Mark { chat, user, delivered, read }),
        1 => (user.clone(), users.clone()).prop_map(|(user, others)| Deed::CreateGroup { user, others }),
        3 => (chat.clone(), user.clone()).prop_map(|(chat, user)| Deed::Join { chat, user }),
        2 => (chat.clone(), user.clone()).prop_map(|(chat, user)| Deed::Leave { chat, user }),
        3 => (chat.clone(), users).prop_map(|(chat, others)| Deed::Add { chat, others }),
        2 => (chat.clone(), user.clone()).prop_map(|(chat, user)| Deed::Remove { chat, user }),
        2 => (chat.clone(), user).prop_map(|(chat, user)| Deed::MakeAdmin { chat, user }),
        1 => (chat.clone(), 0..3_u8).prop_map(|(chat, name)| Deed::Rename { chat, name }),
        1 => (chat.clone(), 0..3_u8).prop_map(|(chat, text)| Deed::Describe { chat, text }),
        1 => (chat, option::of(0..3_u8)).prop_map(|(chat, picture)| Deed::Picture { chat, picture }),
        1 => (0..3_u8).prop_map(|text| Deed::Bio { text }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let chat = 0..4_usize;
    prop_oneof![
        30 => deed().prop_map(Step::Deed),
        12 => (1..8_usize).prop_map(Step::Deliver),
        8 => Just(Step::Ask),
        8 => (0..4_usize).prop_map(Step::Serve),
        8 => (0..4_usize).prop_map(Step::Answer),
        1 => (0..4_usize).prop_map(Step::Fail),
        2 => (1..20_usize).prop_map(Step::Repeat),
        1 => any::<bool>().prop_map(|forgotten| Step::Limited { forgotten }),
        1 => Just(Step::Reset),
        1 => Just(Step::Newer),
        3 => chat.clone().prop_map(Step::Open),
        1 => chat.clone().prop_map(Step::Close),
        2 => chat.prop_map(Step::LoadOlder),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_view_is_what_a_fresh_read_would_show_after_every_step(steps in vec(step(), 1..120)) {
        let mut reader = Reader::new();
        for step in steps {
            reader.step(step);
            reader.is_what_a_fresh_read_would_show();
        }
    }
}
