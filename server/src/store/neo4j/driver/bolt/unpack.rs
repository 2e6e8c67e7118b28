use neo4rs::{BoltBoolean, BoltFloat, BoltInteger, BoltList, BoltMap, BoltNull, BoltString, BoltType};

use super::{Failure, confused};

/// How deep values may lie in each other.
const DEEPEST: usize = 32;

/// The kind of a message, and its one field.
pub(super) fn message(bytes: &[u8]) -> Result<(u8, BoltType), Failure> {
    let mut bytes = Bytes(bytes);
    let [fields, kind] = bytes.take()?;
    // What was ignored has nothing to say.
    let said = if fields == 0xb0 { BoltType::Null(BoltNull) } else { bytes.value(DEEPEST)? };
    if bytes.0.is_empty() { Ok((kind, said)) } else { Err(confused("an answer that goes on after its end")) }
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(ends_early)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn value(&mut self, depth: usize) -> Result<BoltType, Failure> {
        let depth = depth.checked_sub(1).ok_or_else(|| confused("an answer that is too deep"))?;
        let [marker] = self.take()?;
        Ok(match marker {
            0xc0 => BoltType::Null(BoltNull),
            0xc1 => BoltType::Float(BoltFloat { value: f64::from_be_bytes(self.take()?) }),
            0xc2 => BoltType::Boolean(BoltBoolean { value: false }),
            0xc3 => BoltType::Boolean(BoltBoolean { value: true }),
            0x00..=0x7f | 0xf0..=0xff => integer(i8::from_be_bytes([marker])),
            0xc8 => integer(i8::from_be_bytes(self.take()?)),
            0xc9 => integer(i16::from_be_bytes(self.take()?)),
            0xca => integer(i32::from_be_bytes(self.take()?)),
            0xcb => integer(i64::from_be_bytes(self.take()?)),
            0x80..=0x8f | 0xd0..=0xd2 => BoltType::String(self.text(marker)?),
            0x90..=0x9f | 0xd4..=0xd6 => {
                let length = self.length(marker, 0x90, 0xd4)?;
                let items = (0..length).map(|_| self.value(depth)).collect::<Result<_, _>>()?;
                BoltType::List(BoltList { value: items })
            }
            0xa0..=0xaf | 0xd8..=0xda => {
                let length = self.length(marker, 0xa0, 0xd8)?;
                let mut map = BoltMap::new();
                for _ in 0..length {
                    let [marker] = self.take()?;
                    map.put(self.text(marker)?, self.value(depth)?);
                }
                BoltType::Map(map)
            }
            _ => return Err(confused("an answer of a kind that is never asked for")),
        })
    }

    fn text(&mut self, marker: u8) -> Result<BoltString, Failure> {
        let length = self.length(marker, 0x80, 0xd0)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(ends_early)?;
        self.0 = rest;
        let text = std::str::from_utf8(text).map_err(|_| confused("text that is none"))?;
        Ok(text.into())
    }

    /// In the marker itself when it is short, else in the one, two or four bytes after it.
    fn length(&mut self, marker: u8, short: u8, long: u8) -> Result<usize, Failure> {
        let length = match (marker.checked_sub(long), marker.checked_sub(short)) {
            (Some(0), _) => u32::from(u8::from_be_bytes(self.take()?)),
            (Some(1), _) => u32::from(u16::from_be_bytes(self.take()?)),
            (Some(2), _) => u32::from_be_bytes(self.take()?),
            (None, Some(length @ 0..=15)) => u32::from(length),
            _ => return Err(confused("a length that is none")),
        };
        usize::try_from(length).map_err(|_| ends_early())
    }
}

fn integer(number: impl Into<i64>) -> BoltType {
    BoltType::Integer(BoltInteger { value: number.into() })
}

fn ends_early() -> Failure {
    confused("an answer that ends too early")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::neo4j::driver::bolt::pack;

    /// Values as they are sent and received, with lengths and numbers on both sides of where the encoding changes.
    fn values() -> impl Strategy<Value = BoltType> {
        let text = prop_oneof![
            ".*",
            (prop_oneof![Just(15), Just(16), Just(255), Just(256), Just(65_535), Just(65_536)])
                .prop_map(|length: usize| "x".repeat(length)),
        ];
        let leaf = prop_oneof![
            Just(BoltType::Null(BoltNull)),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            (-200_i64..200).prop_map(Into::into),
            (-40_000_i64..40_000).prop_map(Into::into),
            (-1e9..1e9).prop_map(|number: f64| number.into()),
            text.prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(|items| BoltType::List(BoltList { value: items })),
                prop::collection::hash_map("[a-z]{1,20}", inner, 0..20).prop_map(|entries| {
                    BoltType::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(value in values()) {
            let packed = pack::message(0x70, std::slice::from_ref(&value)).unwrap();
            prop_assert_eq!(message(&packed).unwrap(), (0x70, value));
        }

        #[test]
        fn what_is_cut_or_goes_on_is_refused(value in values(), cut in any::<prop::sample::Index>()) {
            let packed = pack::message(0x70, &[value]).unwrap();
            let cut = cut.index(packed.len());
            prop_assert!(message(&packed[..cut]).is_err());
            prop_assert!(message(&[packed.as_slice(), &[0]].concat()).is_err());
        }

        #[test]
        fn rubbish_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(message(&bytes));
        }
    }

    #[test]
    fn what_lies_too_deep_is_refused() {
        let mut deep = vec![0xb1, 0x70];
        deep.extend([0x91; 1000]);
        deep.push(0xc0);
        assert!(message(&deep).is_err());
    }
}
