//! Numbers: the bounds are exact, and the published schema takes what the parser takes. (CNV-15)

use i9chat_spec::{DurationMs, NearbyLimit, PageLimit, Pixels, RadiusM, Seq, Watermark};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{for_any, published};

const LARGEST: u64 = (1 << 53) - 1;

struct Rules {
    name: String,
    schema: jsonschema::Validator,
    decode: fn(&Value) -> bool,
}

impl Rules {
    fn of<T: JsonSchema + DeserializeOwned>() -> Self {
        let name = published::name_of::<T>();
        Self {
            schema: jsonschema::draft202012::new(schemars::schema_for!(T).as_value()).unwrap(),
            decode: |value| {
                let json = serde_json::from_slice::<T>(&serde_json::to_vec(value).unwrap()).is_ok();
                let messagepack = rmp_serde::from_slice::<T>(&rmp_serde::to_vec(value).unwrap()).is_ok();
                assert_eq!(json, messagepack, "{value}");
                json
            },
            name,
        }
    }

    /// Whether the value is taken; everyone has to agree.
    fn take(&self, value: &Value) -> bool {
        let taken = (self.decode)(value);
        // JSON Schema takes `1.0` for an integer; the protocol says that it is of the wrong type. (CNV-15)
        if value.is_f64() {
            assert!(!taken, "{} {value}", self.name);
        } else {
            assert_eq!(self.schema.is_valid(value), taken, "the schema of {} on {value}", self.name);
        }
        taken
    }
}

fn all() -> [(Rules, u64, u64); 7] {
    [
        (Rules::of::<Seq>(), 1, LARGEST),
        (Rules::of::<Watermark>(), 0, LARGEST),
        (Rules::of::<PageLimit>(), 1, PageLimit::MAX.into()),
        (Rules::of::<DurationMs>(), 1, 86_400_000),
        (Rules::of::<RadiusM>(), 1_000, 200_000),
        (Rules::of::<NearbyLimit>(), 1, 100),
        (Rules::of::<Pixels>(), 1, 65_535),
    ]
}

#[test]
fn bounds_are_exact() {
    for (rules, min, max) in all() {
        for right in [min, min + 1, max - 1, max] {
            assert!(rules.take(&json!(right)), "{} {right}", rules.name);
        }
        for wrong in [min.checked_sub(1), Some(max + 1), Some(u64::from(u32::MAX) << 32), Some(u64::MAX)] {
            assert!(wrong.is_none_or(|wrong| !rules.take(&json!(wrong))), "{} {wrong:?}", rules.name);
        }
        for wrong in [-1, i64::MIN] {
            assert!(!rules.take(&json!(wrong)), "{} {wrong}", rules.name);
        }
    }
}

#[test]
fn other_types_are_refused() {
    for (rules, ..) in all() {
        for wrong in [json!(1.0), json!(1.5), json!(1e300), json!("1"), json!(true), Value::Null, json!([1]), json!({})]
        {
            assert!(!rules.take(&wrong), "{} {wrong}", rules.name);
        }
    }
}

#[test]
fn schema_and_parser_agree_on_any_number() {
    for (rules, _, max) in all() {
        for_any(prop_oneof![any::<u64>(), 0..1000u64, max.saturating_sub(500)..max + 500], |number| {
            rules.take(&json!(number));
            Ok(())
        });
        for_any(any::<i64>(), |number| {
            rules.take(&json!(number));
            Ok(())
        });
        for_any(any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()), |number| {
            rules.take(&json!(number));
            Ok(())
        });
    }
}
