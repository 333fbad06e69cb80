//! The lines of a page.

use crate::tui::theme::Role;
use std::fmt::Display;

/// A name and what belongs to it; without a name, a continuation or a remark.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    pub name: String,
    pub value: String,
    pub style: Role,
    /// The row of the feed that it leads to.
    pub target: Option<u64>,
}

impl Fact {
    pub fn new(name: impl Into<String>, value: impl Display) -> Self {
        Self { name: name.into(), value: value.to_string(), ..Self::default() }
    }

    /// Words above what follows.
    pub fn heading(words: &str) -> Self {
        Self { value: words.to_owned(), style: Role::Strong, ..Self::default() }
    }

    pub fn blank() -> Self {
        Self::default()
    }

    pub const fn styled(mut self, style: Role) -> Self {
        self.style = style;
        self
    }
}
