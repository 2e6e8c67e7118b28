use i9chat_spec::{
    Chat, ChatKind, Content, Entry, FieldCode, FieldError, Lifetimes, Limits, Membership, Message, MessageText,
    NewContent, Problem, Profile, Stretch, User,
};
use proptest::{collection::vec, prelude::*, sample::select, strategy::BoxedStrategy};
use serde_json::{Map, Value};

use super::{Generate, generate, unknown};

generate! {
    User { user_id, username }
    Stretch { from, to }
    Chat { chat_id, kind, partner, membership, opened_at, visible, last_entry, unread_count }
    Message { seq, message_id, chat_id, sender, client_id, created_at, content }
    Lifetimes { token_ttl_s, session_idle_ttl_s, ticket_ttl_s, heartbeat_ms }
    FieldError { field, code, message }
    Problem { code, status, title, detail, retryable, retry_after_ms, request_id, fields }
}

impl Generate for ChatKind {
    fn any() -> BoxedStrategy<Self> {
        Just(Self::Direct).boxed()
    }
}

impl Generate for Membership {
    fn any() -> BoxedStrategy<Self> {
        Just(Self::Member).boxed()
    }
}

impl Generate for Profile {
    fn any() -> BoxedStrategy<Self> {
        select(Self::ALL).boxed()
    }
}

impl Generate for FieldCode {
    fn any() -> BoxedStrategy<Self> {
        select(Self::ALL).boxed()
    }
}

impl Generate for NewContent {
    fn any() -> BoxedStrategy<Self> {
        MessageText::any().prop_map(|text| Self::Text { text }).boxed()
    }
}

impl Generate for Content {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![NewContent::any().prop_map(Self::from), unknown("kind", &["text"]).prop_map(Self::Unknown)].boxed()
    }
}

impl Generate for Entry {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![Message::any().prop_map(Self::Message), unknown("type", &["message"]).prop_map(Self::Unknown)]
            .boxed()
    }
}

/// More fields than a tuple holds, all of them numbers.
impl Generate for Limits {
    fn any() -> BoxedStrategy<Self> {
        let Ok(Value::Object(limits)) = serde_json::to_value(Self::default()) else { unreachable!("limits are a map") };
        vec(u64::any(), limits.len())
            .prop_map(move |numbers| {
                let limits: Map<_, _> = limits.keys().cloned().zip(numbers.into_iter().map(Value::from)).collect();
                serde_json::from_value(limits.into()).unwrap()
            })
            .boxed()
    }
}
