use neo4rs::BoltType;

use super::Failure;
use crate::store::StoreError;

const NULL: u8 = 0xc0;
const FLOAT: u8 = 0xc1;
const FALSE: u8 = 0xc2;
const TRUE: u8 = 0xc3;
const INTEGERS: [u8; 4] = [0xc8, 0xc9, 0xca, 0xcb];

/// How something is marked that has a length: the length in the marker itself when it is below 16, else one of the markers before
/// a length of one, two or four bytes. (Maps, lists and text have all three.)
#[derive(Clone, Copy)]
struct Sized {
    short: u8,
    long: u8,
}

const TEXT: Sized = Sized { short: 0x80, long: 0xd0 };
const LIST: Sized = Sized { short: 0x90, long: 0xd4 };
const MAP: Sized = Sized { short: 0xa0, long: 0xd8 };

/// A message with its fields.
pub(super) fn message(kind: u8, fields: &[BoltType]) -> Result<Vec<u8>, Failure> {
    let count = u8::try_from(fields.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![0xb0 | count, kind];
    fields.iter().try_for_each(|field| value(&mut bytes, field))?;
    Ok(bytes)
}

fn value(bytes: &mut Vec<u8>, packed: &BoltType) -> Result<(), Failure> {
    match packed {
        BoltType::Null(_) => bytes.push(NULL),
        BoltType::Boolean(truth) => bytes.push(if truth.value { TRUE } else { FALSE }),
        BoltType::Integer(number) => integer(bytes, number.value),
        BoltType::Float(number) => {
            bytes.push(FLOAT);
            bytes.extend(number.value.to_be_bytes());
        }
        BoltType::String(text) => string(bytes, &text.value)?,
        BoltType::List(list) => {
            length(bytes, LIST, list.value.len())?;
            list.value.iter().try_for_each(|item| value(bytes, item))?;
        }
        BoltType::Map(map) => {
            length(bytes, MAP, map.value.len())?;
            for (key, item) in &map.value {
                string(bytes, &key.value)?;
                value(bytes, item)?;
            }
        }
        _ => return Err(StoreError::Corrupt("a parameter of a kind that is never sent".to_owned()).into()),
    }
    Ok(())
}

/// In as few bytes as hold it.
fn integer(bytes: &mut Vec<u8>, number: i64) {
    let [one, two, four, eight] = INTEGERS;
    match (i8::try_from(number), i16::try_from(number), i32::try_from(number)) {
        (Ok(small), ..) if small >= -16 => bytes.extend(small.to_be_bytes()),
        (Ok(small), ..) => {
            bytes.push(one);
            bytes.extend(small.to_be_bytes());
        }
        (_, Ok(small), _) => {
            bytes.push(two);
            bytes.extend(small.to_be_bytes());
        }
        (_, _, Ok(small)) => {
            bytes.push(four);
            bytes.extend(small.to_be_bytes());
        }
        _ => {
            bytes.push(eight);
            bytes.extend(number.to_be_bytes());
        }
    }
}

fn string(bytes: &mut Vec<u8>, text: &str) -> Result<(), Failure> {
    length(bytes, TEXT, text.len())?;
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

fn length(bytes: &mut Vec<u8>, Sized { short, long }: Sized, length: usize) -> Result<(), Failure> {
    match (u8::try_from(length), u16::try_from(length), u32::try_from(length)) {
        (Ok(length), ..) if length < 16 => bytes.push(short | length),
        (Ok(length), ..) => bytes.extend([long, length]),
        (_, Ok(length), _) => {
            bytes.push(long + 1);
            bytes.extend(length.to_be_bytes());
        }
        (_, _, Ok(length)) => {
            bytes.push(long + 2);
            bytes.extend(length.to_be_bytes());
        }
        _ => return Err(StoreError::Corrupt("a parameter that is too long".to_owned()).into()),
    }
    Ok(())
}
