//! A case: a name, what it needs, and what it does.

use std::pin::Pin;

use super::scene::Scene;

/// What a case does. It panics when the bus does otherwise than it must.
pub type Run = for<'a> fn(&'a Scene) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What a case is tried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Every bus.
    Any,
    /// One of several nodes.
    Redis,
    /// One whose Redis it may do with as it likes.
    OwnRedis,
}

/// A case of the suite.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is about.
    pub topic: &'static str,
    /// What must be so.
    pub name: &'static str,
    /// What it is tried on.
    pub needs: Needs,
    /// Tries it.
    pub run: Run,
}

/// The list of a topic's cases: functions that take a scene.
macro_rules! cases {
    ($($needs:ident { $($name:ident,)* })*) => {
        pub fn cases() -> Vec<crate::case::Case> {
            let topic = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$($(crate::case::Case {
                topic,
                name: stringify!($name),
                needs: crate::case::Needs::$needs,
                run: |scene| Box::pin($name(scene)),
            },)*)*]
        }
    };
}
pub(crate) use cases;
