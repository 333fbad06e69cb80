//! The screen: draws the group, turns keys into commands, and looks after the terminal.
//!
//! ```text
//! crossterm event ─> keymap ─> Action ─> ui ─> Reaction          (dialog: the only way to what destroys)
//! Group ─> tabs ─> frame ─> header, devices, lock, role, feed, latency   (one file a pane)
//!            └ layout: where; theme: how; clock, format, cut, pen: in which words and columns
//! ```

mod alarm;
mod canvas;
mod clock;
mod copy;
mod cut;
mod detail;
mod devices;
mod dialog;
mod feed;
mod first_run;
mod format;
mod frame;
mod header;
mod help;
mod keymap;
mod latency;
mod layout;
mod lock;
mod measured;
mod moment;
mod open;
mod options;
mod page;
mod pen;
mod prompt;
mod role;
mod selection;
mod tabs;
pub mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod ui;
mod view;
mod why;

pub use alarm::{Alarm, NotQuietHours, QuietHours};
pub use canvas::Canvas;
pub use format::Zone;
pub use layout::Pane;
pub use open::{demo, open};
pub use options::{AttentionOptions, DashboardOptions, DisplayOptions};
pub use theme::{Colour, Glyphs};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::group::{Group, Standing};
use crate::protocol::{Dialect, GroupKeys, Millis};
use crate::runtime::{Page, Reaction, Screen, Worked};
use crate::session::Presence;
use crate::text::Clean;
use tabs::Tabs;
use terminal::TerminalGuard;
use ui::Ui;

/// The keys as a Markdown table, made from the table that the keys themselves are looked up in.
#[must_use]
pub fn keys_markdown() -> String {
    help::markdown()
}

/// What does not change while the dashboard runs.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "switches of the command line, which do not depend on each other")]
pub struct Settings {
    /// Which group this is, as the user calls it; may be empty.
    pub title: Clean,
    /// Which protocol is spoken.
    pub dialect: Dialect,
    /// What opens an envelope when the user wants to see all of it.
    pub keys: Option<Arc<GroupKeys>>,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Whether the leader role is kept, at the cost of the group's incoming messages.
    pub stay_leader: bool,
    /// When to be connected.
    pub presence: Presence,
    /// Whether nothing of the mediator's certificate is checked: a banner says so all the time.
    pub accepts_any_certificate: bool,
    /// Whether received messages are kept: the header says so where they could be and are not.
    pub keeping: Keeping,
    /// Which characters frames and marks are made of.
    pub glyphs: Glyphs,
    /// Which colours are used.
    pub colour: Colour,
    /// In which time zone times are shown.
    pub zone: Zone,
    /// Where the metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
}

/// Whether what a session receives outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing could keep it: the session is not of a profile.
    Never,
    /// There is a journal.
    Journal,
    /// There could be a journal, and the user wants none.
    Declined,
}

/// The dashboard: a [`Screen`] on a real terminal.
#[derive(Debug)]
pub struct Dashboard {
    tabs: Tabs,
    terminal: TerminalGuard,
    alarm: Alarm,
}

impl Dashboard {
    /// Takes the terminal, for one or more groups; it is given back when this is dropped, or when anything panics. The
    /// alarm tells what is not to be overlooked.
    ///
    /// # Errors
    /// If the terminal cannot be set up.
    pub fn start(tabs: Vec<Settings>, alarm: Alarm) -> io::Result<Self> {
        Ok(Self { tabs: Tabs::new(tabs), terminal: TerminalGuard::take()?, alarm })
    }
}

impl Screen for Dashboard {
    type Input = crossterm::event::Event;

    fn draw(&mut self, group: &Group, standings: &[Standing], now: Millis) -> io::Result<()> {
        let Self { tabs, terminal, alarm } = self;
        terminal.draw(|buffer| tabs.draw(buffer, group, standings, now))?;
        alarm.sound(terminal, now);
        Ok(())
    }

    fn present(&mut self) -> io::Result<()> {
        self.terminal.present()
    }

    fn handle(&mut self, input: Self::Input, group: &Group, now: Millis) -> Reaction {
        let Some(ui) = self.tabs.visible_mut() else { return Reaction::Nothing };
        let reaction = ui.handle(&input, group, now);
        if reaction == Reaction::Repaint {
            self.terminal.forget_what_is_shown();
        }
        if let Some(text) = ui.take_copied() {
            self.terminal.copy(&text);
        }
        reaction
    }

    fn notify(&mut self, notice: Clean) {
        if let Some(ui) = self.tabs.visible_mut() {
            ui.notify(notice);
        }
    }

    fn work(&mut self, group: &Group) -> Worked {
        let Some(ui) = self.tabs.visible_mut() else { return Worked::default() };
        work(ui, group)
    }

    fn take_older(&mut self, tab: usize, page: Page, group: &Group) -> Reaction {
        self.tabs.get_mut(tab).map_or(Reaction::Nothing, |ui| ui.take_older(page, group))
    }

    fn show_tab(&mut self, tab: usize) {
        self.tabs.show(tab);
    }

    fn changes_at(&self, _group: &Group, _now: Millis) -> Option<Millis> {
        self.tabs.visible().and_then(Ui::wrong_at)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.terminal.give_back()
    }

    fn resume(&mut self) -> io::Result<()> {
        self.terminal.take_again()
    }
}

/// How long the work between frames may take at once.
const SLICE: Duration = Duration::from_millis(4);

/// How many rows are looked through between two looks at the clock.
const ROWS: usize = 1_000;

fn work(ui: &mut Ui, group: &Group) -> Worked {
    let until = Instant::now() + SLICE;
    let mut changed = false;
    loop {
        let worked = ui.work(group, ROWS);
        changed |= worked.changed;
        if !worked.more || Instant::now() >= until {
            return Worked { changed, ..worked };
        }
    }
}
