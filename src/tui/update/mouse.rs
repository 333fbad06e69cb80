//! What the mouse does: the wheel scrolls what is under it, a click selects and presses, a second one opens.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::group::Group;
use crate::output::device_order::{DeviceOrder, DeviceSort};
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::tui::input::actions::{Action, Motion};
use crate::tui::input::pane::Pane;
use crate::tui::state::click::{ClickTarget, LastClick};
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::page::{Page, PageSubject};
use crate::tui::state::{Overlay, Ui};

/// How many rows a notch of the wheel is.
const NOTCH: usize = 3;

/// Two clicks within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

/// For how long after a dialog came a click does not answer it: it was meant for what was there before.
const NOT_MEANT: Duration = Duration::from_millis(500);

impl Ui {
    pub fn mouse(&mut self, event: MouseEvent, group: &Group, now: Millis) -> Reaction {
        let motion = match event.kind {
            MouseEventKind::ScrollUp => Motion::Up,
            MouseEventKind::ScrollDown => Motion::Down,
            MouseEventKind::Down(MouseButton::Left) => return self.click(event, group, now),
            _ => return Reaction::Nothing,
        };
        let mut reaction = Reaction::Nothing;
        for _ in 0..NOTCH {
            match self.wheel(motion, event, group) {
                Reaction::Nothing => {}
                // What the feed wants of the journal must not be lost.
                wanted => reaction = wanted,
            }
        }
        reaction
    }

    fn wheel(&mut self, motion: Motion, event: MouseEvent, group: &Group) -> Reaction {
        let on_window = self.clicks.at(event.column, event.row) == Some(ClickTarget::Window);
        match &mut self.overlay {
            Overlay::Page(page) if on_window || !page.is_beside => page.scroll_lines(motion),
            Overlay::Chooser(chooser) => chooser.step(if motion == Motion::Up { -1 } else { 1 }),
            Overlay::Dialog(_) => return Reaction::Nothing,
            Overlay::None | Overlay::Page(_) | Overlay::Prompt(_) => {
                return match self.clicks.pane_at(event.column, event.row) {
                    Some(Pane::Devices) => self.go_to_device(motion, group),
                    Some(Pane::Feed) => self.go_in_feed(motion, group),
                    _ => Reaction::Nothing,
                };
            }
        }
        Reaction::Redraw
    }

    fn click(&mut self, event: MouseEvent, group: &Group, now: Millis) -> Reaction {
        let Some(target) = self.clicks.at(event.column, event.row) else { return Reaction::Nothing };
        let again = self.last_click.take().is_some_and(|last| last.target == target && now.since(last.at) <= DOUBLE);
        self.last_click = Some(LastClick { at: now, target });
        let had_dialog = matches!(self.overlay, Overlay::Dialog(_));
        let reaction = match &self.overlay {
            Overlay::Dialog(_) => self.click_in_dialog(target, group, now),
            Overlay::Chooser(_) => self.click_in_chooser(target, group, now),
            Overlay::Prompt(_) => Reaction::Nothing,
            Overlay::Page(_) => self.click_beside_page(target, group, now),
            Overlay::None => self.click_in_panes(target, again, group, now),
        };
        if !had_dialog && let Overlay::Dialog(_) = self.overlay {
            self.dialog_by_click = Some(now);
        }
        reaction
    }

    fn click_in_panes(&mut self, target: ClickTarget, again: bool, group: &Group, now: Millis) -> Reaction {
        match target {
            ClickTarget::Hint(action) => return self.act(action, group, now),
            ClickTarget::Sort(by) => return self.sort_by(by),
            ClickTarget::Device(device) => {
                self.look_at(Pane::Devices);
                self.selection.set(Some(device));
            }
            ClickTarget::Row(row) => self.select_row(row, group),
            ClickTarget::Pane(pane) => {
                self.look_at(pane);
                if pane != Pane::Latency {
                    return Reaction::Redraw;
                }
            }
            ClickTarget::Answer(_) | ClickTarget::Choice(_) | ClickTarget::Window => return Reaction::Nothing,
        }
        if again { self.act(Action::Detail, group, now) } else { Reaction::Redraw }
    }

    fn select_row(&mut self, row: RowKey, group: &Group) {
        self.look_at(Pane::Feed);
        self.feed_state.go_to(row, group);
    }

    /// A second click on the same head reverses the order.
    fn sort_by(&mut self, by: DeviceSort) -> Reaction {
        self.look_at(Pane::Devices);
        let reversed = self.order.by == by && !self.order.reversed;
        self.sort(DeviceOrder { by, reversed })
    }

    /// A page is left by a click on what is beside it; another row opens where the page is of a row.
    fn click_beside_page(&mut self, target: ClickTarget, group: &Group, now: Millis) -> Reaction {
        let is_row = matches!(&self.overlay, Overlay::Page(Page { subject: PageSubject::Row(_), .. }));
        match target {
            ClickTarget::Hint(action) => self.act(action, group, now),
            ClickTarget::Window => Reaction::Nothing,
            ClickTarget::Row(row) if is_row => {
                self.select_row(row, group);
                self.detail(group)
            }
            _ => self.act(Action::Back, group, now),
        }
    }

    fn click_in_chooser(&mut self, target: ClickTarget, group: &Group, now: Millis) -> Reaction {
        match (target, &mut self.overlay) {
            (ClickTarget::Choice(index), Overlay::Chooser(chooser)) => {
                chooser.chosen = index;
                self.act(Action::Confirm, group, now)
            }
            (ClickTarget::Hint(action), _) => self.act(action, group, now),
            (ClickTarget::Window, _) => Reaction::Nothing,
            _ => self.act(Action::Back, group, now),
        }
    }

    /// What acts is confirmed by a click only in a dialog that a click has opened, and not at once.
    fn click_in_dialog(&mut self, target: ClickTarget, group: &Group, now: Millis) -> Reaction {
        let may_confirm = self.dialog_by_click.is_some_and(|since| now.since(since) >= NOT_MEANT);
        let Overlay::Dialog(dialog) = &mut self.overlay else { return Reaction::Nothing };
        let acts = match target {
            ClickTarget::Answer(index) => {
                dialog.chosen = index;
                dialog.acts()
            }
            ClickTarget::Hint(Action::Confirm) => dialog.acts(),
            ClickTarget::Hint(action) => return self.act(action, group, now),
            _ => return Reaction::Nothing,
        };
        if acts && !may_confirm {
            return self.explain("chosen; Enter confirms it, as the dialog came by a key or just now");
        }
        self.act(Action::Confirm, group, now)
    }
}
