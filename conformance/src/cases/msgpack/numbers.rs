//! Coordinates in MessagePack: the one place where numbers have fractions. (CNV-15)

use i9chat_spec::{ErrorCode, FieldCode, Format, Profile};
use serde_json::{Value, json};

use super::in_format;
use crate::{
    cases,
    client::Answer,
    expect::{check, expect},
    verdict::Verdict,
    world::{User, World},
};

cases! { Msgpack:
    coordinates_are_the_same_numbers_in_both_encodings ["CNV-4", "CNV-15", "USR-6"],
    a_number_that_is_no_coordinate_is_refused ["CNV-15", "USR-6", "ERR-4", "ERR-5"],
}

/// Sends a location whose two numbers are these bytes.
async fn sends(user: &User, lat: &[u8], lon: &[u8]) -> Verdict<Answer> {
    let bytes = [b"\x81\xa8location\x82\xa3lat".as_slice(), lat, b"\xa3lon", lon].concat();
    let request = user.request("PATCH", "/v1/me").accept(Format::MessagePack);
    request.body(Format::MessagePack.media_type(), bytes).send().await
}

/// A number of eight bytes with a fraction.
fn double(number: f64) -> Vec<u8> {
    [[0xcb].as_slice(), &number.to_be_bytes()].concat()
}

async fn coordinates_are_the_same_numbers_in_both_encodings(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let alice = world.user().await?;
    let mut packed = alice.handshake().format(Format::MessagePack).connect().await?;
    let mut by_json = alice.connects().await?;
    for (lat, lon, numbers) in [
        (double(41.327_546), double(-19.818_698), [41.327_546, -19.818_698]),
        (double(0.1 + 0.2), double(-179.999_999_999_999_97), [0.1 + 0.2, -179.999_999_999_999_97]),
        (double(90.0), double(180.0), [90.0, 180.0]),
        // Integers are numbers, too, in any of their lengths.
        (vec![0x07], vec![0xe0], [7.0, -32.0]),
        (vec![0xcc, 90], vec![0xd1, 0xff, 0x4c], [90.0, -180.0]),
    ] {
        let changed = sends(&alice, &lat, &lon).await?.succeeded(200)?;
        let read = in_format(&alice.get("/v1/me").accept(Format::MessagePack).send().await?, Format::MessagePack, 200)?;
        let plain = alice.get("/v1/me").send().await?.succeeded(200)?;
        let events = [packed.event("profile_changed").await?, by_json.event("profile_changed").await?];
        let shown = [&changed, &read, &plain, &events[0]["data"], &events[1]["data"]];
        for value in shown {
            let came = [&value["location"]["lat"], &value["location"]["lon"]].map(|number: &Value| number.as_f64());
            let same = came.map(|number| number.map(f64::to_bits)) == numbers.map(|number: f64| Some(number.to_bits()));
            check(same, || (format!("the location {numbers:?}"), value.to_string()))?;
        }
    }
    Ok(())
}

async fn a_number_that_is_no_coordinate_is_refused(world: &World) -> Verdict {
    world.needs(Profile::Users)?;
    let alice = world.user().await?;
    let zero = [0x00];
    for (number, code) in [
        (double(f64::NAN), FieldCode::OutOfRange),
        (double(f64::INFINITY), FieldCode::OutOfRange),
        (double(f64::NEG_INFINITY), FieldCode::OutOfRange),
        (double(1e308), FieldCode::OutOfRange),
        // A NaN of four bytes.
        (vec![0xca, 0x7f, 0xc0, 0x00, 0x00], FieldCode::OutOfRange),
        (vec![0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], FieldCode::OutOfRange),
        (vec![0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], FieldCode::OutOfRange),
        (b"\xa10".to_vec(), FieldCode::WrongType),
        (vec![0xc3], FieldCode::WrongType),
        (vec![0xc4, 0x01, 0x30], FieldCode::WrongType),
    ] {
        sends(&alice, &number, &zero).await?.refused_field("location.lat", code)?;
        sends(&alice, &zero, &number).await?.refused_field("location.lon", code)?;
    }
    // Nowhere else may a number have a fraction.
    if world.claims(Profile::Media) {
        let part = json!({ "part": "original", "content_type": "image/png", "size": 2000.0 });
        let body = json!({ "purpose": "message", "kind": "image", "parts": [part] });
        let request = alice.request("POST", "/v1/uploads").encoded(Format::MessagePack, &body);
        request.send().await?.refused_with(ErrorCode::InvalidRequest)?;
    }
    let me = alice.get("/v1/me").send().await?.succeeded(200)?;
    expect(me.get("location").is_none()).to_equal(true)
}
