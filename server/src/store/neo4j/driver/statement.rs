use std::fmt::Display;

use neo4rs::{BoltList, BoltMap, BoltType, Query, Row};
use serde::de::DeserializeOwned;

use super::{Failure, TRANSACTION_TIME};
use crate::store::StoreError;

/// What a parameter can be: numbers, booleans, text, lists, `None`.
pub(in crate::store::neo4j) type Value = BoltType;

/// One statement and its parameters. The text never changes, so that Neo4j plans it once.
#[derive(Debug, Clone)]
pub(in crate::store::neo4j) struct Statement {
    text: &'static str,
    parameters: BoltMap,
}

impl Statement {
    /// A statement without parameters.
    pub(in crate::store::neo4j) fn new(text: &'static str) -> Self {
        Self { text, parameters: BoltMap::new() }
    }

    /// The statement with one more parameter.
    #[must_use]
    pub(in crate::store::neo4j) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.parameters.put(name.into(), value.into());
        self
    }

    /// The text and the parameters.
    pub(super) fn into_parts(self) -> (&'static str, BoltMap) {
        (self.text, self.parameters)
    }

    /// As neo4rs runs it.
    pub(super) fn query(self) -> Query {
        Query::new(self.text.to_owned()).with_params(self.parameters)
    }

    /// As it is run in a transaction of its own, which the server ends when it takes too long.
    pub(super) fn query_alone(&self) -> Query {
        let time = i64::try_from(TRANSACTION_TIME.as_millis()).unwrap_or(i64::MAX);
        self.clone().query().extra("tx_timeout", time)
    }
}

/// An id, a name or anything else that is shown as text.
pub(in crate::store::neo4j) fn text(shown: impl Display) -> Value {
    Value::from(shown.to_string())
}

/// A list of ids or names.
pub(in crate::store::neo4j) fn texts<T: Display>(shown: impl IntoIterator<Item = T>) -> Value {
    list(shown.into_iter().map(text))
}

/// A list of values of any kind.
pub(in crate::store::neo4j) fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(BoltList { value: values.into_iter().collect() })
}

/// A map, as a row of a list or the properties of a node.
pub(in crate::store::neo4j) fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Reads rows whose columns are the fields of a type.
pub(super) fn typed<T: DeserializeOwned>(rows: &[Row]) -> Result<Vec<T>, Failure> {
    rows.iter().map(|row| row.to().map_err(|error| StoreError::Corrupt(format!("a row: {error}")).into())).collect()
}
