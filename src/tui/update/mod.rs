//! What an action does to the state of the dashboard.

mod chooser;
pub mod clipboard;
mod connection;
mod devices;
mod export;
mod feed;
mod mouse;
mod pages;
mod prompt;

use crossterm::event::{Event as TerminalEvent, KeyEvent, KeyEventKind};

use crate::group::Group;
use crate::output::device_order::DeviceOrder;
use crate::protocol::Millis;
use crate::runtime::{PlaybackRequest, Reaction};
use crate::text::Clean;
use crate::tui::input::actions::{Action, Motion};
use crate::tui::input::keymap::{self, InputContext, Key};
use crate::tui::input::pane::Pane;
use crate::tui::state::dialog::{Agreed, Dialog};
use crate::tui::state::notice::disconnected_at;
use crate::tui::state::page::PageSubject;
use crate::tui::state::{Overlay, ScreenSpace, Ui};

impl Ui {
    pub fn handle(&mut self, input: &TerminalEvent, group: &Group, now: Millis) -> Reaction {
        match input {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => {
                let had_dialog = matches!(self.overlay, Overlay::Dialog(_));
                let reaction = self.press_both(*key, group, now);
                if !had_dialog {
                    self.dialog_by_click = None;
                }
                reaction
            }
            // Nobody should hit what they cannot see.
            TerminalEvent::Mouse(event) if self.room == ScreenSpace::Enough => self.mouse(*event, group, now),
            TerminalEvent::Resize(..) => Reaction::Repaint,
            // Pasted text must never act as keys.
            TerminalEvent::Paste(text) if self.room == ScreenSpace::Enough => self.paste(text, group, now),
            TerminalEvent::Key(_)
            | TerminalEvent::Paste(_)
            | TerminalEvent::FocusGained
            | TerminalEvent::FocusLost
            | TerminalEvent::Mouse(_) => Reaction::Nothing,
        }
    }

    /// Presses a key, after the Esc that may be in it.
    fn press_both(&mut self, key: KeyEvent, group: &Group, now: Millis) -> Reaction {
        let Some([escape, key]) = keymap::escape_and(key) else { return self.press(key, group, now) };
        let went_back = self.press(escape, group, now);
        let then = self.press(key, group, now);
        if then == Reaction::Nothing { went_back } else { then }
    }

    pub fn press(&mut self, key: KeyEvent, group: &Group, now: Millis) -> Reaction {
        if let Some(request) = self.playback_request(key) {
            return Reaction::Playback(request);
        }
        match self.keys().lookup(key, self.place()) {
            // Nobody should do what they cannot see.
            Some(action) if self.room == ScreenSpace::TooLittle && !action.works_unseen() => Reaction::Nothing,
            Some(action) => self.act(action, group, now),
            None if self.room == ScreenSpace::TooLittle => Reaction::Nothing,
            None => match self.type_key(key, group, now) {
                Reaction::Nothing => self.say_unknown(key, group),
                reaction => reaction,
            },
        }
    }

    /// What a key asks of a recording, where no line, dialog or page takes it.
    fn playback_request(&self, key: KeyEvent) -> Option<PlaybackRequest> {
        let is_in_panes = matches!(self.place(), InputContext::Panes | InputContext::On(_));
        key.code.as_char().filter(|_| self.settings.is_recording && is_in_panes).and_then(PlaybackRequest::of_key)
    }

    /// Says of a key that means nothing, once, that it does not; never over something that is still to be read.
    fn say_unknown(&mut self, event: KeyEvent, group: &Group) -> Reaction {
        /// More are not typed in earnest.
        const REMEMBERED: usize = 64;
        let is_command = !matches!(self.place(), InputContext::Line | InputContext::Chooser | InputContext::Dialog);
        let is_quiet = self.notice(group).is_none() && self.explained == disconnected_at(group);
        let Some(key) = Key::of(event).filter(|_| is_command && is_quiet) else { return Reaction::Nothing };
        if self.unknown_keys.contains(&key) || self.unknown_keys.len() >= REMEMBERED {
            return Reaction::Nothing;
        }
        self.unknown_keys.push(key);
        let help = self.keys().key(Action::Help);
        self.say(Clean::new(&format!("{key} does nothing here; {help} lists the keys")))
    }

    pub fn act(&mut self, action: Action, group: &Group, now: Millis) -> Reaction {
        let had_notice = self.notice(group).is_some() || self.explained != disconnected_at(group);
        self.explained = disconnected_at(group);
        self.ended = self.explained;
        self.notice = None;
        self.notices_read = group.notices().count();
        let message_was_cut = std::mem::take(&mut self.message_is_cut);
        let reaction = match action {
            // What was too long for the last line is read first.
            Action::Detail if message_was_cut => self.open(PageSubject::Messages),
            Action::Quit => Reaction::Quit,
            Action::Suspend => Reaction::Suspend,
            Action::Repaint => Reaction::Repaint,
            Action::Help => self.open(PageSubject::Help(self.focus)),
            Action::Picture => {
                self.picture_wanted = true;
                Reaction::Redraw
            }
            Action::Resize(step) => self.resize(step),
            Action::Palette => self.open_chooser(group),
            Action::Messages => self.open(PageSubject::Messages),
            Action::Back => self.back(group, now),
            Action::Confirm => self.confirm(group, now),
            Action::Choose(step) => self.choose(step),
            Action::Answer(agrees) => self.answer(agrees),
            Action::Move(motion) => self.go(motion, group),
            Action::Focus(pane) => self.look_at(pane),
            Action::FocusStep(by) => self.look_at(self.focus.step(by)),
            Action::Tab(step) => Reaction::Tab(step),
            Action::Sort => self.sort(DeviceOrder { by: self.order.by.next(), ..self.order }),
            Action::Reverse => self.sort(DeviceOrder { reversed: !self.order.reversed, ..self.order }),
            Action::Pause => self.pause(group),
            Action::Detail => self.detail(group),
            Action::Zoom => {
                self.zoomed = !self.zoomed;
                Reaction::Redraw
            }
            Action::Refresh => self.refresh(group, now),
            Action::Connect => self.connect(group, now),
            Action::Drop => self.ask_to_drop(group, now),
            Action::AcceptClock => self.accept_clock(group),
            Action::Note => self.take_note(group),
            Action::Lock => self.ask_about_lock(group, now),
            Action::Probe => self.ask_to_probe(group, now),
            Action::Ask(question) => self.open_line(question, group, now),
            Action::Complete(step) => self.complete(step, group, now),
            Action::Hit(way) => self.next_hit(way, group),
            Action::Mark => self.mark(group),
            Action::Reveal => self.reveal(),
            Action::Copy => self.copy(group, now),
            Action::Beside(motion) => self.open_beside(motion, group),
            // Of the page before there is a dashboard.
            Action::Demo | Action::Join => Reaction::Nothing,
        };
        // A notice that a key has ended must go from the screen, whatever the key did.
        if reaction == Reaction::Nothing && had_notice { Reaction::Redraw } else { reaction }
    }

    /// One level back: what lies over the panes, the zoom, what is done in the feed.
    pub fn back(&mut self, group: &Group, now: Millis) -> Reaction {
        match std::mem::take(&mut self.overlay) {
            Overlay::Prompt(line) => self.give_line_up(&line, group, now),
            Overlay::Chooser(chooser) => self.close_chooser(*chooser),
            Overlay::Page(mut page) => {
                // The search goes first.
                if page.search.take().is_some() {
                    self.overlay = Overlay::Page(page);
                }
            }
            Overlay::Dialog(_) => {}
            Overlay::None if self.zoomed => self.zoomed = false,
            Overlay::None if self.feed_back(group) => {}
            Overlay::None => return Reaction::Nothing,
        }
        Reaction::Redraw
    }

    pub fn confirm(&mut self, group: &Group, now: Millis) -> Reaction {
        match std::mem::take(&mut self.overlay) {
            Overlay::Dialog(dialog) => match dialog.answer() {
                None => Reaction::Redraw,
                Some(Agreed::Session(command)) => {
                    self.note_what_is_asked(&command, group);
                    Reaction::Command(command)
                }
                Some(Agreed::Export(scope)) => self.start_export(scope, group),
            },
            Overlay::Prompt(line) => self.keep_line(line, group, now),
            Overlay::Chooser(chooser) => self.take_choice(*chooser, group, now),
            Overlay::Page(mut page) => {
                if !page.stop_typing() {
                    return self.follow_page(&page, group);
                }
                self.overlay = Overlay::Page(page);
                Reaction::Redraw
            }
            Overlay::None => Reaction::Redraw,
        }
    }

    pub fn choose(&mut self, step: isize) -> Reaction {
        match &mut self.overlay {
            Overlay::Dialog(dialog) => {
                dialog.choose(step);
                Reaction::Redraw
            }
            Overlay::Chooser(chooser) => {
                chooser.step(step);
                Reaction::Redraw
            }
            Overlay::None | Overlay::Page(_) | Overlay::Prompt(_) => Reaction::Nothing,
        }
    }

    /// Goes to the answer that does what is asked, or leaves. What may destroy takes an Enter after that.
    pub fn answer(&mut self, agrees: bool) -> Reaction {
        match &mut self.overlay {
            Overlay::Dialog(dialog) if agrees => dialog.choose_what_acts(),
            Overlay::Dialog(_) => self.overlay = Overlay::None,
            Overlay::None | Overlay::Page(_) | Overlay::Prompt(_) | Overlay::Chooser(_) => return Reaction::Nothing,
        }
        Reaction::Redraw
    }

    pub fn go(&mut self, motion: Motion, group: &Group) -> Reaction {
        if let Overlay::Page(page) = &mut self.overlay {
            page.scroll(motion);
            return Reaction::Redraw;
        }
        match self.focus {
            Pane::Devices => self.go_to_device(motion, group),
            Pane::Feed => self.go_in_feed(motion, group),
            Pane::Lock | Pane::Role | Pane::Latency => Reaction::Nothing,
        }
    }

    /// Gives the focused pane more room, or less.
    fn resize(&mut self, step: i16) -> Reaction {
        self.sizes = self.sizes_in_sight;
        self.sizes.change(self.focus, self.is_wide, step);
        // Another key may come before the next frame.
        self.sizes_in_sight = self.sizes;
        Reaction::Redraw
    }

    pub fn look_at(&mut self, pane: Pane) -> Reaction {
        self.focus = pane;
        self.focus_chosen = true;
        Reaction::Redraw
    }

    pub fn ask(&mut self, dialog: Dialog) -> Reaction {
        self.overlay = Overlay::Dialog(dialog);
        Reaction::Redraw
    }
}
