//! Arbitrary bytes are refused with a fault, never with a panic. (CNV-2, WSK-6)

use i9chat_spec::{Action, ClientFrame, Endpoint, Example, Format, Problem, ServerFrame, frame::EventFrame};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde::{Serialize, de::DeserializeOwned};

use crate::for_any;

/// What is done to the bytes of a right value.
#[derive(Debug, Clone)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, u8),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        any::<Index>().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Replace(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Damage::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

fn reads_anything<T: Serialize + DeserializeOwned + Example>() {
    let read = |bytes: &[u8]| {
        for format in Format::ALL {
            // Returning at all is what is asked of it.
            drop(format.decode::<T>(bytes));
        }
    };
    for_any(vec(any::<u8>(), 0..200), |bytes| {
        read(&bytes);
        Ok(())
    });
    for_any(vec(damage(), 1..6), |damages| {
        for format in Format::ALL {
            read(&damaged(format.encode(&T::example()).unwrap(), &damages));
        }
        Ok(())
    });
}

macro_rules! endpoints {
    ($($endpoint:path),* $(,)?) => {
        #[test]
        fn every_body_is_read_from_anything() {
            $(
                reads_anything::<<$endpoint as Endpoint>::Body>();
                reads_anything::<<$endpoint as Endpoint>::Response>();
            )*
        }
    };
}
i9chat_spec::for_each_endpoint!(endpoints);

macro_rules! actions {
    ($($action:path),* $(,)?) => {
        #[test]
        fn every_action_is_read_from_anything() {
            $(reads_anything::<<$action as Action>::Data>();)*
        }
    };
}
i9chat_spec::for_each_action!(actions);

#[test]
fn every_frame_is_read_from_anything() {
    reads_anything::<Problem>();
    reads_anything::<EventFrame>();
    for format in Format::ALL {
        let frame = ServerFrame::Event(EventFrame::example());
        let bytes = format.encode(&frame).unwrap();
        for_any(vec(damage(), 1..6), |damages| {
            let bytes = damaged(bytes.clone(), &damages);
            drop(format.decode::<ServerFrame>(&bytes));
            drop(format.decode::<ClientFrame>(&bytes));
            Ok(())
        });
    }
}

#[test]
fn deep_values_do_not_exhaust_the_stack() {
    let json = |open: &str| open.repeat(100_000).into_bytes();
    for bytes in [json("["), json("{\"a\":"), json("{\"data\":{\"id\":")] {
        assert!(Format::Json.decode::<ServerFrame>(&bytes).is_err());
        assert!(Format::Json.decode::<ClientFrame>(&bytes).is_err());
    }
    let messagepack = |open: &[u8]| open.repeat(100_000);
    for bytes in [messagepack(b"\x91"), messagepack(b"\x81\xa1a"), messagepack(b"\x81\x91")] {
        assert!(Format::MessagePack.decode::<ServerFrame>(&bytes).is_err());
        assert!(Format::MessagePack.decode::<ClientFrame>(&bytes).is_err());
    }
}

#[test]
fn announced_lengths_are_not_believed() {
    // An array, a map, a text and bytes of four thousand million items, of which none follows.
    for head in [0xdd, 0xdf, 0xdb, 0xc6] {
        let bytes = [&b"\x81\xa4data"[..], &[head, 0xff, 0xff, 0xff, 0xff]].concat();
        assert!(Format::MessagePack.decode::<ClientFrame>(&bytes).is_err());
        assert!(Format::MessagePack.decode::<ServerFrame>(&bytes).is_err());
        assert!(Format::MessagePack.decode::<ServerFrame>(&[head, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
