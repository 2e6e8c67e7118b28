//! Where a case finds its bus.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::OnceCell;

use super::{
    case::Needs,
    lab::{Redis, Shared, Unavailable},
    scene::{Scene, Ways},
};

/// A kind of bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Local,
    Redis,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::Local, Self::Redis];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Redis => "redis",
        }
    }
}

/// What the cases of one run share: one Redis, in which each has keys of its own.
#[derive(Default)]
pub struct Places {
    redis: OnceCell<Result<Redis, Unavailable>>,
    cases: AtomicUsize,
}

impl Places {
    /// A bus on which nothing has happened.
    pub async fn scene(&self, place: Place, needs: Needs) -> Result<Scene, Unavailable> {
        match (place, needs) {
            (Place::Local, _) => Ok(Scene::new(Ways::Local)),
            (Place::Redis, Needs::OwnRedis) => {
                let own = Redis::own().await?;
                let (url, prefix) = (own.url(), own.prefix().to_owned());
                Ok(Scene::new(Ways::Redis { url, prefix, own: Some(Box::new(own)) }))
            }
            (Place::Redis, _) => {
                let redis = self.redis.get_or_init(Redis::fresh).await.as_ref().map_err(Clone::clone)?;
                let prefix = format!("{}-{}", redis.prefix(), self.cases.fetch_add(1, Ordering::Relaxed));
                Ok(Scene::new(Ways::Redis { url: redis.url(), prefix, own: None }))
            }
        }
    }
}

impl Shared for Places {
    async fn end(self) {
        if let Some(Ok(redis)) = self.redis.into_inner() {
            redis.end().await;
        }
    }
}
