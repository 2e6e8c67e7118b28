//! Parameters of paths and queries: the published schema takes what the parser takes. (CNV-12)

use i9chat_spec::{Endpoint, endpoint::Part};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    for_any,
    published::{self, Parameter},
};

/// Texts at and beyond every kind of bound of a parameter.
fn strangers() -> impl Strategy<Value = String> {
    let fixed = [
        "",
        " ",
        "0",
        "1",
        "-1",
        "1.0",
        "1e3",
        "200",
        "201",
        "50",
        "current",
        "Current",
        "alice",
        "al",
        "null",
        "9007199254740991",
        "9007199254740992",
        "18446744073709551616",
        "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f6071",
        "019AB1C2-3D4E-7F50-8A1B-2C3D4E5F6071",
        "a b",
        "a/b",
        "ä",
        "a\0",
        "original",
        "Original",
        "unknown",
        "999",
        "1000",
        "200000",
        "200001",
        "41.3275,19.8187",
        "-90,180",
        "-0,0.000000000001",
        "90.000000000001,0",
        "0,180.5",
        "0,0.0000000000001",
        "09,9",
        "9,09",
        "00,0",
        "1e1,0",
        "+1,0",
        "1,2,3",
        "1, 2",
        "1.,2",
        ".5,2",
        "NaN,0",
        "1",
    ];
    prop_oneof![
        prop::sample::select(fixed.map(str::to_owned).to_vec()),
        "[0-9]{1,17}",
        "[A-Za-z0-9_.-]{1,140}",
        "-?[0-9]{1,3}(\\.[0-9]{0,13})?,-?[0-9]{1,3}(\\.[0-9]{0,13})?",
        any::<String>(),
    ]
}

/// Whether the schema takes what the text stands for: a number where one is asked for.
fn is_valid(parameter: &Parameter, text: &str) -> bool {
    let number = text.parse::<u64>().ok().filter(|_| parameter.is_number);
    parameter.schema.is_valid(&number.map_or_else(|| json!(text), |number| json!(number)))
}

fn parse<T: DeserializeOwned>(pairs: &[(&str, &str)]) -> Result<T, serde_urlencoded::de::Error> {
    serde_urlencoded::from_str(&serde_urlencoded::to_string(pairs).unwrap())
}

fn schema_and_parser_agree<E: Endpoint>() {
    let parameters = published::parameters(E::PATH, E::METHOD.as_str());
    let query: Vec<_> = parameters.iter().filter(|parameter| parameter.place == "query").collect();
    assert_eq!(query.is_empty(), !E::Query::is_present(), "{}", E::NAME);
    for parameter in &query {
        let name = parameter.name.as_str();
        // Those that must be there are right, so that only this one counts.
        let others: Vec<_> = query
            .iter()
            .filter(|other| other.is_required && other.name != name)
            .map(|other| (other.name.as_str(), other.schema_example()))
            .collect();
        let parse = |pairs: &[(&str, &str)]| {
            let others = others.iter().map(|(name, text)| (*name, text.as_str()));
            parse::<E::Query>(&others.chain(pairs.iter().copied()).collect::<Vec<_>>())
        };
        for_any(strangers(), |text| {
            let taken = parse(&[(name, &text)]);
            prop_assert_eq!(taken.is_ok(), is_valid(parameter, &text), "{} {:?}: {:?}", name, text, taken.err());
            Ok(())
        });
        assert_eq!(parse(&[]).is_err(), parameter.is_required, "{} without {name}", E::NAME);
        // One that is not known is ignored, one that is given twice is not. (CNV-6, ERR-4)
        let right = parameter.schema_example();
        assert!(parse(&[(name, &right), ("unheard_of", "1")]).is_ok(), "{} {name}", E::NAME);
        assert!(parse(&[(name, &right), (name, &right)]).is_err(), "{} {name}", E::NAME);
    }
    // A path has all its parameters at once, so one is varied and the others stay right.
    let path: Vec<_> = parameters.iter().filter(|parameter| parameter.place == "path").collect();
    for varied in &path {
        for_any(strangers(), |text| {
            let value: Value = path
                .iter()
                .map(|parameter| {
                    let text = if parameter.name == varied.name { text.clone() } else { parameter.schema_example() };
                    (parameter.name.clone(), json!(text))
                })
                .collect();
            let taken = serde_json::from_value::<E::Path>(value);
            prop_assert_eq!(taken.is_ok(), is_valid(varied, &text), "{} {:?}", varied.name, text);
            Ok(())
        });
    }
}

macro_rules! endpoints {
    ($($endpoint:path),* $(,)?) => {
        #[test]
        fn schema_and_parser_agree_on_parameters() {
            $(schema_and_parser_agree::<$endpoint>();)*
        }
    };
}
i9chat_spec::for_each_endpoint!(endpoints);
