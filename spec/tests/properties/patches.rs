//! The bodies of `PATCH`: left out, `null` and a value are three things. (CNV-5)

use i9chat_spec::{
    Bio, DecodeError, FieldCode, Format, Patch,
    api::{groups::GroupChanges, users::ProfilePatch},
};
use serde_json::{Value, json};

use crate::{for_any, generate::Generate};

fn decode<T: serde::de::DeserializeOwned>(format: Format, value: &Value) -> T {
    format.decode(&format.encode(value).unwrap()).unwrap()
}

#[test]
fn null_takes_away_and_left_out_keeps() {
    for_any(ProfilePatch::any(), |patch| {
        let value = json!(patch);
        let field = |name: &str| value.get(name);
        let expect = |present: Option<&Value>, is_keep: bool, is_clear: bool| {
            assert_eq!((present.is_none(), present.is_some_and(Value::is_null)), (is_keep, is_clear), "{value}");
        };
        expect(field("bio"), patch.bio.is_keep(), patch.bio == Patch::Clear);
        expect(field("picture_id"), patch.picture_id.is_keep(), patch.picture_id == Patch::Clear);
        expect(field("location"), patch.location.is_keep(), patch.location == Patch::Clear);
        Ok(())
    });
    for format in Format::ALL {
        let empty: ProfilePatch = decode(*format, &json!({}));
        assert_eq!(empty, ProfilePatch::default());
        assert!(empty.bio.is_keep() && empty.picture_id.is_keep() && empty.location.is_keep());
        let cleared: ProfilePatch = decode(*format, &json!({ "bio": null, "picture_id": null, "location": null }));
        assert_eq!(
            (cleared.bio, cleared.picture_id, cleared.location),
            (Patch::Clear, Patch::Clear, Patch::Clear),
            "{format:?}"
        );
        // An empty bio is a value.
        let emptied: ProfilePatch = decode(*format, &json!({ "bio": "" }));
        assert_eq!(emptied.bio, Patch::Set("".parse::<Bio>().unwrap()));
    }
}

#[test]
fn a_group_always_has_a_name() {
    for format in Format::ALL {
        let changes: GroupChanges = decode(*format, &json!({ "description": null, "picture_id": null }));
        let expected = GroupChanges { name: None, description: Patch::Clear, picture_id: Patch::Clear };
        assert_eq!(changes, expected);
        let changes: GroupChanges = decode(*format, &json!({}));
        assert_eq!(changes, GroupChanges::default());
        assert!(changes.name.is_none() && changes.description.is_keep() && changes.picture_id.is_keep());
        // It can be left as it is, but not taken away: `null` is missing where a value has to be. (GRP-8, CNV-5)
        match format.decode::<GroupChanges>(&format.encode(&json!({ "name": null })).unwrap()) {
            Err(DecodeError::Invalid(fault)) => {
                assert_eq!((fault.field.as_str(), fault.code), ("name", FieldCode::Missing));
            }
            other => panic!("{other:?}"),
        }
    }
}
