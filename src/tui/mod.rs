//! The dashboard: draws the group, turns keys into commands, and looks after the terminal.
//!
//! ```text
//! key   ─> input (which action) ─> update (what it does) ─> state ─> Reaction      dialog: the only way to what destroys
//! Group ─> screen::frame ─> view (a file a pane), pages (over the panes) ─> draw ─> theme
//! ```
//!
//! | folder | what is in it |
//! |---|---|
//! | `screen` | the terminal, tabs, the frame, and how the dashboard is opened |
//! | `update` | what each action does to the state |
//! | `pages` | what lies over the panes: help, a device, a message, latency; the first run |
//! | `view` | the panes, the header, the last line, dialogs and prompts as they are drawn |
//! | `state` | what the user is looking at: selection, feed, open page, dialog or prompt, notice |
//! | `input` | actions by name, the table of keys, editing of typed lines |
//! | `draw`, `theme` | text in columns; looks by role, glyphs |
//!
//! Arrows point down this list only: a folder knows those below it, and `state` never those that draw it. `context` is
//! what every drawing function gets, `preferences` what `config` read, `close_help` what to do after a connection was closed.
//!
//! To add an action: `input/actions.rs`, its name, keys and words in `input/keymap/table.rs`, what it does in `update`. To add a pane: a
//! file in `view` and a line in `PaneView::of`. To add a page: a file in `pages` and a `PageSubject`. To change a look:
//! `Palette::colour` and `Theme::style`.

mod close_help;
mod config;
mod context;
mod draw;
mod input;
mod lock_words;
mod options;
mod pages;
mod panes;
mod preferences;
mod remembered;
mod screen;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod view;

pub use config::{Config, ConfigError, UserConfig, config_sample, config_schema};
pub use input::keymap::{Keymap, KeymapError};
pub use input::pane::Pane;
pub use options::{DashboardOptions, DisplayOptions};
pub use panes::PaneSizes;
pub use preferences::{Columns, FeedColumn, Preferences, SavedFilters, Threshold, Thresholds};
pub use remembered::Remembered;
pub use screen::alarm::Alarm;
pub use screen::canvas::Canvas;
pub use screen::dashboard::Dashboard;
pub use screen::open::{demo, open};
pub use screen::replay::replay;
pub use settings::{Keeping, Neighbours, Settings};
pub use theme::{Colour, Glyphs, Palette, TERMINAL};

/// The keys as a Markdown table, made from the table that the keys themselves are looked up in.
#[must_use]
pub fn keys_markdown() -> String {
    pages::help::markdown()
}
