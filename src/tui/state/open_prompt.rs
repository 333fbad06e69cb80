//! A line that is being typed.

use crate::tui::input::prompt::Prompt;
use crate::tui::state::feed::scroll::FeedScroll;

/// A line that is being typed, and how things were before.
#[derive(Clone, Debug)]
pub struct OpenPrompt {
    pub prompt: Prompt,
    pub filter: String,
    pub search: String,
    pub scroll: FeedScroll,
}
