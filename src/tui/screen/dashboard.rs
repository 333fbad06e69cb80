//! The dashboard on a real terminal, as the event loop drives it.

use std::io;

use crate::group::{Group, Standing};
use crate::protocol::Millis;
use crate::runtime::{Page, Reaction, Screen, Worked};
use crate::text::Clean;
use crate::tui::screen::alarm::Alarm;
use crate::tui::screen::tabs::Tabs;
use crate::tui::screen::terminal::TerminalGuard;
use crate::tui::screen::work::work;
use crate::tui::settings::Settings;
use crate::tui::state::Ui;

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
