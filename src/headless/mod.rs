//! Commands without a terminal: one file each.

pub mod demo;
pub mod mediator;
pub mod ndjson;
pub mod profile;
pub mod watch;
