use i9chat_spec::{
    ClientFrame, ErrorFrame, Event, EventFrame, Heartbeat, Hello, ReplyFrame, Resume, ServerFrame,
    event::{ChatAdded, MessageCreated, SessionEnded},
};
use proptest::{prelude::*, sample::select, strategy::BoxedStrategy};
use serde_json::Value;

use super::{Generate, generate, unknown};

generate! {
    Hello { connection_id, session_id, protocol, epoch, cursor, resume, heartbeat_ms, limits }
    ErrorFrame { id, error }
    EventFrame { cursor, chat_id, event }
    Heartbeat { cursor }
    MessageCreated { message }
    ChatAdded { chat }
    SessionEnded { session_id }
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
            (name, Value::any()).prop_map(|(name, data)| Self::Unknown { name, data }),
        ]
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
