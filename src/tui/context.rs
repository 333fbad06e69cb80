//! What every pane needs to draw itself.

use std::cell::RefCell;
use std::collections::VecDeque;

use ratatui::layout::Rect;

use crate::group::{ConnectionState, FeedRow, Group, LockScope, NoticeKind};
use crate::output::clock::Clock;
use crate::protocol::{DeviceActivity, DeviceId, Millis};
use crate::text::Clean;
use crate::tui::settings::Settings;
use crate::tui::state::click::{ClickMap, ClickTarget};
use crate::tui::theme::device_colours::DeviceColours;
use crate::tui::theme::{Role, Theme};

/// The group at the time of the frame, and how to show it.
pub struct FrameContext<'a> {
    pub group: &'a Group,
    pub clock: &'a Clock,
    pub settings: &'a Settings,
    pub theme: Theme,
    pub colours: &'a DeviceColours,
    /// What the dashboard itself has told, the oldest first.
    pub told: &'a VecDeque<(Millis, NoticeKind, Clean)>,
    /// Whether the user has accepted that the clocks differ.
    pub clock_accepted: bool,
    /// What stands where, for the mouse.
    pub clicks: RefCell<ClickMap>,
}

/// How far the mediator's clock is ahead, if that is too far.
pub fn clock_apart(group: &Group) -> Option<i64> {
    group.login()?.clock_apart()
}

impl FrameContext<'_> {
    /// Tells what a click there hits; what is drawn later goes first.
    pub fn mark(&self, area: Rect, target: ClickTarget) {
        self.clicks.borrow_mut().mark(area, target);
    }

    /// The same of a window, by its inside.
    pub fn mark_window(&self, inner: Rect) {
        let outer = Rect {
            x: inner.x.saturating_sub(1),
            y: inner.y.saturating_sub(1),
            width: inner.width.saturating_add(2),
            height: inner.height.saturating_add(2),
        };
        self.mark(outer, ClickTarget::Window);
    }

    /// The words with each `{action}` in them replaced by the key that does it.
    pub fn keyed(&self, words: &'static str) -> String {
        self.settings.preferences.keymap.fill(words)
    }

    /// Since when what is shown is no longer kept up to date.
    pub fn stale_since(&self) -> Option<Millis> {
        match self.group.connection() {
            ConnectionState::Waiting { .. } | ConnectionState::Connecting { .. } | ConnectionState::Handshaking => {
                self.group.last_word()
            }
            ConnectionState::Idle | ConnectionState::Draining { .. } | ConnectionState::Live { .. } => None,
        }
    }

    pub fn is_own(&self, device: DeviceId) -> bool {
        self.group.own() == Some(device)
    }

    /// Whether the list has no other device.
    pub fn is_alone(&self) -> bool {
        let devices = self.group.devices();
        devices.as_of().is_some() && devices.iter().all(|(id, _)| self.is_own(id))
    }

    /// Whether the mediator tells which devices are connected; in the seed's dialect it only tells the last login.
    pub fn tells_who_is_on(&self) -> bool {
        self.group.devices().iter().any(|(_, device)| !matches!(device.activity, DeviceActivity::LastLogin(_)))
    }

    /// What a row says, in one sentence.
    pub fn sentence(&self, row: &FeedRow) -> Clean {
        row.sentence(self.group.names())
    }

    /// The role of a device's name.
    pub fn device_role(&self, device: DeviceId) -> Role {
        self.colours.role(device)
    }

    /// What to call a device.
    pub fn label(&self, device: DeviceId) -> Clean {
        self.group.devices().label(device)
    }

    /// What to call a device, with its id, and why it is not in the list.
    pub fn device(&self, device: DeviceId) -> String {
        let devices = self.group.devices();
        let missing = if devices.is_gone(device) {
            ", gone"
        } else if devices.as_of().is_some() && devices.get(device).is_none() {
            ", not in the list"
        } else {
            ""
        };
        match devices.known_label(device) {
            Some(label) => format!("{label} ({device}{missing})"),
            None => format!("{device}{missing}"),
        }
    }
}

/// A scope by its name in the specification.
pub fn scope_words(scope: LockScope) -> String {
    scope.map_or_else(|| "unreadable scope".to_owned(), |scope| scope.to_string())
}
