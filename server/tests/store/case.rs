//! A case: a name, and what it does.

use std::pin::Pin;

use super::shelf::Shelf;

/// What a case does on an empty store. It panics when the store does otherwise than it must.
pub type Run = for<'a> fn(&'a Shelf) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A case of the suite.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is about.
    pub topic: &'static str,
    /// What must be so.
    pub name: &'static str,
    /// Tries it.
    pub run: Run,
}

/// The list of a topic's cases: functions that take a shelf.
macro_rules! cases {
    ($($name:ident,)*) => {
        pub fn cases() -> Vec<crate::case::Case> {
            let topic = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$(crate::case::Case { topic, name: stringify!($name), run: |shelf| Box::pin($name(shelf)) },)*]
        }
    };
}
pub(crate) use cases;
