//! Where a case finds its store.

use std::sync::Arc;

use i9chat_server::store::{neo4j::Neo4jStore, sqlite::SqliteStore};
use neo4rs::query;
use tokio::sync::{Mutex, OnceCell};

use super::{
    lab::{Neo4j, Shared, Unavailable},
    shelf::{Shelf, Store},
};

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Sqlite,
    Neo4j,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Neo4j];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Neo4j => "neo4j",
        }
    }
}

/// What the cases of one run share: one Neo4j, whose cases follow on each other.
#[derive(Default)]
pub struct Places {
    neo4j: OnceCell<Result<Neo4j, Unavailable>>,
    turn: Arc<Mutex<()>>,
}

impl Places {
    /// An empty store for one case.
    pub async fn shelf(&self, place: Place) -> Result<Shelf, Unavailable> {
        match place {
            Place::Sqlite => Ok(on_sqlite()),
            Place::Neo4j => self.on_neo4j().await,
        }
    }

    async fn on_neo4j(&self) -> Result<Shelf, Unavailable> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let neo4j = self.neo4j.get_or_init(async || Box::pin(Neo4j::fresh()).await).await.as_ref();
        let neo4j = neo4j.map_err(Clone::clone)?;
        neo4j.graph().unwrap().run(query("MATCH (anything) DETACH DELETE anything")).await.unwrap();
        // Two nodes of one cluster.
        let url = neo4j.url();
        let (store, other) = (connect(&url).await, connect(&url).await);
        let open_again = Box::new(move || {
            let url = url.clone();
            Box::pin(async move { connect(&url).await as Arc<dyn Store> }) as _
        });
        Ok(Shelf::new(store, other, open_again, turn))
    }
}

impl Shared for Places {
    async fn end(self) {
        if let Some(Ok(neo4j)) = self.neo4j.into_inner() {
            neo4j.end().await;
        }
    }
}

async fn connect(url: &str) -> Arc<Neo4jStore> {
    Arc::new(Neo4jStore::connect(url).await.unwrap())
}

fn on_sqlite() -> Shelf {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i9chat.db");
    let open = move || Arc::new(SqliteStore::open(&path, 2).unwrap()) as Arc<dyn Store>;
    let store = open();
    let open_again = Box::new(move || Box::pin(std::future::ready(open())) as _);
    Shelf::new(Arc::clone(&store), store, open_again, folder)
}
