//! A row of the feed by a number that stays its own.

/// Which row, whatever comes and goes around it. What is in the journal only is older than what is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// By its number in the journal.
    Journal(u64),
    /// By its number in the feed.
    Memory(u64),
}
