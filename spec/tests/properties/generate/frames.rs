use i9chat_spec::{
    ClientFrame, ErrorFrame, Event, EventFrame, Heartbeat, Hello, ReplyFrame, Resume, ServerFrame,
    event::{
        ChatAdded, GroupActivity, MembershipEnded, MessageCreated, PresenceChanged, ProfileChanged, ReactionChanged,
        ReadStateChanged, ReceiptsUpdated, SessionEnded, Typing,
    },
};
use proptest::{prelude::*, sample::select, strategy::BoxedStrategy};
use serde_json::Value;

use super::{Generate, generate, unknown};

generate! {
    Hello { connection_id, session_id, protocol, epoch, cursor, resume, heartbeat_ms, limits }
    ErrorFrame { id, error }
    Heartbeat { cursor }
    MessageCreated { message }
    ChatAdded { chat }
    SessionEnded { session_id }
    ProfileChanged { bio, picture_id, location }
    GroupActivity { activity }
    ReactionChanged { message_id, seq, user, emoji, reactions }
    ReceiptsUpdated { user, delivered, read }
    MembershipEnded { chat_id, membership, last_seq }
    ReadStateChanged { chat_id, delivered, read, unread_count }
    PresenceChanged { user, presence, last_seen }
    Typing { chat_id, user, expires_in_ms }
}

impl Generate for Resume {
    fn any() -> BoxedStrategy<Self> {
        select(vec![Self::Fresh, Self::Resumed, Self::Limited, Self::Reset]).boxed()
    }
}

impl<T: Generate> Generate for ClientFrame<T> {
    fn any() -> BoxedStrategy<Self> {
        (Generate::any(), String::any(), T::any()).prop_map(|(id, action, data)| Self { id, action, data }).boxed()
    }
}

impl<T: Generate> Generate for ReplyFrame<T> {
    fn any() -> BoxedStrategy<Self> {
        (Generate::any(), T::any()).prop_map(|(id, data)| Self { id, data }).boxed()
    }
}

impl Generate for Event {
    fn any() -> BoxedStrategy<Self> {
        let name = "[a-z_]{1,12}".prop_filter("a known event", |name| !Self::NAMES.contains(&name.as_str()));
        prop_oneof![
            MessageCreated::any().prop_map(Self::from),
            ChatAdded::any().prop_map(Self::from),
            SessionEnded::any().prop_map(Self::from),
            ProfileChanged::any().prop_map(Self::from),
            GroupActivity::any().prop_map(Self::from),
            ReactionChanged::any().prop_map(Self::from),
            ReceiptsUpdated::any().prop_map(Self::from),
            MembershipEnded::any().prop_map(Self::from),
            ReadStateChanged::any().prop_map(Self::from),
            PresenceChanged::any().prop_map(Self::from),
            Typing::any().prop_map(Self::from),
            (name, Value::any()).prop_map(|(name, data)| Self::Unknown { name, data }),
        ]
        .boxed()
    }
}

/// As a server sends it: what is live has no place in the log, everything else has one. (LOG-3, PRS-9)
impl Generate for EventFrame {
    fn any() -> BoxedStrategy<Self> {
        (Generate::any(), Generate::any(), Event::any())
            .prop_map(|(cursor, chat_id, event)| {
                let live = matches!(event, Event::PresenceChanged(_) | Event::Typing(_));
                Self { cursor: (!live).then_some(cursor), chat_id, event }
            })
            .boxed()
    }
}

impl Generate for ServerFrame {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![
            Hello::any().prop_map(Self::Hello),
            ReplyFrame::any().prop_map(Self::Reply),
            ErrorFrame::any().prop_map(Self::Error),
            EventFrame::any().prop_map(Self::Event),
            Heartbeat::any().prop_map(Self::Heartbeat),
            unknown("type", &["hello", "reply", "error", "event", "heartbeat"]).prop_map(Self::Unknown),
        ]
        .boxed()
    }
}
