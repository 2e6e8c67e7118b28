//! A strategy for each type that travels. A type without one cannot be part of an endpoint, an action or an event: the
//! tests that walk the lists would not compile.

mod content;
mod endpoints;
mod frames;
mod model;
mod newtypes;

use i9chat_spec::{List, Patch};
use proptest::{collection::vec, option, prelude::*, strategy::BoxedStrategy};
use serde_json::{Map, Value};

/// A type of which any value can be made.
pub trait Generate: Sized + std::fmt::Debug + 'static {
    /// Any value of the type.
    fn any() -> BoxedStrategy<Self>;
}

/// Implements [`Generate`] for a struct whose fields have it.
macro_rules! generate {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl crate::generate::Generate for $type {
            fn any() -> proptest::strategy::BoxedStrategy<Self> {
                use proptest::strategy::Strategy;
                let fields = ($({ stringify!($field); crate::generate::Generate::any() },)*);
                fields.prop_map(|($($field,)*)| Self { $($field),* }).boxed()
            }
        }
    )*};
}
use generate;

/// Implements [`Generate`] for an enum by the list of its values.
macro_rules! one_of {
    ($($type:ident: $values:expr;)*) => {$(
        impl crate::generate::Generate for $type {
            fn any() -> proptest::strategy::BoxedStrategy<Self> {
                proptest::strategy::Strategy::boxed(proptest::sample::select($values.to_vec()))
            }
        }
    )*};
}
use one_of;

impl<T: Generate> Generate for Option<T> {
    fn any() -> BoxedStrategy<Self> {
        option::of(T::any()).boxed()
    }
}

impl<T: Generate> Generate for Vec<T> {
    fn any() -> BoxedStrategy<Self> {
        vec(T::any(), 0..4).boxed()
    }
}

impl<T: Generate + Clone, const MIN: usize, const MAX: usize> Generate for List<T, MIN, MAX> {
    fn any() -> BoxedStrategy<Self> {
        vec(T::any(), MIN..=MAX.min(MIN + 3)).prop_map(|items| items.try_into().unwrap()).boxed()
    }
}

impl<T: Generate + Clone> Generate for Patch<T> {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![Just(Self::Keep), Just(Self::Clear), T::any().prop_map(Self::Set)].boxed()
    }
}

impl Generate for bool {
    fn any() -> BoxedStrategy<Self> {
        proptest::bool::ANY.boxed()
    }
}

impl Generate for u16 {
    fn any() -> BoxedStrategy<Self> {
        proptest::num::u16::ANY.boxed()
    }
}

impl Generate for u32 {
    fn any() -> BoxedStrategy<Self> {
        proptest::num::u32::ANY.boxed()
    }
}

impl Generate for u64 {
    fn any() -> BoxedStrategy<Self> {
        (0..1u64 << 53).boxed()
    }
}

impl Generate for String {
    fn any() -> BoxedStrategy<Self> {
        vec(any::<char>(), 0..20).prop_map(Self::from_iter).boxed()
    }
}

impl Generate for Value {
    fn any() -> BoxedStrategy<Self> {
        let leaf = prop_oneof![
            Just(Self::Null),
            bool::any().prop_map(Self::from),
            (-(1i64 << 53)..1 << 53).prop_map(Self::from),
            String::any().prop_map(Self::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Self::from),
                vec((String::any(), inner), 0..4).prop_map(|fields| Self::Object(fields.into_iter().collect())),
            ]
        })
        .boxed()
    }
}

/// A map of which this version knows nothing: its tag is none of the known ones.
fn unknown(tag: &'static str, known: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    let name = "[a-z_]{1,12}".prop_filter("a known tag", move |name| !known.contains(&name.as_str()));
    (name, vec((String::any(), Value::any()), 0..4)).prop_map(move |(name, fields)| {
        let mut map: Map<String, Value> = fields.into_iter().collect();
        map.insert(tag.to_owned(), name.into());
        map
    })
}
