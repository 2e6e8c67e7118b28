//! Coordinates and places: the bounds are exact, and the numbers come back as they went. (CNV-15, USR-6, USR-7)

use i9chat_spec::{Latitude, Location, Longitude, Near};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{for_any, generate::Generate, published};

#[test]
fn schema_and_parser_agree_on_any_number() {
    let (lat, lon) = (published::schema("Latitude"), published::schema("Longitude"));
    let near_bounds = prop_oneof![-200.0..200.0f64, Just(90.0), Just(-90.0), Just(180.0), Just(-180.0), any::<f64>()];
    for_any(near_bounds.prop_filter("JSON has no such number", |number| number.is_finite()), |number| {
        let value = json!(number);
        prop_assert_eq!(lat.is_valid(&value), number.abs() <= 90.0);
        prop_assert_eq!(lon.is_valid(&value), number.abs() <= 180.0);
        prop_assert_eq!(serde_json::from_value::<Latitude>(value.clone()).is_ok(), number.abs() <= 90.0);
        prop_assert_eq!(serde_json::from_value::<Longitude>(value).is_ok(), number.abs() <= 180.0);
        let bytes = rmp_serde::to_vec(&number).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<Latitude>(&bytes).is_ok(), number.abs() <= 90.0);
        Ok(())
    });
    for value in [json!(90), json!(-90), json!(0)] {
        assert!(lat.is_valid(&value) && serde_json::from_value::<Latitude>(value).is_ok());
    }
    for wrong in [json!("1"), json!(null), json!(true), json!([1]), json!({}), json!(91), json!(u64::MAX)] {
        assert!(!lat.is_valid(&wrong) && serde_json::from_value::<Latitude>(wrong.clone()).is_err(), "{wrong}");
    }
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(rmp_serde::from_slice::<Latitude>(&rmp_serde::to_vec(&wrong).unwrap()).is_err(), "{wrong}");
    }
}

#[test]
fn a_location_comes_back_as_the_same_numbers() {
    for_any(Location::any(), |location| {
        let text = serde_json::to_string(&location).unwrap();
        let back: Location = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back.lat.degrees().to_bits(), location.lat.degrees().to_bits(), "{}", text);
        prop_assert_eq!(back.lon.degrees().to_bits(), location.lon.degrees().to_bits(), "{}", text);
        // As a value it is kept and handed on, too.
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::from_value::<Location>(value).unwrap(), location);
        Ok(())
    });
}

#[test]
fn a_place_is_written_so_that_it_is_read() {
    for_any(Near::any(), |near| {
        prop_assert_eq!(near.to_string().parse::<Near>().unwrap(), near);
        Ok(())
    });
    // Of any location at most what 12 decimals do not hold is lost.
    for_any(Location::any(), |location| {
        let Near(read) = Near(location).to_string().parse().unwrap();
        prop_assert!((read.lat.degrees() - location.lat.degrees()).abs() < 1e-12);
        prop_assert!((read.lon.degrees() - location.lon.degrees()).abs() < 1e-12);
        Ok(())
    });
}
