//! The black-box conformance suite for servers that speak i9chat, and its load generator.
//!
//! A [`case::Case`] is a story that cites the sentences of docs/protocol.md that it proves. [`cases::all`] lists them, and
//! [`case::run_case`] runs one against a [`target::Target`] in a [`world::World`] of its own. The suite talks to the server by a
//! client of its own ([`client`]), byte by byte, and holds everything that comes against the documents ([`contract`]).

pub mod case;
pub mod cases;
pub mod cli;
pub mod client;
pub mod contract;
pub mod expect;
pub mod journal;
pub mod load;
pub mod mail;
pub mod protocol;
pub mod report;
pub mod run;
pub mod start;
pub mod target;
pub mod verdict;
pub mod world;
