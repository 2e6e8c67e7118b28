use i9chat_spec::{
    Activity, ActivityKind, Chat, ChatKind, ConnectionLimits, ContentKind, Entry, ErrorCode, FieldCode, FieldError,
    GroupSummary, Lifetimes, Limits, Membership, Message, MessageStatus, Partner, PresenceState, Problem, Profile,
    Quote, ReactionCount, ReadState, Role, Stretch, User, UserPresence,
};
use proptest::{collection::vec, prelude::*, sample::select, strategy::BoxedStrategy};
use serde_json::{Map, Value};

use super::{Generate, generate, one_of, unknown};

generate! {
    ConnectionLimits {
        max_frame_bytes, frames_per_second, frames_burst, max_resume_events, max_presence_subscriptions,
    }
    User { user_id, username }
    UserPresence { user, presence, last_seen }
    Stretch { from, to }
    Chat {
        chat_id, kind, partner, group, membership, opened_at, visible, last_entry, unread_count, delivered, read,
    }
    Partner { user, delivered, read }
    GroupSummary { name, description, picture_id, members_count, role }
    Message {
        seq, message_id, chat_id, sender, client_id, created_at, content, reply_to, reactions, own_reaction,
    }
    Quote { message_id, seq, sender, kind, snippet }
    ReactionCount { emoji, count }
    ReadState { delivered, read, unread_count }
    Activity { seq, chat_id, created_at, kind, actor, targets, from, to, members_count, client_id }
    Lifetimes {
        token_ttl_s, session_idle_ttl_s, ticket_ttl_s, event_retention_s, heartbeat_ms, presence_lease_s,
        typing_expires_ms, upload_url_ttl_s, unused_upload_ttl_s, download_url_ttl_s,
    }
    FieldError { field, code, message }
    Problem { code, status, title, detail, retryable, retry_after_ms, request_id, fields }
}

one_of! {
    ChatKind: [ChatKind::Direct, ChatKind::Group];
    Membership: [Membership::Member, Membership::Left, Membership::Removed];
    Role: [Role::Member, Role::Admin];
    PresenceState: [PresenceState::Online, PresenceState::Offline];
    MessageStatus: [MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read];
    ContentKind: ContentKind::ALL;
    ActivityKind: ActivityKind::ALL;
    Profile: Profile::ALL;
    FieldCode: FieldCode::ALL;
}

/// The text of a code, known or not.
pub fn code() -> BoxedStrategy<Option<String>> {
    let known = select(ErrorCode::ALL).prop_map(|code| code.as_str().to_owned());
    proptest::option::of(prop_oneof![known, "[a-z_]{1,20}"]).boxed()
}

impl Generate for Entry {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![
            Message::any().prop_map(Self::Message),
            Activity::any().prop_map(Self::Activity),
            unknown("type", &["message", "activity"]).prop_map(Self::Unknown),
        ]
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
