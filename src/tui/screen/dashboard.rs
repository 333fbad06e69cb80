//! The dashboard on a real terminal, as the event loop drives it.

use std::io;
use std::time::Duration;

use crossterm::event::Event as TerminalEvent;
use tokio::time::Instant;

use crate::group::{Group, Standing};
use crate::protocol::Millis;
use crate::runtime::{Page, Reaction, Screen, Worked};
use crate::text::Clean;
use crate::tui::screen::alarm::Alarm;
use crate::tui::screen::input::{Input, Question};
use crate::tui::screen::tabs::Tabs;
use crate::tui::screen::terminal::TerminalGuard;
use crate::tui::screen::work::work;
use crate::tui::settings::Settings;
use crate::tui::state::Ui;
use crate::tui::theme::Palette;

/// The dashboard: a [`Screen`] on a real terminal.
#[derive(Debug)]
pub struct Dashboard {
    tabs: Tabs,
    terminal: TerminalGuard,
    alarm: Alarm,
    background: Option<BackgroundWatch>,
}

impl Dashboard {
    /// Takes the terminal, for one or more groups; it is given back when this is dropped, or when anything panics. The
    /// alarm tells what is not to be overlooked.
    ///
    /// # Errors
    /// If the terminal cannot be set up.
    pub fn start(tabs: Vec<Settings>, alarm: Alarm) -> io::Result<Self> {
        Ok(Self { tabs: Tabs::new(tabs), terminal: TerminalGuard::take()?, alarm, background: None })
    }

    /// Lets the theme follow the terminal's background: it is asked for with the first frame, and again when the focus
    /// comes back. Whoever reads the answers looks at the question.
    #[must_use]
    pub fn following_background(mut self, question: Question) -> Self {
        self.terminal.watch_focus();
        self.background = Some(BackgroundWatch { question, wanted: true });
        self
    }

    /// Asks for the background, unless it was asked for just before.
    fn ask_for_background(&mut self) {
        let Some(watch) = &mut self.background else { return };
        let now = Instant::now();
        if std::mem::take(&mut watch.wanted) && !watch.question.is_within(NOT_AGAIN_WITHIN, now) {
            watch.question.asked(now);
            self.terminal.ask_for_background();
        }
    }

    fn take_background(&mut self, background: [u8; 3]) -> Reaction {
        self.tabs.set_palette(Palette::for_background(background));
        Reaction::Redraw
    }

    fn take_event(&mut self, event: &TerminalEvent, group: &Group, now: Millis) -> Reaction {
        if let (TerminalEvent::FocusGained, Some(watch)) = (event, &mut self.background) {
            watch.wanted = true;
            self.ask_for_background();
            // The question is written with a frame.
            return Reaction::Redraw;
        }
        let Some(ui) = self.tabs.visible_mut() else { return Reaction::Nothing };
        let reaction = ui.handle(event, group, now);
        if reaction == Reaction::Repaint {
            self.terminal.forget_what_is_shown();
        }
        if let Some(text) = ui.take_copied() {
            self.terminal.copy(&text);
        }
        reaction
    }
}

/// How often the background is asked for at most.
const NOT_AGAIN_WITHIN: Duration = Duration::from_secs(10);

/// The theme follows the background.
#[derive(Debug)]
struct BackgroundWatch {
    question: Question,
    /// Whether it is to be asked for.
    wanted: bool,
}

impl Screen for Dashboard {
    type Input = Input;

    fn draw(&mut self, group: &Group, standings: &[Standing], now: Millis) -> io::Result<()> {
        let Self { tabs, terminal, alarm, .. } = self;
        terminal.draw(|buffer| tabs.draw(buffer, group, standings, now))?;
        alarm.sound(terminal, now);
        // Behind the frame, so that it waits for nothing.
        self.ask_for_background();
        Ok(())
    }

    fn present(&mut self) -> io::Result<()> {
        self.terminal.present()
    }

    fn handle(&mut self, input: Self::Input, group: &Group, now: Millis) -> Reaction {
        match input {
            Input::Background(background) => self.take_background(background),
            Input::Terminal(event) => self.take_event(&event, group, now),
        }
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
