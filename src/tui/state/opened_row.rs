//! A row that is looked at.

use crate::group::{FeedRow, Group};
use crate::protocol::d2d::{Envelope, TreeBranch};
use crate::protocol::{GroupKeys, Sealed};
use crate::tui::state::feed::FeedState;
use crate::tui::state::feed::row_key::RowKey;

/// A row that is looked at, as it was last in the feed: whoever reads it is left in peace when it falls out of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRow {
    pub spot: RowKey,
    pub row: FeedRow,
    pub envelope: Option<Sealed<Envelope>>,
    /// Whether it has something that people wrote or are, and that can be shown.
    pub has_private: bool,
    /// Whether the feed still has it.
    pub is_there: bool,
}

impl OpenedRow {
    /// The row at that place, if there is one.
    pub fn at(spot: RowKey, feed_state: &FeedState, group: &Group, keys: Option<&GroupKeys>) -> Option<Self> {
        let row = feed_state.row(group, spot)?;
        let envelope = match spot {
            RowKey::Memory(number) => group.feed().envelope(number).cloned(),
            RowKey::Journal(_) => None,
        };
        let opened = envelope.as_ref().zip(keys).and_then(|(sealed, keys)| sealed.open(keys).ok());
        let has_private = opened.is_some_and(|envelope| envelope.tree().iter().any(TreeBranch::has_private));
        Some(Self { spot, row, envelope, has_private, is_there: true })
    }

    /// Takes in what has become of the row.
    pub fn renew(&mut self, feed_state: &FeedState, group: &Group) {
        let row = feed_state.row(group, self.spot);
        self.is_there = row.is_some();
        if let Some(row) = row {
            self.row = row;
        }
    }
}
