//! The screen: draws the group, turns keys into commands, and looks after the terminal.

mod close_help;
mod context;
mod draw;
mod format;
mod input;
mod pages;
mod screen;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod view;

pub use format::Zone;
pub use input::pane::Pane;
pub use screen::alarm::{Alarm, QuietHours};
pub use screen::canvas::Canvas;
pub use screen::dashboard::Dashboard;
pub use screen::open::{DashboardOptions, demo, open, show};
pub use settings::{Keeping, Settings};
pub use theme::{Colour, Glyphs};

/// The keys as a Markdown table, made from the table that the keys themselves are looked up in.
#[must_use]
pub fn keys_markdown() -> String {
    pages::help::markdown()
}
