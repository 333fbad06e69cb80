//! [`Means`]: what is sent, and what answers it.

use std::time::Duration;

use crate::cli::ProbeArgs;
use crate::group::{Event, Probe};
use crate::session::{Command, Confirmed};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    DevicesInfo,
    Ping,
    Reflect,
}

impl Means {
    pub(super) const fn of(options: &ProbeArgs) -> Self {
        match (options.means.ping, options.means.reflect) {
            (true, _) => Self::Ping,
            (_, true) => Self::Reflect,
            _ => Self::DevicesInfo,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::DevicesInfo => "devices_info",
            Self::Ping => "ping",
            Self::Reflect => "reflection",
        }
    }

    pub(super) const fn command(self) -> Command {
        match self {
            Self::DevicesInfo => Command::RefreshDevices,
            Self::Ping => Command::Ping,
            Self::Reflect => Command::Probe(Confirmed::after_asking(())),
        }
    }

    /// How long it took, if that is the answer.
    pub(super) const fn answer(self, event: &Event) -> Option<Duration> {
        match (self, event) {
            (Self::DevicesInfo, Event::RoundTrip { probe: Probe::DevicesInfo, elapsed })
            | (Self::Ping, Event::RoundTrip { probe: Probe::Ping, elapsed })
            | (Self::Reflect, Event::ReflectionStored { round_trip: elapsed }) => Some(*elapsed),
            _ => None,
        }
    }
}
