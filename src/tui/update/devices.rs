//! What the keys do with devices.

use crate::group::{Group, NoticeKind, Refusal};
use crate::output::device_order::DeviceOrder;
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::text::Clean;
use crate::tui::input::actions::Motion;
use crate::tui::input::pane::Pane;
use crate::tui::state::dialog::Dialog;
use crate::tui::state::{Overlay, Ui};

impl Ui {
    pub fn sort(&mut self, order: DeviceOrder) -> Reaction {
        self.order = order;
        if self.focus == Pane::Devices {
            return Reaction::Redraw;
        }
        // The pane may be out of sight.
        self.tell(NoticeKind::Done, Clean::new(&format!("devices are sorted {}", order.words())))
    }

    pub fn go_to_device(&mut self, motion: Motion, group: &Group) -> Reaction {
        let order = self.order.of(group);
        self.selection.follow(&order, group.own());
        let selected = self.selected_of(&order);
        let index = order.iter().position(|id| Some(*id) == selected).unwrap_or(0);
        let last = order.len().saturating_sub(1);
        let page = self.device_page;
        let wanted = match motion {
            Motion::Up => index.saturating_sub(1),
            Motion::Down => index + 1,
            Motion::HalfPageUp => index.saturating_sub(page.div_ceil(2)),
            Motion::HalfPageDown => index + page.div_ceil(2),
            Motion::PageUp => index.saturating_sub(page),
            Motion::PageDown => index + page,
            Motion::First => 0,
            Motion::Last => last,
        };
        let wanted = order.get(wanted.min(last)).copied();
        self.selection.set(wanted);
        if wanted == selected { Reaction::Nothing } else { Reaction::Redraw }
    }

    pub fn take_note(&mut self, group: &Group) -> Reaction {
        if group.devices().alarms() == 0 {
            return self.explain("nothing to mark as known: no device is new or changed");
        }
        Reaction::Command(Command::AcknowledgeDevices)
    }

    pub fn ask_to_drop(&mut self, group: &Group, now: Millis) -> Reaction {
        if self.settings.read_only {
            return self.ask(Dialog::read_only("Dropping a device changes the group."));
        }
        if !group.connection().is_logged_in() {
            return self.say_refused(Refusal::NotConnected);
        }
        if group.lock().is_ours_or_awaited() {
            return self.say_refused(Refusal::LockBusy);
        }
        if self.focus != Pane::Devices {
            // Nobody should be asked about a device that they do not see selected.
            self.look_at(Pane::Devices);
            self.zoomed = false;
            return self.explain("which device? {down} and {up} choose it, {drop} drops it");
        }
        let Some(device) = self.selected_of(&self.order.of(group)) else {
            return self.explain("nothing to drop: the selected device is not in the list");
        };
        self.overlay = Overlay::Dialog(self.with_context(group, now, |ctx| Dialog::drop(ctx, device)));
        // What the dialog says follows from the list, which may be a minute old.
        Reaction::Command(Command::RefreshDevices)
    }
}
