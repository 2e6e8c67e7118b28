//! How Neo4j plans what a server asks. A statement that walks what grows would get slower with every message.

use i9chat_server::store::neo4j::Neo4jStore;
use serde_json::{Value, json};

use super::{
    lab::Neo4j,
    world::{bolt, cases, node},
};

cases![no_statement_walks_what_grows,];

/// Operators that look at everything of a kind.
const WALKS: [&str; 7] = [
    "AllNodesScan",
    "NodeByLabelScan",
    "UnionNodeByLabelsScan",
    "IntersectionNodeByLabelsScan",
    "RelationshipTypeScan",
    "AllRelationshipsScan",
    "IndexScan",
];

/// On an empty database, where an index has the least to offer: what is planned then stays until much has changed.
async fn no_statement_walks_what_grows(neo4j: &Neo4j) {
    node(&neo4j.url()).await;
    let mut bolt = bolt(neo4j);
    let mut wrong = Vec::new();
    let statements = Neo4jStore::statements();
    assert!(statements.len() > 30, "there are {} statements only", statements.len());
    for statement in statements {
        // These are about transactions, and have no plan.
        if statement.starts_with("SHOW") || statement.starts_with("TERMINATE") {
            continue;
        }
        let explained = bolt.run(&format!("EXPLAIN {statement}"), json!({})).unwrap();
        let plan = &explained.summary["plan"];
        assert!(plan.is_object(), "no plan of {statement}");
        walks(plan, &mut |walk| wrong.push(format!("{walk} in {statement}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Finds the operators of a plan that walk what grows.
fn walks(plan: &Value, found: &mut dyn FnMut(String)) {
    let operator = plan["operatorType"].as_str().unwrap();
    let details = plan["args"]["Details"].as_str().unwrap_or_default();
    // From an entry to its chat is one step; from a chat to its entries, or along whatever there is, is a walk.
    let steps = [":MEMBER_OF", ":OF]", ":IN]->"];
    let is_wide = operator.contains("Expand") && !steps.iter().any(|step| details.contains(step));
    if WALKS.iter().any(|walk| operator.contains(walk)) || is_wide {
        found(format!("{operator} {details}"));
    }
    for child in plan["children"].as_array().into_iter().flatten() {
        walks(child, found);
    }
}
