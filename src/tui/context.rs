//! What every pane needs to draw itself.

use crate::group::{Connection, Group, Row, Scope};
use crate::protocol::{Activity, DeviceId, Millis};
use crate::text::Clean;
use crate::tui::format::clock::Clock;
use crate::tui::settings::Settings;
use crate::tui::theme::Theme;

/// The group at the time of the frame, and how to show it.
pub struct FrameContext<'a> {
    pub group: &'a Group,
    pub clock: &'a Clock,
    pub settings: &'a Settings,
    pub theme: Theme,
    /// Whether the user has accepted that the clocks differ.
    pub clock_accepted: bool,
}

/// How far the server's clock is ahead, if that is too far.
pub fn clock_apart(group: &Group) -> Option<i64> {
    group.login()?.clock_apart()
}

impl FrameContext<'_> {
    /// Since when what is shown is no longer kept up to date.
    pub fn stale_since(&self) -> Option<Millis> {
        match self.group.connection() {
            Connection::Waiting { since, .. } => Some(*since),
            // The time of the loss is forgotten; the list tells its own.
            Connection::Connecting { .. } | Connection::Handshaking => self.group.devices().as_of(),
            Connection::Idle | Connection::Draining { .. } | Connection::Live { .. } => None,
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

    /// Whether the server tells which devices are connected; in the seed's dialect it only tells the last login.
    pub fn tells_who_is_on(&self) -> bool {
        self.group.devices().iter().any(|(_, device)| !matches!(device.activity, Activity::LastLogin(_)))
    }

    /// What a row says, in one sentence.
    pub fn sentence(&self, row: &Row) -> Clean {
        row.sentence(self.group.names())
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
pub fn scope_words(scope: Scope) -> String {
    scope.map_or_else(|| "unreadable scope".to_owned(), |scope| scope.to_string())
}
