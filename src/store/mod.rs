//! What a mediator has promised to keep, durably: slots, queues and shared device data, in SQLite.
//!
//! ```text
//! mediator::Batch ─> StoreRequest ─> Store::run, on a thread of its own   all that waits in one transaction
//!                                 <─ StoreReply::Committed                then clients may hear of it
//! ```
//!
//! A start reads groups and slots; messages are read when a device comes for them.

mod batch;
mod error;
mod file;
mod running;
mod schema;
#[cfg(test)]
mod tests;
mod transfer;
mod worker;

pub use error::StoreError;
pub use file::Store;
pub use running::{RunningStore, StoreWays};
pub use transfer::{ExportedGroups, TransferError};
