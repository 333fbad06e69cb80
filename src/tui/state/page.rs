//! A page that is open over the panes, and how far it is scrolled.

use crate::protocol::DeviceId;
use crate::tui::input::actions::{Motion, PromptKind};
use crate::tui::input::pane::Pane;
use crate::tui::input::prompt::Prompt;
use crate::tui::state::opened_row::OpenedRow;

/// A page that is open.
#[derive(Clone, Debug)]
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
    /// What its lines are searched for, and whether that is still typed.
    pub search: Option<(Prompt, bool)>,
    /// Whether it stands beside the feed, and not over it.
    pub is_beside: bool,
}

/// What a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageSubject {
    /// The keys, those of this pane first.
    Help(Pane),
    Device(DeviceId),
    Row(Box<OpenedRow>),
    Latency,
    /// What was told in the last line.
    Messages,
}

impl Page {
    pub const fn new(subject: PageSubject) -> Self {
        Self {
            subject,
            top: 0,
            extent: (0, 0),
            revealed: false,
            targets: Vec::new(),
            chosen: 0,
            search: None,
            is_beside: false,
        }
    }

    /// Whether there is something that [`Self::reveal`] shows.
    pub const fn has_private(&self) -> bool {
        matches!(&self.subject, PageSubject::Row(opened) if opened.has_private)
    }

    /// Shows what was written in a row, or hides it again.
    pub const fn reveal(&mut self) {
        self.revealed = !self.revealed;
        if self.revealed {
            // It stands at the top.
            self.top = 0;
        }
    }

    /// Opens the line in which words for the search are typed, with those that there were.
    pub fn search(&mut self) {
        let words = self.words().to_owned();
        self.search = Some((Prompt::new(PromptKind::Lines, &words), true));
    }

    /// What is searched for; all lines are shown where it is empty.
    pub fn words(&self) -> &str {
        self.search.as_ref().map_or("", |(prompt, _)| prompt.text().trim())
    }

    /// The line that is being typed.
    pub const fn typed(&self) -> Option<&Prompt> {
        match &self.search {
            Some((prompt, true)) => Some(prompt),
            _ => None,
        }
    }

    /// Stops typing; false if nothing was typed.
    pub const fn stop_typing(&mut self) -> bool {
        match &mut self.search {
            Some((_, typing)) => std::mem::replace(typing, false),
            None => false,
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

    /// Scrolls by a line, whatever it leads to.
    pub fn scroll_lines(&mut self, motion: Motion) {
        let (lines, shown) = self.extent;
        let top = if motion == Motion::Up { self.top.saturating_sub(1) } else { self.top + 1 };
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
