//! Requests: the published schema takes what the parser takes, in both encodings.

use i9chat_spec::{
    Action, ClientFrame, DecodeError, Endpoint, Example, FieldCode, Format, FrameId,
    api::signup::{NewAccount, NewSignup},
    endpoint::Part,
};
use jsonschema::Validator;
use proptest::{prelude::*, sample::Index};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{for_any, generate::Generate, published};

/// Values of every type, at and beyond every kind of bound.
fn strangers() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(1u64 << 53),
        json!(u64::MAX),
        json!(1.5),
        json!(""),
        json!("a"),
        json!("aaa"),
        json!("aaaaaaaa"),
        json!("a\0a"),
        json!("é".repeat(150)),
        json!("é".repeat(151)),
        json!("text"),
        json!("hologram"),
        json!("123456"),
        json!("alice@example.com"),
        json!("4b0ae2c4-52f1-4d3e-9a3f-7c1d2e3f4a5b"),
        json!("4B0AE2C4-52F1-4D3E-9A3F-7C1D2E3F4A5B"),
        json!("019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071"),
        json!("x".repeat(4097)),
        json!([]),
        json!({}),
        json!([{}]),
        json!({ "kind": "text" }),
        json!({ "kind": "text", "text": "hi" }),
        json!({ "kind": "text", "text": "hi", "more": [1] }),
        json!({ "kind": "text", "text": null }),
        json!({ "text": "hi" }),
        json!({ "kind": "voice", "media_id": "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071", "duration_ms": 86_400_000 }),
        json!({ "kind": "image", "items": [{ "media_id": "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071", "width": 0 }] }),
        json!({ "lat": 90, "lon": -180.0 }),
        json!({ "lat": 90.1, "lon": 0 }),
        json!(["alice", "ALICE"]),
        json!(["alice", "bob"]),
        json!("👍"),
        json!("original"),
        json!(["text", "hi"]),
    ]
}

/// The places of a value: every field and item at every depth, and the value itself.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    for (name, inner) in value.as_object().into_iter().flatten() {
        places(inner, &format!("{at}/{name}"), into);
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        places(inner, &format!("{at}/{index}"), into);
    }
}

/// Every value that is wrong, or at least strange, in one place.
fn mutations(right: &Value) -> Vec<Value> {
    let mut everywhere = Vec::new();
    places(right, "", &mut everywhere);
    let mut found = vec![right.clone()];
    for place in &everywhere {
        let mut with = |change: &dyn Fn(&mut Value)| {
            let mut value = right.clone();
            change(value.pointer_mut(place).unwrap());
            found.push(value);
        };
        for stranger in strangers() {
            with(&|value| *value = stranger.clone());
        }
        with(&|value| {
            // A map as the array of its values, as serde would take a struct.
            if let Some(map) = value.as_object() {
                *value = map.values().cloned().collect();
            }
        });
        with(&|value| {
            // A list with an item twice.
            if let Some(items) = value.as_array_mut() {
                items.extend(items.last().cloned());
            }
        });
        with(&|value| {
            if let Some(map) = value.as_object_mut() {
                map.insert("unheard_of".to_owned(), json!({ "x": [null] }));
            }
        });
        if let Some((parent, name)) = place.rsplit_once('/') {
            let mut value = right.clone();
            match value.pointer_mut(parent) {
                Some(Value::Object(map)) => drop(map.remove(name)),
                Some(Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
                _ => unreachable!("a place is in a map or a list"),
            }
            found.push(value);
        }
    }
    found
}

/// Whether the request is taken; schema and parser have to agree, in both encodings.
fn takes<T: DeserializeOwned>(schema: &Validator, value: &Value) -> bool {
    let valid = schema.is_valid(value);
    let [json, messagepack] = [Format::Json, Format::MessagePack].map(|format| {
        let parsed = format.decode::<T>(&format.encode(value).unwrap());
        let refused = parsed.as_ref().is_err_and(is_beyond_a_schema);
        assert!(parsed.is_ok() == valid || valid && refused, "the parser ({format:?}) on {value}: {:?}", parsed.err());
        parsed.is_ok()
    });
    assert_eq!(json, messagepack, "{value}");
    json
}

/// What only the parser can tell: which characters make an emoji (REA-2), and that a name stands in a list twice in
/// different cases (PRS-4).
fn is_beyond_a_schema(error: &DecodeError) -> bool {
    let DecodeError::Invalid(fault) = error else { return false };
    matches!(
        (fault.field.rsplit('.').next(), fault.code),
        (Some("emoji"), FieldCode::BadFormat) | (Some("usernames"), FieldCode::Conflicting)
    )
}

fn schema_and_parser_agree<E: Endpoint>()
where
    E::Body: Generate,
{
    if !E::Body::is_present() {
        return;
    }
    let schema = published::schema(&published::name_of::<E::Body>());
    for value in mutations(&json!(E::Body::example())) {
        takes::<E::Body>(&schema, &value);
    }
    for_any(E::Body::any(), |body| {
        prop_assert!(takes::<E::Body>(&schema, &json!(body)));
        Ok(())
    });
    // Strange in two places.
    for_any((E::Body::any(), any::<Index>(), any::<Index>()), |(body, one, other)| {
        let once = mutations(&json!(body));
        let twice = mutations(one.get(&once));
        takes::<E::Body>(&schema, other.get(&twice));
        Ok(())
    });
}

macro_rules! endpoints {
    ($($endpoint:path),* $(,)?) => {
        #[test]
        fn schema_and_parser_agree_on_bodies() {
            $(schema_and_parser_agree::<$endpoint>();)*
        }
    };
}
i9chat_spec::for_each_endpoint!(endpoints);

/// What a frame holds is right exactly when the frame is readable and its data too. (WSK-5, WSK-6)
fn schema_and_parser_agree_on_frames<A: Action>() {
    let schema = published::frame(A::NAME);
    let frame = json!({ "id": FrameId::example(), "action": A::NAME, "data": A::Data::example() });
    for value in mutations(&frame) {
        let valid = schema.is_valid(&value);
        for format in Format::ALL {
            let frame = format.decode::<ClientFrame>(&format.encode(&value).unwrap());
            let Some(frame) = frame.ok().filter(|frame| frame.action == A::NAME) else {
                assert!(!valid, "the parser ({format:?}) on {value}");
                continue;
            };
            let data = format.decode::<A::Data>(&format.encode(&frame.data).unwrap());
            let refused = data.as_ref().is_err_and(is_beyond_a_schema);
            assert!(data.is_ok() == valid || valid && refused, "the parser ({format:?}) on {value}: {:?}", data.err());
        }
    }
}

macro_rules! actions {
    ($($action:path),* $(,)?) => {
        #[test]
        fn schema_and_parser_agree_on_actions() {
            $(schema_and_parser_agree_on_frames::<$action>();)*
        }
    };
}
i9chat_spec::for_each_action!(actions);

#[test]
fn a_key_that_is_no_text_names_no_field() {
    // Left to itself serde takes the number of a field, or bytes, for its name.
    let text = rmp_serde::to_vec("alice@example.com").unwrap();
    let with_key = |key: &[u8]| [b"\x81", key, &text].concat();
    assert!(Format::MessagePack.decode::<NewSignup>(&with_key(b"\xa5email")).is_ok());
    assert!(Format::MessagePack.decode::<NewSignup>(&with_key(b"\x00")).is_err());
    assert!(Format::MessagePack.decode::<NewSignup>(&with_key(b"\xc4\x05email")).is_err());
}

#[test]
fn null_means_left_out() {
    for name in ["cookie", "bio"] {
        let mut account = json!(NewAccount::example());
        account[name] = Value::Null;
        let read: NewAccount = serde_json::from_value(account.clone()).unwrap();
        account.as_object_mut().unwrap().remove(name);
        assert_eq!(json!(read), account);
    }
}
