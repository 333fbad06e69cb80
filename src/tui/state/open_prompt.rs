//! A line that is being typed.

use crate::tui::input::prompt::Prompt;
use crate::tui::state::feed::scroll::Scroll;

/// A line that is being typed, and how things were before.
#[derive(Clone, Debug)]
pub struct Line {
    pub prompt: Prompt,
    pub filter: String,
    pub search: String,
    pub scroll: Scroll,
}
