//! Commands without a terminal: one file each.

pub mod demo;
pub mod leave;
pub mod mediator;
pub mod ndjson;
pub mod watch;
