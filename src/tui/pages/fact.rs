//! The lines of a page.

use crate::tui::theme::Role;
use std::fmt::Display;

/// A name and what belongs to it; without a name, a continuation or a remark.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    pub name: String,
    pub value: String,
    pub style: Role,
    pub name_style: Role,
    /// The row of the feed that it leads to.
    pub target: Option<u64>,
}

impl Fact {
    pub fn new(name: impl Into<String>, value: impl Display) -> Self {
        let (style, name_style) = (Role::Value, Role::Label);
        Self { name: name.into(), value: value.to_string(), style, name_style, ..Self::default() }
    }

    /// Words above what follows.
    pub fn heading(words: &str) -> Self {
        Self { value: words.to_owned(), style: Role::Heading, ..Self::default() }
    }

    /// The head of a table: its name stands out, and its columns do not.
    pub const fn above(mut self) -> Self {
        self.name_style = Role::Heading;
        self.styled(Role::Muted)
    }

    pub fn is_heading(&self) -> bool {
        self.name.is_empty() && self.style == Role::Heading
    }

    pub fn blank() -> Self {
        Self::default()
    }

    pub const fn styled(mut self, style: Role) -> Self {
        self.style = style;
        self
    }
}
