//! By how much panes are larger than usual.

use serde::{Deserialize, Serialize};

/// By how much the first panes are larger than usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaneSizes {
    /// In columns, where they stand on the left.
    pub left: i16,
    /// In lines, where they stand on top.
    pub top: i16,
}

impl PaneSizes {
    /// No terminal has more.
    const MOST: i16 = 200;

    /// Makes them larger by a step, or smaller.
    pub(in crate::tui) fn change(&mut self, is_wide: bool, step: i16) {
        /// Columns are narrow.
        const COLUMNS: i16 = 4;
        let (size, step) = if is_wide { (&mut self.left, step * COLUMNS) } else { (&mut self.top, step) };
        *size = size.saturating_add(step).clamp(-Self::MOST, Self::MOST);
    }

    /// A size with so many more, but at least and at most so many.
    pub(in crate::tui) fn apply(more: i16, size: u16, least: u16, most: u16) -> u16 {
        size.saturating_add_signed(more).clamp(least.min(most), most)
    }
}
