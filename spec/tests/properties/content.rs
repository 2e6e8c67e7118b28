//! What a message says: each kind has its own fields, and those of the others mean nothing to it. (CNV-6, MSG-14)

use i9chat_spec::{Content, ContentKind, DecodeError, FieldCode, Format, MediaId, NewContent, Snippet};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{for_any, generate::Generate, published};

/// Every field that some kind has.
const FIELDS: [&str; 8] = ["text", "media_id", "duration_ms", "items", "caption", "title", "name", "media"];

fn fields_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "text" => &["text"],
        "voice" => &["media_id", "duration_ms"],
        "image" | "video" => &["items", "caption"],
        "audio" => &["media_id", "title"],
        "file" => &["media_id", "name"],
        _ => panic!("{kind} is no kind"),
    }
}

/// The content as it is read, in both encodings, or what is wrong with it.
fn read(value: &Value) -> Result<NewContent, DecodeError> {
    let [json, messagepack] =
        [Format::Json, Format::MessagePack].map(|format| format.decode::<NewContent>(&format.encode(value).unwrap()));
    assert_eq!(json.is_ok(), messagepack.is_ok(), "{value}");
    if let (Err(DecodeError::Invalid(json)), Err(DecodeError::Invalid(messagepack))) = (&json, &messagepack) {
        assert_eq!((&json.field, json.code), (&messagepack.field, messagepack.code), "{value}");
    }
    json
}

#[test]
fn fields_of_another_kind_are_ignored_whatever_they_are() {
    let schema = published::schema("NewContent");
    for_any((NewContent::any(), select(FIELDS.to_vec()), Value::any()), |(content, field, stranger)| {
        let mut value = json!(content);
        if fields_of(value["kind"].as_str().unwrap()).contains(&field) {
            return Ok(());
        }
        value[field] = stranger;
        prop_assert!(schema.is_valid(&value), "{}", value);
        prop_assert_eq!(read(&value).unwrap(), content);
        Ok(())
    });
}

#[test]
fn every_kind_needs_its_fields() {
    for_any((NewContent::any(), any::<prop::sample::Index>()), |(content, which)| {
        let mut value = json!(content);
        let kind = value["kind"].as_str().unwrap().to_owned();
        let field = *which.get(fields_of(&kind));
        let optional = ["caption", "title"].contains(&field);
        for left_out in [false, true] {
            value[field] = Value::Null;
            if left_out {
                value.as_object_mut().unwrap().remove(field);
            }
            match read(&value) {
                Ok(read) => prop_assert!(optional && json!(read).get(field).is_none(), "{}", value),
                Err(DecodeError::Invalid(fault)) => {
                    prop_assert!(!optional);
                    prop_assert_eq!((fault.field.as_str(), fault.code), (field, FieldCode::Missing), "{}", value);
                }
                Err(other) => panic!("{value}: {other:?}"),
            }
        }
        Ok(())
    });
}

#[test]
fn the_kinds_are_those_of_the_list() {
    let mut seen = std::collections::HashSet::new();
    for_any(Content::any(), |content| {
        let kind = json!(content)["kind"].as_str().unwrap().to_owned();
        let named: ContentKind = serde_json::from_value(json!(kind)).unwrap();
        prop_assert_eq!(content.kind(), named);
        Ok(())
    });
    for kind in ContentKind::ALL {
        let name = json!(kind).as_str().unwrap().to_owned();
        assert!(!fields_of(&name).is_empty());
        seen.insert(name);
    }
    assert_eq!(seen.len(), 6);
}

/// What became of a content, as a server keeps it.
fn kept(new: &NewContent) -> Content {
    let mut value = json!(new);
    let with_media = |value: &mut Value| {
        let fields = value.as_object_mut().unwrap();
        let id = fields.remove("media_id").unwrap();
        fields.insert("media".to_owned(), json!({ "media_id": id, "content_type": "a/b", "size": 7 }));
    };
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(with_media);
    } else if value.get("media_id").is_some() {
        with_media(&mut value);
    }
    serde_json::from_value(value).unwrap()
}

#[test]
fn what_was_sent_is_told_from_what_became_of_it() {
    for_any((NewContent::any(), NewContent::any()), |(one, other)| {
        let stored = kept(&one);
        prop_assert!(!matches!(stored, Content::Unknown(_)));
        prop_assert!(stored == one);
        prop_assert_eq!(stored == other, one == other);
        let media: Vec<MediaId> = stored.media().iter().map(|media| media.media_id).collect();
        prop_assert_eq!(media, one.media_ids());
        Ok(())
    });
    // Different in one field only.
    for_any((NewContent::any(), NewContent::any(), any::<prop::sample::Index>()), |(one, other, which)| {
        let (mut value, donor) = (json!(one), json!(other));
        let field = *which.get(fields_of(value["kind"].as_str().unwrap()));
        if let Some(donated) = donor.get(field) {
            value[field] = donated.clone();
        } else {
            value.as_object_mut().unwrap().remove(field);
        }
        let Ok(changed) = serde_json::from_value::<NewContent>(value) else { return Ok(()) };
        prop_assert_eq!(kept(&one) == changed, one == changed);
        Ok(())
    });
}

#[test]
fn a_snippet_is_the_first_hundred_characters_of_what_is_said_in_words() {
    for_any(NewContent::any(), |content| {
        let value = json!(content);
        let words = ["text", "caption", "title", "name"].iter().find_map(|field| value.get(*field)?.as_str());
        let first = words.map(|words| words.chars().take(100).collect::<String>());
        let snippet = kept(&content).snippet();
        prop_assert_eq!(snippet.as_ref().map(Snippet::as_str), first.as_deref());
        Ok(())
    });
}
