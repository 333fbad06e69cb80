//! What the keys do with the connection and the lock.

use crate::group::{ConnectionState, DisconnectCause, Group, NextStep, NoticeKind, Refusal};
use crate::protocol::{CloseCode, Dialect, Millis};
use crate::runtime::Reaction;
use crate::session::Command;
use crate::text::Clean;
use crate::tui::context::clock_apart;
use crate::tui::state::Ui;
use crate::tui::state::dialog::Dialog;
use crate::tui::state::notice::{PendingLook, PendingRefresh};

impl Ui {
    pub fn refresh(&mut self, group: &Group, now: Millis) -> Reaction {
        if group.connection().is_logged_in() {
            self.refreshed = Some(PendingRefresh { at: now, before: group.devices().as_of() });
            self.tell(NoticeKind::UnderWay, Clean::literal("asked for the device list…"));
            return Reaction::Command(Command::RefreshDevices);
        }
        self.say_refused(Refusal::NotConnected)
    }

    pub fn connect(&mut self, group: &Group, now: Millis) -> Reaction {
        const GONE: [CloseCode; 3] =
            [CloseCode::DROPPED_BY_DEVICE, CloseCode::REFLECTION_QUEUE_LIMIT, CloseCode::SLOT_STATE_MISMATCH];
        match group.connection() {
            ConnectionState::Waiting { next: NextStep::End, .. } => {
                self.explain("the session is over; {quit} quits; then start it again")
            }
            ConnectionState::Waiting { cause: DisconnectCause::ClosedByServer { code, expected, .. }, .. }
                if GONE.contains(code) =>
            {
                let dialog = self.with_context(group, now, |ctx| Dialog::reconnect(*code, *expected, ctx));
                self.ask(dialog)
            }
            ConnectionState::Waiting { .. } => Reaction::Command(Command::Reconnect { expect: None }),
            ConnectionState::Draining { .. } | ConnectionState::Live { .. } => self.explain("connected already"),
            ConnectionState::Idle | ConnectionState::Connecting { .. } | ConnectionState::Handshaking => {
                self.explain("connecting already")
            }
        }
    }

    pub fn accept_clock(&mut self, group: &Group) -> Reaction {
        if clock_apart(group).is_none() {
            return self.explain("nothing to accept: the clocks agree well enough");
        }
        self.clock_accepted = true;
        Reaction::Redraw
    }

    pub fn ask_to_probe(&mut self, group: &Group, now: Millis) -> Reaction {
        if self.settings.read_only {
            return self.ask(Dialog::read_only("A probe is a message to all other devices."));
        }
        if !group.connection().is_logged_in() {
            return self.say_refused(Refusal::NotConnected);
        }
        if self.settings.dialect == Dialect::Mk {
            return self.say_refused(Refusal::NoProbe);
        }
        let dialog = self.with_context(group, now, Dialog::probe);
        self.ask(dialog)
    }

    /// Remembers a question whose answer is to be told.
    pub fn note_what_is_asked(&mut self, command: &Command, group: &Group) {
        if *command == Command::LookAtLock {
            self.looked = Some(PendingLook { before: group.lock().told_at() });
            self.tell(NoticeKind::UnderWay, Clean::literal("asked who holds the lock…"));
        }
    }

    pub fn ask_about_lock(&mut self, group: &Group, now: Millis) -> Reaction {
        if self.settings.read_only {
            return self.ask(Dialog::read_only("Taking the lock keeps other devices from changing the group."));
        }
        if !group.connection().is_logged_in() {
            return self.say_refused(Refusal::NotConnected);
        }
        let dialog = if group.lock().is_ours_or_awaited() {
            self.with_context(group, now, Dialog::release_lock)
        } else {
            self.with_context(group, now, Dialog::take_lock)
        };
        self.ask(dialog)
    }
}
