//! By how much panes are larger than usual.

use serde::{Deserialize, Serialize};

use crate::tui::input::pane::Pane;

/// By how much the first panes are larger than usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaneSizes {
    /// In columns, where they stand on the left.
    pub left: i16,
    /// In lines, where they stand on top.
    pub top: i16,
    /// The lock and the role, in columns, where they stand beside the devices.
    pub side: i16,
    /// Both in lines, where they stand below the devices.
    pub lock: i16,
    /// The role in lines, where it stands below the lock.
    pub role: i16,
}

impl PaneSizes {
    /// No terminal has more.
    const MOST: i16 = 200;

    /// Gives a pane more room by a step, or less.
    pub(in crate::tui) fn change(&mut self, pane: Pane, is_wide: bool, step: i16) {
        /// Columns are narrow.
        const COLUMNS: i16 = 4;
        let (size, step) = match (pane, is_wide) {
            (Pane::Devices, true) => (&mut self.left, step * COLUMNS),
            (Pane::Devices, false) => (&mut self.top, step),
            (Pane::Lock, true) => (&mut self.lock, step),
            (Pane::Role, true) => (&mut self.role, step),
            (Pane::Lock | Pane::Role, false) => (&mut self.side, step * COLUMNS),
            (Pane::Feed | Pane::Latency, true) => (&mut self.left, -step * COLUMNS),
            (Pane::Feed | Pane::Latency, false) => (&mut self.top, -step),
        };
        *size = size.saturating_add(step).clamp(-Self::MOST, Self::MOST);
    }

    /// A size with so many more, but at least and at most so many; keeps how many more that are.
    pub(in crate::tui) fn apply(more: &mut i16, size: u16, least: u16, most: u16) -> u16 {
        let applied = size.saturating_add_signed(*more).clamp(least.min(most), most);
        *more = i16::try_from(i32::from(applied) - i32::from(size)).unwrap_or(*more);
        applied
    }
}
