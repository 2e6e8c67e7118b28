//! What is encoded decodes to the same value, in both encodings. (CNV-4)

use std::fmt::Debug;

use i9chat_spec::{Action, ClientFrame, Endpoint, EventFrame, Format, Problem, ServerFrame};
use proptest::{prop_assert, prop_assert_eq};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{for_any, generate::Generate};

fn travels<T: Generate + Serialize + DeserializeOwned + PartialEq + Debug>() {
    for_any(T::any(), |value| {
        let json: Value = serde_json::to_value(&value).unwrap();
        for format in Format::ALL {
            let bytes = format.encode(&value).unwrap();
            prop_assert_eq!(&format.decode::<T>(&bytes).unwrap(), &value, "{:?}", format);
            // One schema describes both encodings, because both hold the same value.
            prop_assert_eq!(&read_any(*format, &bytes), &json, "{:?}", format);
        }
        Ok(())
    });
}

/// Reads a value whatever it is, not only a map.
fn read_any(format: Format, bytes: &[u8]) -> Value {
    match format {
        Format::Json => serde_json::from_slice(bytes).unwrap(),
        Format::MessagePack => rmp_serde::from_slice(bytes).unwrap(),
    }
}

macro_rules! endpoints {
    ($($endpoint:path),* $(,)?) => {
        #[test]
        fn every_part_of_every_endpoint_travels() {
            $(
                travels::<<$endpoint as Endpoint>::Path>();
                travels::<<$endpoint as Endpoint>::Query>();
                travels::<<$endpoint as Endpoint>::Body>();
                travels::<<$endpoint as Endpoint>::Response>();
            )*
        }

        #[test]
        fn every_url_holds_its_parameters() {
            $(url_holds_its_parameters::<$endpoint>();)*
        }
    };
}
i9chat_spec::for_each_endpoint!(endpoints);

macro_rules! actions {
    ($($action:path),* $(,)?) => {
        #[test]
        fn every_part_of_every_action_travels() {
            $(
                travels::<ClientFrame<<$action as Action>::Data>>();
                travels::<<$action as Action>::Reply>();
            )*
        }
    };
}
i9chat_spec::for_each_action!(actions);

#[test]
fn every_frame_travels() {
    travels::<ServerFrame>();
    travels::<ClientFrame>();
}

#[test]
fn every_event_travels() {
    travels::<EventFrame>();
}

#[test]
fn every_problem_travels() {
    travels::<Problem>();
}

/// A server that cuts the URL at its slashes and reads the query has what the client put in.
fn url_holds_its_parameters<E: Endpoint>()
where
    E::Path: Generate + PartialEq,
    E::Query: Generate + PartialEq,
{
    for_any((E::Path::any(), E::Query::any()), |(path, query)| {
        let url = E::url(&path, &query);
        let (at, asked) = url.split_once('?').unwrap_or((&url, ""));
        let cut: Value = E::PATH
            .split('/')
            .zip(at.split('/'))
            .filter_map(|(name, segment)| Some((name.strip_prefix('{')?.strip_suffix('}')?.to_owned(), json!(segment))))
            .collect();
        prop_assert_eq!(at.split('/').count(), E::PATH.split('/').count());
        if cut.as_object().is_some_and(|parameters| !parameters.is_empty()) {
            prop_assert_eq!(serde_json::from_value::<E::Path>(cut).unwrap(), path);
        }
        prop_assert!(asked.is_ascii());
        prop_assert_eq!(serde_urlencoded::from_str::<E::Query>(asked).unwrap(), query);
        Ok(())
    });
}
