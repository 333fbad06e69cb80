//! Who a session is, and how patient.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff::Backoff;
use crate::protocol::{DeviceId, DeviceInfo, ExhaustedPolicy, ExpirationPolicy, GroupKeys, SlotState};
use crate::text::Clean;

/// What to do when promoted to leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderPolicy {
    /// Leave at once and come back later: a leader that does not speak to the chat server stalls the whole group's
    /// incoming messages.
    GiveUp,
    /// Stay all the same.
    Stay,
}

/// When a session is connected, as long as another device leads.
///
/// What a promotion leads to is decided by [`LeaderPolicy`], whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Connected at all times.
    #[default]
    Stay,
    /// Now and then: connects, takes in what waits, asks for the device list, leaves, and is back after this long, which
    /// is never less than a little over [`SessionTiming::role_wait_first`]. Who asks for something keeps the visit going for
    /// [`SessionTiming::attended`].
    ///
    /// A volatile slot may expire between two visits, and what waited in it is lost then: the next login finds no slot
    /// and takes a new one. A persistent slot keeps what waits.
    Visit(Duration),
}

/// The text names no presence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no presence: it is stay, or visit=10m (a minute or more, such as 90s, 10m or 2h)")]
pub struct NotAPresence(Clean);

impl FromStr for Presence {
    type Err = NotAPresence;

    fn from_str(text: &str) -> Result<Self, NotAPresence> {
        let interval = text.strip_prefix("visit=").and_then(|interval| humantime::parse_duration(interval).ok());
        match (text, interval) {
            ("stay", _) => Ok(Self::Stay),
            (_, Some(interval)) if interval >= SessionTiming::default().role_wait_first => Ok(Self::Visit(interval)),
            _ => Err(NotAPresence(Clean::new(text))),
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stay => formatter.write_str("stay"),
            Self::Visit(interval) => {
                // Without the spaces between the units, so that it can be typed without quotes.
                let interval = humantime::format_duration(*interval).to_string().replace(' ', "");
                write!(formatter, "visit={interval}")
            }
        }
    }
}

/// What a login expects of our slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotExpectation {
    /// This; if the server says otherwise, a person has to decide.
    Only(SlotState),
    /// This first, and then the other state. The slot must be our own: nobody tells whether a volatile one has expired,
    /// whether a login whose answer got lost has registered us, or whether another address is the same mediator's.
    First(SlotState),
}

impl SlotExpectation {
    /// What the next login expects, after one that said for how long the slot is to be kept. A volatile one that is gone has
    /// expired, or the mediator has forgotten it; a persistent one was dropped, which is not ours to undo.
    #[must_use]
    pub const fn after_login(policy: ExpirationPolicy) -> Self {
        match policy {
            ExpirationPolicy::Volatile => Self::First(SlotState::Existing),
            ExpirationPolicy::Persistent => Self::Only(SlotState::Existing),
        }
    }

    /// What is said to the server.
    #[must_use]
    pub const fn state(self) -> SlotState {
        match self {
            Self::Only(state) | Self::First(state) => state,
        }
    }
}

/// What a session is made with: its group, its device, its policies.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The keys of the group.
    pub keys: Arc<GroupKeys>,
    /// The id of this device in the group.
    pub device_id: DeviceId,
    /// What this device tells the others of itself.
    pub device_info: DeviceInfo,
    /// Whether the server should know this device already.
    pub expects: SlotExpectation,
    /// How long the server should keep our slot.
    pub expiration_policy: ExpirationPolicy,
    /// What the server should do when there is no slot for us.
    pub exhausted_policy: ExhaustedPolicy,
    /// What to do when promoted.
    pub leader_policy: LeaderPolicy,
    /// When to be connected.
    pub presence: Presence,
    /// Send nothing that changes the group.
    pub read_only: bool,
    /// The identity that the devices share, if it is known; messages teach it otherwise.
    pub identity: Option<Clean>,
    /// The spans after which something is done or given up.
    pub timing: SessionTiming,
}

impl SessionConfig {
    /// A device that does no harm: a slot of its own, new and volatile, no other device's when all are taken, and the
    /// leader role given up at once.
    #[must_use]
    pub fn of(keys: Arc<GroupKeys>, device_id: DeviceId) -> Self {
        Self {
            keys,
            device_id,
            device_info: DeviceInfo::default(),
            expects: SlotExpectation::Only(SlotState::New),
            expiration_policy: ExpirationPolicy::Volatile,
            exhausted_policy: ExhaustedPolicy::Reject,
            leader_policy: LeaderPolicy::GiveUp,
            presence: Presence::Stay,
            read_only: false,
            identity: None,
            timing: SessionTiming::default(),
        }
    }
}

/// How long a connection is silent before a ping: load balancers cut what is silent for longer than 20 s or more.
pub const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How patient a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTiming {
    /// From starting to connect to the end of the login.
    pub handshake: Duration,
    /// Between two pings, so that nothing on the way takes the connection for idle.
    pub ping_interval: Duration,
    /// From a ping to giving the connection up if nothing at all is heard.
    pub ping_deadline: Duration,
    /// Between two pings while we have the lock.
    pub lock_ping: Duration,
    /// After how much silence a lock of ours counts as lost.
    pub lock_silence: Duration,
    /// How long the server may take to answer about the lock and a drop.
    pub answer: Duration,
    /// Between two requests for the device list that nobody asked for; the protocol pushes none.
    pub refresh_interval: Duration,
    /// Before connecting again.
    pub backoff: Backoff,
    /// After a list, or a request for one, how long a sign that it is out of date waits before it is followed.
    pub refresh_pause: Duration,
    /// How long a login must last to count as good, so that the backoff starts over.
    pub stable_after: Duration,
    /// The first wait after giving the leader role up; it doubles with each promotion in a row.
    pub role_wait_first: Duration,
    /// The longest wait after giving the leader role up.
    pub role_wait_longest: Duration,
    /// How long after the queue is dry a server that is still there must not have promoted us to know that another device
    /// leads.
    pub following_after: Duration,
    /// How long a promotion may wait for a transaction of ours to be committed.
    pub leave_grace: Duration,
    /// How long after the queue is dry a visit waits whether a promotion comes, so that the next wait can grow.
    pub visit_linger: Duration,
    /// How long after the queue is dry a visit waits for acknowledgements and the device list at most.
    pub visit_patience: Duration,
    /// How long a visit goes on after its user last asked for something.
    pub attended: Duration,
}

impl Default for SessionTiming {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(20),
            ping_interval: DEFAULT_KEEP_ALIVE,
            ping_deadline: Duration::from_secs(15),
            lock_ping: Duration::from_secs(2),
            lock_silence: Duration::from_secs(6),
            answer: Duration::from_secs(25),
            refresh_interval: Duration::from_mins(1),
            refresh_pause: Duration::from_secs(10),
            backoff: Backoff::default(),
            stable_after: Duration::from_secs(30),
            role_wait_first: Duration::from_mins(1),
            role_wait_longest: Duration::from_mins(15),
            following_after: Duration::from_secs(10),
            leave_grace: Duration::from_millis(1_500),
            visit_linger: Duration::from_millis(500),
            visit_patience: Duration::from_secs(30),
            attended: Duration::from_mins(1),
        }
    }
}

impl SessionTiming {
    /// The wait after the `promotions`-th promotion in a row, which counts from 1.
    #[must_use]
    pub fn role_wait(&self, promotions: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(promotions.saturating_sub(1));
        self.role_wait_first.saturating_mul(doubled).min(self.role_wait_longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presence_is_read_and_written() {
        for (text, presence) in [
            ("stay", Some(Presence::Stay)),
            ("visit=10m", Some(Presence::Visit(Duration::from_secs(600)))),
            ("visit=1h30m", Some(Presence::Visit(Duration::from_secs(5_400)))),
            ("visit=59s", None),
            ("visit=", None),
            ("visit", None),
            ("Stay", None),
        ] {
            assert_eq!(text.parse().ok(), presence, "{text}");
            if let Some(presence) = presence {
                assert_eq!(presence.to_string(), text);
            }
        }
    }
}
