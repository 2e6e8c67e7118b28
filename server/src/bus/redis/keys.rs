use std::{fmt, sync::Arc};

/// Names keys and channels. All of them begin with `{prefix}:`, whose braces tell a Redis cluster to keep them together.
#[derive(Debug, Clone)]
pub(super) struct Keys(Arc<str>);

impl Keys {
    /// Those with a prefix.
    pub(super) fn new(prefix: &str) -> Self {
        Self(format!("{{{prefix}}}:").into())
    }

    /// The key of that name.
    pub(super) fn key(&self, name: impl fmt::Display) -> String {
        format!("{}{name}", self.0)
    }
}
