//! How Neo4j plans what a server asks. A statement that walks what grows, or sorts it to find a page of it, would get slower with
//! every message.

use std::fmt;

use i9chat_server::store::neo4j::Neo4jStore;
use serde_json::{Value, json};

use super::{
    lab::Neo4j,
    world::{bolt, cases, node},
};

cases![no_statement_walks_or_sorts_what_grows,];

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

/// What stands in a read by index that finds more than the one with a certain key.
const RANGES: [&str; 5] = [" > ", " >= ", " < ", " <= ", " IS NOT NULL"];

/// On an empty database, where an index has the least to offer: what is planned then stays until much has changed.
async fn no_statement_walks_or_sorts_what_grows(neo4j: &Neo4j) {
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
        for step in steps(plan) {
            if step.is_walk() {
                wrong.push(format!("{step:?} in {statement}"));
            }
            if let Some(range) = step.sorts() {
                wrong.push(format!("{step:?} sorts {range:?} in {statement}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A step of a plan: an operator, and those whose rows it takes.
#[derive(Clone, Copy)]
struct Step<'a> {
    plan: &'a Value,
    operator: &'a str,
    details: &'a str,
}

/// The first steps of a plan are the last to be taken.
fn steps(plan: &Value) -> Vec<Step<'_>> {
    let step = Step::of(plan);
    let before = step.before().flat_map(|step| steps(step.plan));
    [step].into_iter().chain(before).collect()
}

impl<'a> Step<'a> {
    fn of(plan: &'a Value) -> Self {
        let details = plan["args"]["Details"].as_str().unwrap_or_default();
        Self { plan, operator: plan["operatorType"].as_str().unwrap(), details }
    }

    fn before(self) -> impl Iterator<Item = Self> {
        self.plan["children"].as_array().into_iter().flatten().map(Self::of)
    }

    /// Whether it walks what grows.
    fn is_walk(self) -> bool {
        // From an entry to its chat is one step, and a user is in so many chats; from a chat to its entries or to all who ever were
        // in it, or along whatever there is, is a walk.
        let steps = [":MEMBER_OF]->", ":OF]", ":IN]->"];
        let is_wide = self.operator.contains("Expand") && !steps.iter().any(|step| self.details.contains(step));
        is_wide || self.is_one_of(&WALKS)
    }

    /// The entries or changes that it sorts, if it does, all that there are: a page of them is read in the order of an index.
    fn sorts(self) -> Option<Self> {
        if self.is_one_of(&["Sort", "Top"]) { self.before().find_map(Self::range) } else { None }
    }

    /// What it takes its rows from, if that is a range of entries or changes, and nothing on the way ends after so many or makes one
    /// row of them.
    fn range(self) -> Option<Self> {
        let is_read =
            self.is_one_of(&["IndexSeek"]) && [":Entry(", ":Change("].iter().any(|of| self.details.contains(of));
        if is_read && RANGES.iter().any(|range| self.details.contains(range)) {
            return Some(self);
        }
        if self.is_one_of(&["Limit", "Top", "Aggregation"]) { None } else { self.before().find_map(Self::range) }
    }

    fn is_one_of(self, operators: &[&str]) -> bool {
        operators.iter().any(|operator| self.operator.contains(operator))
    }
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.operator, self.details)
    }
}
