//! Ids: one spelling each, and the published schema takes what the parser takes. (CNV-7)

use std::str::FromStr;

use i9chat_spec::{
    ChatId, ClientId, ConnectionId, Example, MediaId, MessageId, SessionId, UserId, api::sessions::SessionRef,
    text::TextError,
};
use proptest::{prelude::*, sample::Index};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{for_any, generate::Generate};

fn judge<T>() -> impl Fn(&str) -> bool
where
    T: FromStr<Err = TextError> + JsonSchema + DeserializeOwned + ToString,
{
    let schema = jsonschema::draft202012::new(schemars::schema_for!(T).as_value()).unwrap();
    move |text| {
        let parsed = text.parse::<T>();
        assert_eq!(serde_json::from_value::<T>(json!(text)).is_ok(), parsed.is_ok(), "{text:?}");
        assert_eq!(schema.is_valid(&json!(text)), parsed.is_ok(), "the schema on {text:?}");
        if let Ok(id) = &parsed {
            assert_eq!(id.to_string(), text, "one spelling for each id");
        }
        parsed.is_ok()
    }
}

fn has_one_spelling<T>()
where
    T: FromStr<Err = TextError> + JsonSchema + DeserializeOwned + ToString + Generate,
{
    let takes = judge::<T>();
    let stray = prop_oneof![proptest::char::range(' ', '~'), Just('\n'), Just('\0'), any::<char>()];
    for_any((T::any(), any::<Index>(), stray, 0..3), |(id, at, stray, what)| {
        let right = id.to_string();
        prop_assert!(takes(&right));
        let mut text: Vec<char> = right.chars().collect();
        let at = at.index(text.len());
        match what {
            0 => text[at] = stray,
            1 => text.insert(at, stray),
            _ => drop(text.remove(at)),
        }
        takes(&String::from_iter(text));
        Ok(())
    });
}

fn refuses_other_spellings<T>()
where
    T: FromStr<Err = TextError> + JsonSchema + DeserializeOwned + ToString + Example,
{
    let takes = judge::<T>();
    let right = T::example().to_string();
    assert!(takes(&right));
    for wrong in [
        right.to_uppercase(),
        right.replace('-', ""),
        format!("{{{right}}}"),
        format!("urn:uuid:{right}"),
        format!(" {right}"),
        format!("{right}\n"),
        right.replacen('-', "_", 1),
        String::new(),
    ] {
        assert!(!takes(&wrong), "{wrong:?}");
    }
}

macro_rules! ids {
    ($($id:ident),*) => {
        #[test]
        fn an_id_has_one_spelling() {
            $(
                has_one_spelling::<$id>();
                refuses_other_spellings::<$id>();
            )*
        }
    };
}
ids!(UserId, SessionId, ChatId, MessageId, ConnectionId, MediaId, ClientId);

#[test]
fn only_the_clients_own_ids_may_be_of_any_version() {
    let other_versions = [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "4b0ae2c4-52f1-4d3e-9a3f-7c1d2e3f4a5b",
        "019ab1c2-3d4e-7f50-ca1b-2c3d4e5f6071",
        "019ab1c2-3d4e-7f50-0a1b-2c3d4e5f6071",
    ];
    for text in other_versions {
        assert!(judge::<ClientId>()(text), "{text}");
        assert!(!judge::<ChatId>()(text), "{text}");
    }
}

#[test]
fn a_session_is_named_by_its_id_or_as_current() {
    let takes = judge::<SessionRef>();
    assert!(takes("current"));
    for wrong in ["Current", "current ", "CURRENT", ""] {
        assert!(!takes(wrong), "{wrong:?}");
    }
    for_any(SessionRef::any(), |session| {
        prop_assert!(takes(&session.to_string()));
        Ok(())
    });
}
