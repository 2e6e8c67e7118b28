use i9chat_spec::{
    Nothing, SessionId, Username,
    action::{PresenceNames, PresenceSubscription, Presences, SendMessageData, SetReactionData, TypingIn},
    api::{
        capabilities::{Capabilities, ServerInfo},
        chats::{ChatPage, ChatSnapshot, ChatsQuery, OneChat},
        events::{EventPage, EventsQuery},
        groups::{
            AddedMember, Group, GroupChanges, GroupCreated, Member, MemberPage, MembersAdded, MembersToAdd, NamesQuery,
            NewGroup, OneMember,
        },
        media::{MediaInfo, MediaLink, NewUpload, OneMedia, OneMediaPart, PartPlan, PartTarget, UploadStarted},
        messages::{EntriesQuery, EntryPage, MessageSent, NewMessage, OneMessage},
        password_reset::{NewPassword, NewPasswordReset, PasswordResetCode},
        reactions::{NewReaction, Reaction, ReactionPage, ReactionsOf},
        receipts::{
            ChatReceipt, ChatReceiptPage, Mark, MarkResult, Marks, MarksMade, MessageReceipt, MessageReceiptPage,
        },
        sessions::{
            Credentials, OneSession, SessionInfo, SessionList, SessionOpened, SessionRef, SpentToken, TokenPair,
        },
        signup::{NewAccount, NewSignup, SignupCode, TicketIssued},
        users::{Around, NearbyUser, NearbyUsers, OneUser, OwnProfile, ProfilePatch, UserProfile},
    },
};
use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};

use super::{Generate, generate, model};

generate! {
    ServerInfo { name, version }
    Capabilities { protocol, server, profiles, limits, media, lifetimes, unicode_version }
    OneChat { chat_id }
    ChatSnapshot { chat, cursor }
    ChatsQuery { after, changed_since, limit }
    ChatPage { items, next, cursor }
    EventsQuery { cursor, limit }
    EventPage { resume, events, cursor, more }
    EntriesQuery { before, after, limit }
    EntryPage { items, next }
    NewMessage { client_id, content, reply_to }
    SendMessageData { chat_id, client_id, content, reply_to }
    MessageSent { message_id, chat_id, seq, created_at }
    OneMessage { chat_id, message_id }
    NewReaction { emoji }
    SetReactionData { chat_id, message_id, emoji }
    ReactionsOf { reactions }
    ReactionPage { items, next }
    Reaction { user, emoji }
    Marks { marks }
    Mark { chat_id, delivered, read }
    MarksMade { results }
    ChatReceiptPage { items, next }
    ChatReceipt { user, delivered, read }
    MessageReceiptPage { status, items, next }
    MessageReceipt { user, status }
    NewGroup { client_id, name, description, picture_id, members }
    GroupCreated { chat_id, seq, created_at, results }
    Group { chat_id, name, description, picture_id, created_at, members_count, online_members_count, role }
    GroupChanges { name, description, picture_id }
    NamesQuery { after, limit }
    MemberPage { items, next }
    Member { user, role, joined_at, presence, last_seen }
    OneMember { chat_id, username }
    MembersToAdd { usernames }
    MembersAdded { results, members_count }
    NewUpload { purpose, kind, parts }
    PartPlan { part, content_type, size }
    UploadStarted { media_id, parts, expires_at }
    PartTarget { part, upload_url }
    OneMedia { media_id }
    OneMediaPart { media_id, part }
    MediaInfo { media_id, purpose, kind, parts }
    MediaLink { url, expires_at }
    TypingIn { chat_id }
    PresenceSubscription { usernames }
    Presences { presences, not_found }
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
    NewPasswordReset { email }
    PasswordResetCode { ticket, code }
    NewPassword { ticket, password }
    OneUser { username }
    UserProfile { user_id, username, bio, picture_id, presence, last_seen }
    OwnProfile { user_id, username, email, bio, picture_id, location, created_at }
    ProfilePatch { bio, picture_id, location }
    Around { near, radius_m, limit }
    NearbyUsers { items }
    NearbyUser { user_id, username, picture_id, distance_m }
}

impl Generate for AddedMember {
    fn any() -> BoxedStrategy<Self> {
        (Username::any(), model::code())
            .prop_map(|(username, code)| Self { username, added: code.is_none(), code })
            .boxed()
    }
}

impl Generate for MarkResult {
    fn any() -> BoxedStrategy<Self> {
        (Generate::any(), Generate::any(), model::code())
            .prop_map(|(chat_id, state, code)| Self { chat_id, state: code.is_none().then_some(state), code })
            .boxed()
    }
}

/// Different names, whatever their case.
impl Generate for PresenceNames {
    fn any() -> BoxedStrategy<Self> {
        vec(Username::any(), 1..4).prop_filter_map("a name twice", |names| Self::try_from(names).ok()).boxed()
    }
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
