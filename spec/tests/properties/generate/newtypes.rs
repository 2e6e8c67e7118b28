use i9chat_spec::{
    Bio, ChatId, ClientId, Code, ConnectionId, Cursor, EmailAddress, Epoch, FrameId, Login, MessageId, MessageText,
    PageLimit, Password, RefreshToken, RequestId, Seq, SessionId, Ticket, Timestamp, Token, UserId, Username,
    Watermark,
};
use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};
use uuid::{Builder, Uuid};

use super::Generate;

macro_rules! from_pattern {
    ($($type:ident $pattern:literal)*) => {$(
        impl Generate for $type {
            fn any() -> BoxedStrategy<Self> {
                $pattern.prop_map(|text: String| text.parse().unwrap()).boxed()
            }
        }
    )*};
}

from_pattern! {
    Username "[A-Za-z0-9][A-Za-z0-9_.-]{1,28}[A-Za-z0-9]"
    EmailAddress "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z]{1,5}){0,2}@([a-z0-9]([a-z-]{0,9}[a-z0-9])?\\.){1,3}[a-z]{2,6}"
    Code "[0-9]{6}"
    Ticket "[A-Za-z0-9_-]{1,128}"
    Token "[A-Za-z0-9._-]{1,200}"
    RefreshToken "[A-Za-z0-9_-]{1,256}"
    Cursor "[A-Za-z0-9_-]{1,128}"
    Epoch "[A-Za-z0-9_-]{1,64}"
    RequestId "[A-Za-z0-9_.-]{1,64}"
}

macro_rules! free_text {
    ($($type:ident)*) => {$(
        impl Generate for $type {
            fn any() -> BoxedStrategy<Self> {
                vec(proptest::char::range('\u{1}', char::MAX), $type::MIN..=$type::MAX.min(300))
                    .prop_map(|text| String::from_iter(text).parse().unwrap())
                    .boxed()
            }
        }
    )*};
}

free_text! { Login Password Bio MessageText FrameId }

macro_rules! server_ids {
    ($($type:ident)*) => {$(
        impl Generate for $type {
            fn any() -> BoxedStrategy<Self> {
                let parts = (0u64..1 << 48, any::<[u8; 10]>());
                let id = |(time, random)| Builder::from_unix_timestamp_millis(time, &random).into_uuid();
                parts.prop_map(move |parts| Self::from_uuid(id(parts))).boxed()
            }
        }
    )*};
}

server_ids! { UserId SessionId ChatId MessageId ConnectionId }

impl Generate for ClientId {
    fn any() -> BoxedStrategy<Self> {
        any::<[u8; 16]>().prop_map(|bytes| Self::from_uuid(Uuid::from_bytes(bytes))).boxed()
    }
}

impl Generate for Timestamp {
    fn any() -> BoxedStrategy<Self> {
        (0..=253_402_300_799_999i64).prop_map(Self::from_millis).boxed()
    }
}

macro_rules! from_number {
    ($($type:ident $range:expr;)*) => {$(
        impl Generate for $type {
            fn any() -> BoxedStrategy<Self> {
                $range.prop_map(|number: u64| number.try_into().unwrap()).boxed()
            }
        }
    )*};
}

from_number! {
    Seq (1..=Seq::MAX.get());
    Watermark (0..=Seq::MAX.get());
    PageLimit (1..=u64::from(PageLimit::MAX));
}
