//! What a click can hit: recorded while a frame is drawn, read by the clicks that come before the next one.

use ratatui::layout::{Position, Rect};

use crate::output::device_order::DeviceSort;
use crate::protocol::{DeviceId, Millis};
use crate::tui::input::actions::Action;
use crate::tui::input::pane::Pane;
use crate::tui::state::feed::row_key::RowKey;

/// Something on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickTarget {
    Pane(Pane),
    Device(DeviceId),
    Row(RowKey),
    /// The head of a column that devices are sorted by.
    Sort(DeviceSort),
    /// A key that is offered, with what it does.
    Hint(Action),
    /// An answer of the dialog, by its place.
    Answer(usize),
    /// A line of the palette, by its place.
    Choice(usize),
    /// A window, elsewhere.
    Window,
}

/// What stands where.
#[derive(Debug, Default)]
pub struct ClickMap(Vec<(Rect, ClickTarget)>);

impl ClickMap {
    pub fn mark(&mut self, area: Rect, target: ClickTarget) {
        self.0.push((area, target));
    }

    /// What is there: the last that was drawn.
    pub fn at(&self, column: u16, row: u16) -> Option<ClickTarget> {
        let position = Position { x: column, y: row };
        self.0.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, target)| *target)
    }

    /// The pane that is there, whatever of it.
    pub fn pane_at(&self, column: u16, row: u16) -> Option<Pane> {
        let position = Position { x: column, y: row };
        self.0.iter().rev().filter(|(area, _)| area.contains(position)).find_map(|(_, target)| match target {
            ClickTarget::Pane(pane) => Some(*pane),
            _ => None,
        })
    }
}

/// The click before, which another makes a double click.
#[derive(Clone, Copy, Debug)]
pub struct LastClick {
    pub at: Millis,
    pub target: ClickTarget,
}
