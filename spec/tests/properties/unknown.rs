//! What a newer server says is no fault for an older client; what a newer client says is one for an older server.
//! (CNV-14, MSG-3, ERR-4)

use std::fmt::Debug;

use i9chat_spec::{
    ActivityKind, ChatKind, Content, ContentKind, DecodeError, Entry, Event, EventFrame, Example, FieldCode, Format,
    MediaKind, MediaPart, MediaPurpose, Membership, MessageStatus, NewContent, PresenceState, Profile, Role,
    api::media::{NewUpload, OneMediaPart},
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{for_any, generate::Generate};

/// A name that no list of this version has.
fn stranger() -> impl Strategy<Value = String> {
    "[a-z_]{0,3}x[a-z_]{0,9}x"
}

fn is_read_as<T>(unknown: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + Generate,
{
    for_any((stranger(), T::any()), |(name, known)| {
        prop_assert_eq!(&serde_json::from_value::<T>(json!(name)).unwrap(), unknown, "{}", name);
        let bytes = rmp_serde::to_vec(&name).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<T>(&bytes).unwrap(), unknown, "{}", name);
        prop_assert_ne!(&known, unknown);
        Ok(())
    });
    // Text all the same: a number is no name.
    assert!(serde_json::from_value::<T>(json!(7)).is_err());
}

#[test]
fn any_other_name_in_an_answer_is_unknown() {
    is_read_as(&ContentKind::Unknown);
    is_read_as(&ActivityKind::Unknown);
    is_read_as(&ChatKind::Unknown);
    is_read_as(&Membership::Unknown);
    is_read_as(&Role::Unknown);
    is_read_as(&PresenceState::Unknown);
    is_read_as(&MessageStatus::Unknown);
    is_read_as(&MediaPurpose::Unknown);
    is_read_as(&MediaKind::Unknown);
    is_read_as(&MediaPart::Unknown);
    is_read_as(&Profile::Unknown);
    is_read_as(&FieldCode::Unknown);
}

#[test]
fn the_names_of_media_are_written_as_they_travel() {
    fn names<T: Serialize + Copy>(all: &[T], name: fn(T) -> &'static str) {
        for one in all {
            assert_eq!(json!(one), json!(name(*one)));
        }
    }
    names(MediaPurpose::ALL, MediaPurpose::as_str);
    names(MediaKind::ALL, MediaKind::as_str);
    names(MediaPart::ALL, MediaPart::as_str);
    names(FieldCode::ALL, FieldCode::as_str);
}

#[test]
fn a_request_names_only_what_is_known() {
    let upload = json!(NewUpload::example());
    let part = json!(OneMediaPart::example());
    let fault = |format: Format, value: &Value| match format.decode::<NewUpload>(&format.encode(value).unwrap()) {
        Err(DecodeError::Invalid(fault)) => (fault.field, fault.code),
        other => panic!("{value}: {other:?}"),
    };
    for_any(prop_oneof![stranger(), Just("unknown".to_owned()), Just("Unknown".to_owned())], |name| {
        for (place, field) in [("/purpose", "purpose"), ("/kind", "kind"), ("/parts/0/part", "parts[0].part")] {
            let mut value = upload.clone();
            *value.pointer_mut(place).unwrap() = json!(name);
            for format in Format::ALL {
                prop_assert_eq!(fault(*format, &value), (field.to_owned(), FieldCode::UnknownValue));
            }
        }
        let mut path = part.clone();
        path["part"] = json!(name);
        prop_assert!(serde_json::from_value::<OneMediaPart>(path).is_err());
        let content = json!({ "kind": name, "text": "hi" });
        prop_assert!(serde_json::from_value::<NewContent>(content.clone()).is_err());
        // What is refused when it is sent is kept when it comes.
        prop_assert_eq!(serde_json::from_value::<Content>(content).unwrap().kind(), ContentKind::Unknown);
        Ok(())
    });
}

#[test]
fn fields_beside_the_known_ones_change_nothing() {
    for_any((Entry::any(), Value::any()), |(entry, more)| {
        let mut value = json!(entry);
        if matches!(entry, Entry::Unknown(_)) {
            return Ok(());
        }
        value["unheard_of"] = more;
        prop_assert_eq!(serde_json::from_value::<Entry>(value).unwrap(), entry);
        Ok(())
    });
}

#[test]
fn an_event_of_another_name_still_has_its_place() {
    for_any((stranger(), EventFrame::any(), Value::any()), |(name, known, data)| {
        let mut value = json!(known);
        value["event"] = json!(name);
        value["data"] = data.clone();
        for format in Format::ALL {
            let read: EventFrame = format.decode(&format.encode(&value).unwrap()).unwrap();
            prop_assert_eq!((&read.cursor, &read.chat_id), (&known.cursor, &known.chat_id));
            prop_assert_eq!(&read.event, &Event::Unknown { name: name.clone(), data: data.clone() });
        }
        Ok(())
    });
}
