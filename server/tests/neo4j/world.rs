//! The one Neo4j that the cases share, one after the other.

use std::{future::ready, pin::Pin, sync::Arc};

use i9chat_server::store::neo4j::Neo4jStore;
use i9chat_spec::{ChatId, User};
use libtest_mimic::Completion;
use neo4rs::query;
use tokio::sync::{Mutex, OnceCell};

use super::{
    bolt::Bolt,
    lab::{Neo4j, Shared, Unavailable, Verdict},
    shelf::{Shelf, Store},
};

/// What a case does. It panics when something is otherwise than it must be.
pub type Run = for<'a> fn(&'a Neo4j) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A case.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub run: Run,
}

/// The list of a file's cases.
macro_rules! cases {
    ($($name:ident,)*) => {
        pub fn cases() -> Vec<crate::world::Case> {
            vec![$(crate::world::Case {
                name: concat!(module_path!(), "::", stringify!($name)),
                run: |neo4j| Box::pin($name(neo4j)),
            },)*]
        }
    };
}
pub(crate) use cases;

#[derive(Default)]
pub struct World {
    neo4j: OnceCell<Result<Neo4j, Unavailable>>,
    turn: Mutex<()>,
}

impl World {
    pub async fn run(&self, case: Case) -> Verdict {
        let _turn = self.turn.lock().await;
        let neo4j = self.neo4j.get_or_init(async || Box::pin(Neo4j::fresh()).await).await.as_ref();
        match neo4j {
            Ok(neo4j) => {
                let graph = neo4j.graph().unwrap();
                Box::pin(graph.run(query("MATCH (anything) DETACH DELETE anything"))).await.unwrap();
                (case.run)(neo4j).await;
                Ok(Completion::Completed)
            }
            Err(unavailable) => unavailable.verdict(),
        }
    }
}

impl Shared for World {
    async fn end(self) {
        if let Some(Ok(neo4j)) = self.neo4j.into_inner() {
            neo4j.end().await;
        }
    }
}

/// A node's store.
pub async fn node(url: &str) -> Arc<Neo4jStore> {
    Arc::new(Box::pin(Neo4jStore::connect(url)).await.unwrap())
}

/// A node's store, and what is done on it.
pub async fn shelf(url: &str) -> Shelf {
    on(&node(url).await)
}

/// What is done on a node's store.
pub fn on(store: &Arc<Neo4jStore>) -> Shelf {
    let again: Arc<dyn Store> = Arc::clone(store) as _;
    let open_again = Box::new(move || -> Pin<Box<dyn Future<Output = _>>> { Box::pin(ready(Arc::clone(&again))) });
    Shelf::new(Arc::clone(store) as _, Arc::clone(store) as _, open_again, ())
}

/// Two users and their chat.
pub async fn two_in_a_chat(shelf: &Shelf) -> (User, ChatId) {
    let [alice, bob] = shelf.users(["alice", "bob"]).await;
    let chat_id = shelf.open(&alice, &bob).await;
    (alice, chat_id)
}

/// The `seq` of all entries and the positions of all changes, as they stand in the database.
pub async fn numbers(neo4j: &Neo4j) -> (Vec<i64>, Vec<i64>) {
    let read = async |text: &str| {
        let graph = neo4j.graph().unwrap();
        // The driver's futures are large.
        let mut rows = Box::pin(graph.execute(query(text))).await.unwrap();
        let mut numbers = Vec::new();
        while let Some(row) = Box::pin(rows.next()).await.unwrap() {
            numbers.push(row.get::<i64>("number").unwrap());
        }
        numbers
    };
    let seqs = read("MATCH (entry:Entry) RETURN entry.seq AS number ORDER BY number").await;
    let positions = read("MATCH (change:Change) RETURN change.position AS number ORDER BY number").await;
    (seqs, positions)
}

/// A connection of the test's own, past any store.
pub fn bolt(neo4j: &Neo4j) -> Bolt {
    Bolt::connect(&neo4j.url()).unwrap()
}
