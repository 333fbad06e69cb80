//! The dashboard on a real terminal, as the event loop drives it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use tokio::time::Instant;

use crate::group::{Group, NoticeKind};
use crate::output::Failure;
use crate::output::standing::Standing;
use crate::protocol::Millis;
use crate::runtime::{OlderRows, Reaction, Screen, SessionParts, Worked};
use crate::text::Clean;
use crate::tui::remembered::Remembered;
use crate::tui::screen::alarm::Alarm;
use crate::tui::screen::input::{BackgroundQuestion, Input};
use crate::tui::screen::snapshot;
use crate::tui::screen::tab_opener::TabOpener;
use crate::tui::screen::tabs::Tabs;
use crate::tui::screen::terminal::TerminalGuard;
use crate::tui::screen::work::work;
use crate::tui::settings::Settings;
use crate::tui::state::Ui;
use crate::tui::state::chooser::ThemeChoice;
use crate::tui::theme::{Palette, TERMINAL};

/// The dashboard: a [`Screen`] on a real terminal.
#[derive(Debug)]
pub struct Dashboard {
    tabs: Tabs,
    terminal: TerminalGuard,
    alarm: Alarm,
    background: Option<BackgroundWatch>,
    /// Opens profiles later.
    opener: Option<TabOpener>,
    /// How the groups of all tabs stood in the last frame.
    standings: Vec<Standing>,
}

impl Dashboard {
    /// Takes the terminal, for one or more groups; it is given back when this is dropped, or when anything panics. The
    /// alarm tells what is not to be overlooked.
    ///
    /// # Errors
    /// If the terminal cannot be set up.
    pub fn start(tabs: Vec<Settings>, alarm: Alarm) -> io::Result<Self> {
        Ok(Self {
            tabs: Tabs::new(tabs),
            terminal: TerminalGuard::take()?,
            alarm,
            background: None,
            opener: None,
            standings: Vec::new(),
        })
    }

    /// Lets the theme follow the terminal's background, at once or when the user wants it: it is asked for with the next
    /// frame, and again when the focus comes back. Whoever reads the answers looks at the question.
    #[must_use]
    pub fn with_background(mut self, question: BackgroundQuestion, at_once: bool) -> Self {
        self.background = Some(BackgroundWatch { question, follows: false, wanted: false });
        if at_once {
            self.follow_background();
        }
        self
    }

    /// Lets further profiles be opened; what it holds is held as long as the dashboard runs.
    #[must_use]
    pub fn with_opener(mut self, opener: TabOpener) -> Self {
        self.opener = Some(opener);
        self
    }

    /// Lets the mouse select, scroll and press.
    #[must_use]
    pub fn with_mouse(mut self) -> Self {
        self.terminal.watch_mouse();
        self
    }

    /// How the screen in sight is left.
    pub fn left(&self) -> Option<Remembered> {
        self.tabs.visible().map(Ui::left)
    }

    /// Writes what is on the screen to files in the working directory, without what people wrote.
    fn take_picture(&mut self, group: &Group, now: Millis) {
        let Self { tabs, terminal, standings, .. } = self;
        let Ok(area) = terminal.area() else { return };
        let mut buffer = Buffer::empty(area);
        let revealed = tabs.visible_mut().is_some_and(Ui::hide_text);
        tabs.draw(&mut buffer, group, standings, now);
        let Some(ui) = tabs.visible_mut() else { return };
        if revealed {
            ui.reveal();
        }
        let name = PathBuf::from(format!("d2mtop-{}", ui.settings().zone.file_name(now)));
        let palette = ui.settings().palette;
        match snapshot::write(&buffer, Some([palette.text, palette.background]), &name) {
            Ok(()) => {
                let words = format!("written to {0}.svg and {0}.ans", name.display());
                ui.tell(NoticeKind::Done, Clean::new(&words));
            }
            Err(cause) => {
                ui.say_unwritten(&name.with_extension("svg"), &cause);
            }
        }
    }

    /// False if the terminal cannot be asked.
    fn follow_background(&mut self) -> bool {
        let Some(watch) = &mut self.background else { return false };
        (watch.follows, watch.wanted) = (true, true);
        self.terminal.watch_focus();
        true
    }

    /// Takes what the user has chosen.
    fn take_theme(&mut self, theme: ThemeChoice) {
        if let ThemeChoice::Named(palette) = theme {
            self.tabs.set_palette(palette);
            if let Some(watch) = &mut self.background {
                watch.follows = false;
            }
        } else if !self.follow_background() {
            self.tabs.set_palette(&TERMINAL);
        }
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
        if self.background.as_ref().is_some_and(|watch| watch.follows) {
            self.tabs.set_palette(Palette::for_background(background));
        }
        Reaction::Redraw
    }

    fn take_event(&mut self, event: &TerminalEvent, group: &Group, now: Millis) -> Reaction {
        if let (TerminalEvent::FocusGained, Some(watch)) =
            (event, self.background.as_mut().filter(|watch| watch.follows))
        {
            watch.wanted = true;
            self.ask_for_background();
            // The question is written with a frame.
            return Reaction::Redraw;
        }
        if let TerminalEvent::Mouse(MouseEvent { kind: MouseEventKind::Down(MouseButton::Left), column, row, .. }) =
            event
            && let Some(step) = self.tabs.step_to(*column, *row)
        {
            return Reaction::Tab(step);
        }
        let Some(ui) = self.tabs.visible_mut() else { return Reaction::Nothing };
        let reaction = ui.handle(event, group, now);
        if reaction == Reaction::Repaint {
            self.terminal.forget_what_is_shown();
        }
        if let Some(text) = ui.take_copied() {
            self.terminal.copy(&text);
        }
        if std::mem::take(&mut ui.picture_wanted) {
            self.take_picture(group, now);
        }
        if let Some(theme) = self.tabs.visible_mut().and_then(Ui::take_theme) {
            self.take_theme(theme);
        }
        reaction
    }
}

/// How often the background is asked for at most.
const NOT_AGAIN_WITHIN: Duration = Duration::from_secs(10);

/// The theme can follow the background.
#[derive(Debug)]
struct BackgroundWatch {
    question: BackgroundQuestion,
    /// Whether the theme is to follow it.
    follows: bool,
    /// Whether it is to be asked for.
    wanted: bool,
}

impl Screen for Dashboard {
    type Input = Input;

    fn draw(&mut self, group: &Group, standings: &[Standing], now: Millis) -> io::Result<()> {
        self.standings = standings.to_vec();
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

    fn take_older(&mut self, tab: usize, page: OlderRows, group: &Group) -> Reaction {
        self.tabs.get_mut(tab).map_or(Reaction::Nothing, |ui| ui.take_older(page, group))
    }

    fn open_tab(&mut self, profile: &Clean, start: &mut dyn FnMut(SessionParts) -> io::Result<()>) -> bool {
        let Some(opener) = &mut self.opener else { return false };
        let prepared = opener.profile(profile).and_then(|(settings, parts)| {
            start(parts).map_err(Failure::Start)?;
            Ok(settings)
        });
        let is_open = prepared.is_ok();
        match prepared {
            Ok(settings) => self.tabs.add(settings),
            Err(failure) => self.notify(Clean::new(&format!("{profile} is not opened: {failure}"))),
        }
        is_open
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
