//! Where a session stands, in one word: what is worth knowing of a group that is not being looked at.

use crate::group::{ConnectionState, DisconnectCause, Group, NextStep, RoleState};

/// Where a session stands, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was tried yet.
    #[default]
    Idle,
    /// A connection is being made, or the login is under way.
    Connecting,
    /// Logged in; the messages that waited are coming in.
    Draining,
    /// Logged in, and nothing waits.
    Live,
    /// Logged in, and the group's incoming messages stop here.
    Leading,
    /// Not connected; it comes back by itself.
    Reconnecting,
    /// Left so that another device leads; it comes back by itself.
    GaveUpLeading,
    /// Devices in the list are new, changed or unreadable, and nobody has taken note yet.
    Alarm,
    /// Not connected, until the user acts.
    NeedsUser,
    /// The session ended and does not come back.
    Over,
}

impl Standing {
    /// Where the session of this group stands.
    #[must_use]
    pub fn of(group: &Group) -> Self {
        let standing = Self::of_connection(group);
        if group.devices().alarms() > 0 && !standing.needs_user() { Self::Alarm } else { standing }
    }

    fn of_connection(group: &Group) -> Self {
        match (group.connection(), group.role().state()) {
            (ConnectionState::Idle, _) => Self::Idle,
            (ConnectionState::Connecting { .. } | ConnectionState::Handshaking, _) => Self::Connecting,
            (ConnectionState::Draining { .. } | ConnectionState::Live { .. }, RoleState::Leader { .. }) => {
                Self::Leading
            }
            (ConnectionState::Draining { .. }, _) => Self::Draining,
            (ConnectionState::Live { .. }, _) => Self::Live,
            (ConnectionState::Waiting { next: NextStep::End, .. }, _) => Self::Over,
            (ConnectionState::Waiting { next: NextStep::WaitForUser, .. }, _) => Self::NeedsUser,
            (ConnectionState::Waiting { cause: DisconnectCause::LeaderRole, .. }, _) => Self::GaveUpLeading,
            (ConnectionState::Waiting { .. }, _) => Self::Reconnecting,
        }
    }

    /// The standing in a word or two.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Idle => "not connected",
            Self::Connecting => "connecting",
            Self::Draining => "draining",
            Self::Live => "live",
            Self::Leading => "leading",
            Self::Reconnecting => "reconnecting",
            Self::GaveUpLeading => "left (was made leader)",
            Self::Alarm => "devices changed",
            Self::NeedsUser => "needs you",
            Self::Over => "ended",
        }
    }

    /// Whether the user is needed.
    #[must_use]
    pub const fn needs_user(self) -> bool {
        matches!(self, Self::Alarm | Self::NeedsUser | Self::Over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{DeviceChange, Event};
    use crate::protocol::{CloseCode, DeviceId, Millis};

    #[test]
    fn a_session_stands_where_the_last_event_left_it() {
        let mut group = Group::default();
        assert_eq!(Standing::of(&group), Standing::Idle);
        let closed = || DisconnectCause::closed(CloseCode(4113));
        let lost = |cause, next| Event::Disconnected { cause, next };
        let retry = NextStep::RetryAt { at: Millis(9), attempt: 2 };
        for (event, standing) in [
            (Event::Connecting { attempt: 1 }, Standing::Connecting),
            (Event::Handshaking, Standing::Connecting),
            (lost(DisconnectCause::NoAnswer, retry), Standing::Reconnecting),
            (lost(DisconnectCause::LeaderRole, retry), Standing::GaveUpLeading),
            (lost(closed(), NextStep::WaitForUser), Standing::NeedsUser),
            (lost(DisconnectCause::ByUser, NextStep::End), Standing::Over),
        ] {
            group.apply(Millis(1), &event);
            assert_eq!(Standing::of(&group), standing, "after {event:?}");
            assert_eq!(standing.needs_user(), matches!(standing, Standing::NeedsUser | Standing::Over));
        }
    }

    #[test]
    fn an_alarm_that_nobody_noted_goes_before_all_that_goes_on_by_itself() {
        let mut group = Group::default();
        let alarm =
            Event::DeviceChanged { device: DeviceId(5), change: DeviceChange::New { returned: false, now: None } };
        group.apply(Millis(1), &alarm);
        assert_eq!(Standing::of(&group), Standing::Alarm);
        assert!(Standing::Alarm.needs_user());
        group.apply(Millis(2), &Event::Handshaking);
        assert_eq!(Standing::of(&group), Standing::Alarm, "whatever the connection does");
        group.apply(Millis(3), &Event::DevicesAcknowledged);
        assert_eq!(Standing::of(&group), Standing::Connecting);
        group.apply(Millis(4), &alarm);
        let cause = DisconnectCause::closed(CloseCode(4113));
        group.apply(Millis(5), &Event::Disconnected { cause, next: NextStep::WaitForUser });
        assert_eq!(Standing::of(&group), Standing::NeedsUser, "which is told first");
    }
}
