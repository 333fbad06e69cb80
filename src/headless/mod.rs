//! Commands without a terminal: one file each.

pub mod ndjson;
pub mod watch;
