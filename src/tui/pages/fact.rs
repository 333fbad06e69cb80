//! The lines of a page.

use std::fmt::Display;

use ratatui::style::Style;

use crate::tui::theme::Theme;

/// A name and what belongs to it; without a name, a continuation or a remark.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    pub name: String,
    pub value: String,
    pub style: Style,
    /// The row of the feed that it leads to.
    pub target: Option<u64>,
}

impl Fact {
    pub fn new(name: impl Into<String>, value: impl Display) -> Self {
        Self { name: name.into(), value: value.to_string(), ..Self::default() }
    }

    /// Words above what follows.
    pub fn heading(words: &str) -> Self {
        Self { value: words.to_owned(), style: Theme::STRONG, ..Self::default() }
    }

    pub fn blank() -> Self {
        Self::default()
    }

    pub const fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}
