//! The log of a file that an earlier version made, and of one that has grown old.

mod migration;
mod retention;
