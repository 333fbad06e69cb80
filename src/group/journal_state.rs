//! What becomes of received messages on this device's disk.

use crate::text::Clean;

/// Whether received messages are kept before they are acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JournalState {
    /// There is no journal: a message is acknowledged once the group model has it.
    #[default]
    Off,
    /// Every message is durable before it is acknowledged.
    Keeps,
    /// The journal cannot be written, for this reason. Nothing is acknowledged until it can be again.
    Failed(Clean),
}

impl JournalState {
    /// The name in NDJSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Keeps => "keeps",
            Self::Failed(_) => "failed",
        }
    }
}
