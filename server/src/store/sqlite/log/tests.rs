//! The log of a file that an earlier version made.

mod migration;
