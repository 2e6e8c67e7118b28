use i9chat_spec::{
    Bio, Caption, ChatId, ClientId, Code, ConnectionId, ContentType, Cursor, DurationMs, EmailAddress, Emoji, Epoch,
    FileName, FrameId, GroupDescription, GroupName, Latitude, Location, Login, Longitude, MediaId, MediaTitle,
    MessageId, MessageText, Near, NearbyLimit, PageLimit, Password, Pixels, RadiusM, RefreshToken, RequestId, Seq,
    SessionId, Snippet, Ticket, Timestamp, Token, UserId, Username, Watermark,
};
use proptest::{collection::vec, prelude::*, sample::select, strategy::BoxedStrategy};
use uuid::{Builder, Uuid};

use super::{Generate, generate};

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
    ContentType "[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}"
    FileName "[^/\\\\\u{0}-\u{1f}\u{7f}]{1,255}"
    GroupName "[^\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}]{0,49}[a-zé中]([^\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}]{0,50})"
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

free_text! { Login Password Bio MessageText FrameId Caption MediaTitle GroupDescription }

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

server_ids! { UserId SessionId ChatId MessageId ConnectionId MediaId }

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
    DurationMs (u64::from(DurationMs::MIN)..=u64::from(DurationMs::MAX));
    RadiusM (u64::from(RadiusM::MIN)..=u64::from(RadiusM::MAX));
    NearbyLimit (u64::from(NearbyLimit::MIN)..=u64::from(NearbyLimit::MAX));
    Pixels (u64::from(Pixels::MIN)..=u64::from(Pixels::MAX));
}

/// Any number of degrees that there is, and those that people write.
macro_rules! coordinates {
    ($($type:ident)*) => {$(
        impl Generate for $type {
            fn any() -> BoxedStrategy<Self> {
                let written = (-10_000i32..=10_000).prop_map(|part| $type::MAX * f64::from(part) / 10_000.0);
                let tiny = any::<f64>().prop_filter("beyond the bounds", |number| number.abs() <= $type::MAX);
                prop_oneof![-$type::MAX..=$type::MAX, written, tiny]
                    .prop_map(|degrees| degrees.try_into().unwrap())
                    .boxed()
            }
        }
    )*};
}

coordinates! { Latitude Longitude }

generate! {
    Location { lat, lon }
}

/// A place as a query can name it: with at most 12 decimals.
impl Generate for Near {
    fn any() -> BoxedStrategy<Self> {
        let near = ("-?[1-8]?[0-9](\\.[0-9]{1,12})?", "-?(1[0-7]|[1-9])?[0-9](\\.[0-9]{1,12})?");
        near.prop_map(|(lat, lon)| format!("{lat},{lon}").parse().unwrap()).boxed()
    }
}

/// Emojis of one character and of several: with a variation, a skin, joined, keycaps, flags of both sorts.
impl Generate for Emoji {
    fn any() -> BoxedStrategy<Self> {
        let plain = select(vec![
            "👍",
            "❤",
            "❤\u{fe0f}",
            "😀",
            "🧑\u{200d}🚀",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "🏳\u{fe0f}\u{200d}🌈",
        ]);
        let skin = (select(vec!["👍", "👋", "🧑"]), proptest::char::range('\u{1f3fb}', '\u{1f3ff}'));
        let indicator = || proptest::char::range('\u{1f1e6}', '\u{1f1ff}');
        prop_oneof![
            plain.prop_map(str::to_owned),
            skin.prop_map(|(hand, skin)| format!("{hand}{skin}")),
            "[0-9#*]\u{fe0f}?\u{20e3}",
            (indicator(), indicator()).prop_map(|(one, other)| format!("{one}{other}")),
        ]
        .prop_map(|text| text.parse().unwrap())
        .boxed()
    }
}

impl Generate for Snippet {
    fn any() -> BoxedStrategy<Self> {
        vec(any::<char>(), 1..=Self::MAX)
            .prop_map(|text| serde_json::from_value(String::from_iter(text).into()).unwrap())
            .boxed()
    }
}
