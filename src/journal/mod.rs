//! What was received, durably: every reflected message, when its acknowledgement left, and a fingerprint of every nonce.
//!
//! ```text
//! ReflectedMessage ─> Journal::append        one transaction a batch; then it may be acknowledged
//! acknowledged ─────> Journal::acknowledged  a range of rows, written along with the next batch
//!                     Journal::prune         in small steps, oldest first; fingerprints stay for ever
//! History::rows, page, stats <─────────────  the same file, read only, also while another process writes
//! ```
//!
//! What a message says is not kept, nor any name or nickname; with whom it was exchanged only as a pseudonym, unless told
//! otherwise.

mod acknowledgements;
mod check;
mod checksum;
mod code;
mod detail;
mod error;
mod file;
mod handle;
mod history;
mod insert;
mod nonces;
mod prune;
mod pseudonyms;
mod query;
mod revealed;
mod row;
mod row_blob;
mod salvage;
mod schema;
mod span;
mod stats;
#[cfg(test)]
mod test_message;
#[cfg(test)]
mod tests;
mod thread;
mod waiting;
mod writer;

use std::path::Path;
use std::time::Duration;

pub use check::{Checked, check};
pub use error::JournalError;
pub use handle::JournalHandle;
pub use history::{History, Rows, Within};
pub use query::{Query, Who};
pub use revealed::Revealed;
pub use row::HistoryRow;
pub use stats::{Figures, Percentiles, StatsLine};
pub use waiting::Expected;
pub use writer::{Journal, Opened};

use crate::protocol::PseudonymKey;

/// The name of the file in the directory of what the machine learns of a profile.
pub const FILE: &str = "journal.sqlite";

/// Returns once nobody writes the journal, which takes as long as the disk takes for what is under way.
///
/// # Errors
/// If its directory cannot be used.
pub fn wait_for_writer(path: &Path) -> Result<(), JournalError> {
    file::Writing::wait(path).map(drop)
}

/// How a journal is kept.
#[derive(Debug)]
pub struct Options {
    /// With whom messages are exchanged.
    pub conversations: Conversations,
    /// How long rows are kept.
    pub retention: Retention,
    /// What a power failure may cost.
    pub synchronous: Synchronous,
}

impl Options {
    /// With pseudonyms of this key, and otherwise as it is usual.
    #[must_use]
    pub fn hashed(key: PseudonymKey) -> Self {
        Self {
            conversations: Conversations::Hashed(key),
            retention: Retention::default(),
            synchronous: Synchronous::default(),
        }
    }
}

/// What is kept of the other side of a conversation, and of who sent a group's message.
#[derive(Debug)]
pub enum Conversations {
    Hashed(PseudonymKey),
    /// The identity, or the group's id and creator.
    Plain,
    None,
}

/// How long rows are kept; [`None`] is no limit. The newest row always stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Since they were received.
    pub age: Option<Duration>,
    /// The most rows that are kept.
    pub rows: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Some(Duration::from_hours(90 * 24)), rows: Some(1_000_000) }
    }
}

/// When a transaction counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// When the disk says that it has it: nothing that was acknowledged is lost.
    #[default]
    Full,
    /// When the operating system has it: a power failure may cost the last transactions, a crash of the program none.
    Normal,
}
