use i9chat_spec::{
    Nothing, SessionId,
    action::SendMessageData,
    api::{
        capabilities::{Capabilities, ServerInfo},
        chats::{ChatPage, ChatSnapshot, ChatsQuery, OneChat},
        events::{EventPage, EventsQuery},
        messages::{EntriesQuery, EntryPage, MessageSent, NewMessage, OneMessage},
        sessions::{
            Credentials, OneSession, SessionInfo, SessionList, SessionOpened, SessionRef, SpentToken, TokenPair,
        },
        signup::{NewAccount, NewSignup, SignupCode, TicketIssued},
        users::{OneUser, OwnProfile, UserProfile},
    },
};
use proptest::{prelude::*, strategy::BoxedStrategy};

use super::{Generate, generate};

generate! {
    ServerInfo { name, version }
    Capabilities { protocol, server, profiles, limits, lifetimes }
    OneChat { chat_id }
    ChatSnapshot { chat, cursor }
    ChatsQuery { after, limit }
    ChatPage { items, next, cursor }
    EventsQuery { cursor, limit }
    EventPage { resume, events, cursor, more }
    EntriesQuery { before, after, limit }
    EntryPage { items, next }
    NewMessage { client_id, content }
    SendMessageData { chat_id, client_id, content }
    MessageSent { message_id, chat_id, seq, created_at }
    OneMessage { chat_id, message_id }
    Credentials { login, password, cookie }
    OneSession { session_id }
    SessionInfo { session_id, created_at, last_used_at, current, client }
    SessionList { items }
    TokenPair { token, expires_at, refresh_token }
    SessionOpened { session_id, user, tokens }
    SpentToken { refresh_token }
    NewSignup { email }
    SignupCode { ticket, code }
    NewAccount { ticket, username, password, bio, cookie }
    TicketIssued { ticket, expires_at }
    OneUser { username }
    UserProfile { user_id, username, bio }
    OwnProfile { user_id, username, email, bio, created_at }
}

impl Generate for Nothing {
    fn any() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

impl Generate for SessionRef {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![Just(Self::Current), SessionId::any().prop_map(Self::Id)].boxed()
    }
}
