//! A page that is open over the panes, and how far it is scrolled.

use crate::protocol::DeviceId;
use crate::tui::input::actions::Motion;
use crate::tui::state::opened_row::OpenedRow;

/// A page that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub subject: PageSubject,
    pub top: usize,
    /// How many lines there were, and how many were in sight.
    pub extent: (usize, usize),
    /// Whether what people wrote is shown; only ever by a key, and only until the page is closed.
    pub revealed: bool,
    /// The lines that lead to a row of the feed, and which of them Enter follows.
    pub targets: Vec<(usize, u64)>,
    pub chosen: usize,
}

/// What a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageSubject {
    Help,
    Device(DeviceId),
    Row(Box<OpenedRow>),
    Latency,
}

impl Page {
    pub const fn new(subject: PageSubject) -> Self {
        Self { subject, top: 0, extent: (0, 0), revealed: false, targets: Vec::new(), chosen: 0 }
    }

    /// Whether there is something that [`Self::reveal`] shows.
    pub const fn has_text(&self) -> bool {
        matches!(&self.subject, PageSubject::Row(opened) if opened.has_text())
    }

    /// Shows what was written in a row, or hides it again.
    pub const fn reveal(&mut self) {
        self.revealed = !self.revealed;
        if self.revealed {
            // It stands at the top.
            self.top = 0;
        }
    }

    /// The row of the feed that Enter leads to.
    pub fn target(&self) -> Option<u64> {
        self.targets.get(self.chosen).map(|(_, number)| *number)
    }

    pub fn scroll(&mut self, motion: Motion) {
        let (lines, shown) = self.extent;
        let page = shown.max(1);
        if let (Motion::Up | Motion::Down, false) = (motion, self.targets.is_empty()) {
            self.choose(motion == Motion::Down);
            return;
        }
        let top = match motion {
            Motion::Up => self.top.saturating_sub(1),
            Motion::Down => self.top + 1,
            Motion::HalfPageUp | Motion::PageUp => self.top.saturating_sub(page),
            Motion::HalfPageDown | Motion::PageDown => self.top + page,
            Motion::First => 0,
            Motion::Last => lines,
        };
        self.top = top.min(lines.saturating_sub(shown));
    }

    /// The next line that leads somewhere, or the one before, and puts it in sight.
    fn choose(&mut self, next: bool) {
        let last = self.targets.len().saturating_sub(1);
        self.chosen = if next { (self.chosen + 1).min(last) } else { self.chosen.saturating_sub(1) };
        if let Some((line, _)) = self.targets.get(self.chosen) {
            // From the first one on, everything before is reached, too.
            let first = if self.chosen == 0 { 0 } else { *line };
            self.top = self.top.min(first).max((line + 1).saturating_sub(self.extent.1));
        }
    }
}
