//! What an action does to the state of the dashboard.

pub mod clipboard;
mod connection;
mod devices;
mod feed;
mod pages;
mod prompt;

use crossterm::event::{Event as TerminalEvent, KeyEvent, KeyEventKind};

use crate::group::Group;
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::tui::input::actions::{Action, Motion};
use crate::tui::input::keymap;
use crate::tui::input::pane::Pane;
use crate::tui::state::device_order::DeviceOrder;
use crate::tui::state::dialog::Dialog;
use crate::tui::state::notice::disconnected_at;
use crate::tui::state::page::PageSubject;
use crate::tui::state::{Overlay, ScreenSpace, Ui};

impl Ui {
    pub fn handle(&mut self, input: &TerminalEvent, group: &Group, now: Millis) -> Reaction {
        match input {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => match keymap::escape_and(*key) {
                Some([escape, key]) => {
                    let went_back = self.press(escape, group, now);
                    let then = self.press(key, group, now);
                    if then == Reaction::Nothing { went_back } else { then }
                }
                None => self.press(*key, group, now),
            },
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

    pub fn press(&mut self, key: KeyEvent, group: &Group, now: Millis) -> Reaction {
        match keymap::lookup(key, self.place()) {
            // Nobody should do what they cannot see.
            Some(action) if self.room == ScreenSpace::TooLittle && !action.works_unseen() => Reaction::Nothing,
            Some(action) => self.act(action, group, now),
            None if self.room == ScreenSpace::TooLittle => Reaction::Nothing,
            None => self.type_key(key, group, now),
        }
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
            Action::Help => self.open(PageSubject::Help),
            Action::Messages => self.open(PageSubject::Messages),
            Action::Back => self.back(group, now),
            Action::Confirm => self.confirm(group, now),
            Action::Choose(step) => self.choose(step),
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
        };
        // A notice that a key has ended must go from the screen, whatever the key did.
        if reaction == Reaction::Nothing && had_notice { Reaction::Redraw } else { reaction }
    }

    /// One level back: what lies over the panes, the zoom, what is done in the feed.
    pub fn back(&mut self, group: &Group, now: Millis) -> Reaction {
        match std::mem::take(&mut self.overlay) {
            Overlay::Prompt(line) => self.give_line_up(&line, group, now),
            Overlay::Page(_) | Overlay::Dialog(_) => {}
            Overlay::None if self.zoomed => self.zoomed = false,
            Overlay::None if self.feed_back(group) => {}
            Overlay::None => return Reaction::Nothing,
        }
        Reaction::Redraw
    }

    pub fn confirm(&mut self, group: &Group, now: Millis) -> Reaction {
        match std::mem::take(&mut self.overlay) {
            Overlay::Dialog(dialog) => dialog.answer().map_or(Reaction::Redraw, Reaction::Command),
            Overlay::Prompt(line) => self.keep_line(line, group, now),
            Overlay::Page(page) => self.follow_page(&page, group),
            Overlay::None => Reaction::Redraw,
        }
    }

    pub fn choose(&mut self, step: isize) -> Reaction {
        match &mut self.overlay {
            Overlay::Dialog(dialog) => {
                dialog.choose(step);
                Reaction::Redraw
            }
            Overlay::None | Overlay::Page(_) | Overlay::Prompt(_) => Reaction::Nothing,
        }
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
