//! Times: one spelling each, and the published schema takes what the parser takes. (CNV-8)

use i9chat_spec::Timestamp;
use jsonschema::Validator;
use proptest::{prelude::*, sample::Index};
use serde_json::json;

use crate::{for_any, generate::Generate, published};

fn takes(schema: &Validator, text: &str) -> bool {
    let parsed = text.parse::<Timestamp>();
    assert_eq!(schema.is_valid(&json!(text)), parsed.is_ok(), "the schema on {text:?}");
    if let Ok(time) = &parsed {
        assert_eq!(time.to_string(), text, "one spelling for each moment");
    }
    parsed.is_ok()
}

#[test]
fn a_time_has_one_spelling() {
    let schema = published::schema("Timestamp");
    for right in
        ["1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "2026-11-22T20:44:13.123Z", "9999-12-31T23:59:59.999Z"]
    {
        assert!(takes(&schema, right), "{right}");
    }
    for wrong in [
        "1969-12-31T23:59:59.999Z",
        "2023-02-29T00:00:00.000Z",
        "2026-04-31T00:00:00.000Z",
        "2026-13-01T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z",
        "2026-01-00T00:00:00.000Z",
        "2026-11-22T24:00:00.000Z",
        "2026-11-22T20:60:13.123Z",
        "2016-12-31T23:59:60.000Z",
        "2026-11-22T20:44:13Z",
        "2026-11-22T20:44:13.1234Z",
        "2026-11-22T20:44:13.123+00:00",
        "2026-11-22t20:44:13.123z",
        "2026-11-22 20:44:13.123Z",
        "+12026-11-22T20:44:13.123Z",
        "2026-11-22T20:44:13.123Z\n",
        "",
    ] {
        assert!(!takes(&schema, wrong), "{wrong:?}");
    }
}

#[test]
fn schema_and_parser_agree_on_near_misses() {
    let schema = published::schema("Timestamp");
    for_any((Timestamp::any(), any::<Index>(), "[0-9TZ:. +-]"), |(time, at, stray)| {
        let mut text = time.to_string();
        prop_assert!(takes(&schema, &text));
        let at = at.index(text.len());
        text.replace_range(at..=at, &stray);
        takes(&schema, &text);
        Ok(())
    });
    for_any("[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z", |text| {
        takes(&schema, &text);
        Ok(())
    });
}

#[test]
fn a_moment_outside_the_range_becomes_its_end() {
    for_any(any::<i64>(), |millis| {
        let time = Timestamp::from_millis(millis);
        prop_assert_eq!(time.to_string().len(), 24);
        prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        Ok(())
    });
    for_any((Timestamp::any(), any::<u64>()), |(time, seconds)| {
        prop_assert!(time.plus_seconds(seconds) >= time);
        prop_assert!(time.minus_seconds(seconds) <= time);
        Ok(())
    });
}
