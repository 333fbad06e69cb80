//! The one type that decides between the seed's protocol and today's.

use std::fmt;

use super::ids::Millis;
use super::slot::DeviceActivity;

/// Which of the two protocols that exist in the wild is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The seed's specification: one Mediator Key, numeric server group, `last_login_at`.
    Mk,
    /// What runs today: keys derived from the Device Group Key, textual server group, connection times.
    Dgk,
}

impl Dialect {
    /// Whether the server compares the slot state that a client expects with the one it finds. The seed has no such
    /// field, and its absence decodes as "new", so a check would lock every returning seed client out.
    #[must_use]
    pub const fn checks_slot_state(self) -> bool {
        matches!(self, Self::Dgk)
    }

    /// Whether the flags of a reflection mean anything; in the seed the bytes are reserved.
    #[must_use]
    pub const fn has_reflection_flags(self) -> bool {
        matches!(self, Self::Dgk)
    }

    /// Whether a client can say for how long it wants the lock at most. In the seed it has to keep to that itself.
    #[must_use]
    pub const fn limits_transactions(self) -> bool {
        matches!(self, Self::Dgk)
    }

    /// Whether an envelope can say which device it is of.
    #[must_use]
    pub const fn tells_author(self) -> bool {
        matches!(self, Self::Dgk)
    }

    /// What a device list says of one device, given what the server knows.
    #[must_use]
    pub fn activity(
        self,
        last_login: Millis,
        connected_since: Option<Millis>,
        last_disconnect: Option<Millis>,
    ) -> DeviceActivity {
        match (self, connected_since, last_disconnect) {
            (Self::Mk, _, _) => DeviceActivity::LastLogin(last_login),
            (Self::Dgk, Some(since), _) => DeviceActivity::ConnectedSince(since),
            (Self::Dgk, None, Some(at)) => DeviceActivity::LastDisconnect(at),
            (Self::Dgk, None, None) => DeviceActivity::Unknown,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Mk => "mk",
            Self::Dgk => "dgk",
        })
    }
}
