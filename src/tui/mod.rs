//! The screen: draws the group, turns keys into commands, and looks after the terminal.
//!
//! ```text
//! crossterm event ─> keymap ─> Action ─> ui ─> Reaction          (dialog: the only way to what destroys)
//! Group ─> frame ─> header, devices, lock, role, feed, latency   (one file a pane)
//!            └ layout: where; theme: how; clock, format, cut, pen: in which words and columns
//! ```

mod clock;
mod cut;
mod devices;
mod dialog;
mod feed;
mod first_run;
mod format;
mod frame;
mod header;
mod keymap;
mod latency;
mod layout;
mod lock;
mod open;
mod page;
mod pen;
mod role;
pub mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod ui;
mod view;

pub use format::Zone;
pub use layout::Pane;
pub use open::{demo, open};
pub use theme::{Colour, Glyphs};

use std::io;

use crate::group::Group;
use crate::protocol::{Dialect, Millis};
use crate::runtime::{Reaction, Screen};
use crate::text::Clean;
use terminal::TerminalGuard;
use ui::Ui;

/// The keys as a Markdown table, made from the table that the keys themselves are looked up in.
#[must_use]
pub fn keys_markdown() -> String {
    keymap::markdown()
}

/// What does not change while the dashboard runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which group this is, as the user calls it; may be empty.
    pub title: Clean,
    /// Which protocol is spoken.
    pub dialect: Dialect,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Whether the leader role is kept, at the cost of the group's incoming messages.
    pub stay_leader: bool,
    /// Which characters frames and marks are made of.
    pub glyphs: Glyphs,
    /// Which colours are used.
    pub colour: Colour,
    /// In which time zone times are shown.
    pub zone: Zone,
}

/// The dashboard: a [`Screen`] on a real terminal.
#[derive(Debug)]
pub struct Dashboard {
    ui: Ui,
    terminal: TerminalGuard,
}

impl Dashboard {
    /// Takes the terminal; it is given back when this is dropped, or when anything panics.
    ///
    /// # Errors
    /// If the terminal cannot be set up.
    pub fn start(settings: Settings) -> io::Result<Self> {
        Ok(Self { ui: Ui::new(settings), terminal: TerminalGuard::take()? })
    }
}

impl Screen for Dashboard {
    type Input = crossterm::event::Event;

    fn draw(&mut self, group: &Group, now: Millis) -> io::Result<()> {
        let Self { ui, terminal } = self;
        terminal.draw(|buffer| ui.draw(buffer, group, now))
    }

    fn present(&mut self) -> io::Result<()> {
        self.terminal.present()
    }

    fn handle(&mut self, input: Self::Input, group: &Group, now: Millis) -> Reaction {
        let reaction = self.ui.handle(&input, group, now);
        if reaction == Reaction::Repaint {
            self.terminal.forget_what_is_shown();
        }
        reaction
    }

    fn notify(&mut self, notice: Clean) {
        self.ui.notify(notice);
    }

    fn changes_at(&self, _group: &Group, _now: Millis) -> Option<Millis> {
        self.ui.wrong_at()
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.terminal.give_back()
    }

    fn resume(&mut self) -> io::Result<()> {
        self.terminal.take_again()
    }
}
