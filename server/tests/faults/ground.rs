//! The Neo4j and the Redis of all tests of this program.

use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use crate::lab::{Neo4j, Redis, Shared, Unavailable, are_given};

/// Taken when the first test needs it, and given back at the end.
#[derive(Default)]
pub struct Grounds {
    /// What the environment names, else what is ours.
    any: OnceCell<Result<Arc<Neo4j>, Unavailable>>,
    /// What can be stopped.
    own: OnceCell<Result<Arc<Neo4j>, Unavailable>>,
    redis: OnceCell<Result<Arc<Redis>, Unavailable>>,
    turn: Mutex<()>,
}

/// What a test needs besides any Neo4j and a Redis that can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// A Neo4j that can be stopped.
    OwnNeo4j,
}

/// What a test stands on.
pub struct Ground {
    pub neo4j: Arc<Neo4j>,
    pub redis: Arc<Redis>,
}

impl Grounds {
    /// What a test stands on, once nobody else stands on it. Users of earlier tests are still in Neo4j.
    pub async fn take(&self, needs: Needs) -> Result<(Ground, tokio::sync::MutexGuard<'_, ()>), Unavailable> {
        let turn = self.turn.lock().await;
        let neo4j = if needs == Needs::OwnNeo4j || !are_given() {
            self.own.get_or_init(async || Neo4j::own().await.map(Arc::new)).await
        } else {
            self.any.get_or_init(async || Neo4j::fresh().await.map(Arc::new)).await
        };
        let neo4j = neo4j.clone()?;
        let redis = self.redis.get_or_init(async || Redis::own().await.map(Arc::new)).await.clone()?;
        Ok((Ground { neo4j, redis }, turn))
    }
}

impl Shared for Grounds {
    async fn end(self) {
        for neo4j in [self.any, self.own].into_iter().filter_map(OnceCell::into_inner).flatten() {
            if let Some(neo4j) = Arc::into_inner(neo4j) {
                neo4j.end().await;
            }
        }
        if let Some(redis) = self.redis.into_inner().and_then(Result::ok).and_then(Arc::into_inner) {
            redis.end().await;
        }
    }
}
