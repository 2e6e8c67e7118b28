//! Lists: the bounds are exact, and the published schema takes what the parser takes.

use i9chat_spec::{
    Format, NewVisuals,
    action::PresenceNames,
    api::{
        groups::{FirstMembers, MembersToAdd},
        media::NewUpload,
        receipts::Marks,
    },
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Asks for a list of each length around the bounds, at that place of a value.
fn bounds_are_exact<T>(min: usize, max: usize, item: fn(usize) -> Value, around: fn(Vec<Value>) -> Value)
where
    T: JsonSchema + Serialize + DeserializeOwned,
{
    let schema = jsonschema::draft202012::new(schemars::schema_for!(T).as_value()).unwrap();
    let takes = |length: usize| {
        let value = around((0..length).map(item).collect());
        let taken = serde_json::from_value::<T>(value.clone()).is_ok();
        let messagepack = rmp_serde::from_slice::<T>(&rmp_serde::to_vec(&value).unwrap()).is_ok();
        assert_eq!((schema.is_valid(&value), messagepack), (taken, taken), "{} of {length}", T::schema_name());
        taken
    };
    if let Some(fewer) = min.checked_sub(1) {
        assert!(!takes(fewer), "{} of {fewer}", T::schema_name());
    }
    assert!(takes(min) && takes(min + 1) && takes(max - 1) && takes(max), "{}", T::schema_name());
    assert!(!takes(max + 1), "{} of {}", T::schema_name(), max + 1);
}

const MEDIA: &str = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071";

#[test]
fn bounds_of_lists_are_exact() {
    let name = |number| json!(format!("user-{number}"));
    bounds_are_exact::<NewVisuals>(1, 10, |_| json!({ "media_id": MEDIA }), Value::from);
    bounds_are_exact::<FirstMembers>(0, 100, name, Value::from);
    bounds_are_exact::<MembersToAdd>(1, 100, name, |names| json!({ "usernames": names }));
    bounds_are_exact::<PresenceNames>(1, 500, name, Value::from);
    bounds_are_exact::<Marks>(1, 100, |_| json!({ "chat_id": MEDIA, "read": 1 }), |marks| json!({ "marks": marks }));
    bounds_are_exact::<NewUpload>(
        1,
        3,
        |_| json!({ "part": "small", "content_type": "image/png", "size": 1 }),
        |parts| json!({ "purpose": "profile_picture", "kind": "picture", "parts": parts }),
    );
}

#[test]
fn a_name_stands_in_a_list_of_presences_once_whatever_its_case() {
    for (names, right) in [
        (json!(["alice", "bob", "alice-"]), false),
        (json!(["alice", "bob"]), true),
        (json!(["alice", "bob", "alice"]), false),
        (json!(["Alice", "bob", "aLICE"]), false),
        (json!(["alice", "alice1"]), true),
    ] {
        for format in Format::ALL {
            let data = format.encode(&json!({ "usernames": names })).unwrap();
            let read = format.decode::<i9chat_spec::action::PresenceSubscription>(&data);
            assert_eq!(read.is_ok(), right, "{names}: {read:?}");
        }
    }
}
