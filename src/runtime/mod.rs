//! The loops that join the rooms.

pub mod alerts;
pub mod clock;
pub mod dashboard;
pub mod demo;
pub mod driver;
mod fault;
mod held_lock;
mod journaling;
pub mod logging;
mod memory;
pub mod metrics;
pub mod monitor;
pub mod ndjson;
mod newest;
mod older;
pub mod outcome;
pub mod prepared;
pub mod remembering;
pub mod screen;
pub mod service;
pub mod signals;
pub mod visit;

use std::io;

pub use dashboard::RunningSessions;
pub use driver::{Observer, drive, drive_keeping};
pub use journaling::Journaling;
pub use memory::Memory;
pub use monitor::{MetricsOptions, Monitor, MonitorOptions, Monitors};
pub use outcome::{Failure, Outcome};
pub use prepared::{ANOTHER_GROUP, ANY_CERTIFICATE, Held, Memories, Prepared};
pub use remembering::Remembering;
pub use screen::{Page, Reaction, Screen, Worked};
pub use service::Service;
pub use visit::{Visit, VisitEnd, visit};

/// A single-threaded event loop.
///
/// # Errors
/// If the system gives none.
pub fn event_loop() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
