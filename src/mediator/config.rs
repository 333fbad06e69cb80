//! What whoever runs the mediator decides.

use std::time::Duration;

use super::prefixes::GroupPrefixes;
use super::queue::QueueLimits;

/// What whoever runs the mediator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediatorConfig {
    /// The groups that are served; others belong to other mediators.
    pub prefixes: GroupPrefixes,
    /// How many devices a group may have.
    pub max_slots: usize,
    /// How long a transaction may take at most.
    pub max_ttl: Duration,
    /// How long the slot of a volatile device outlives its connection.
    pub volatile_grace: Duration,
    /// How many messages may wait for a device before it loses its slot.
    pub queue_limit: usize,
    /// How many bytes may wait for a device before it loses its slot, with 128 for each message.
    pub queue_bytes: usize,
    /// How many clients may be logged in at once.
    pub max_connections: usize,
    /// How many groups there may be.
    pub max_groups: usize,
    /// How many bytes may be held for all groups and connections. Beyond, the group that holds most loses some of it.
    pub max_memory: usize,
    /// How long after its last login a group is forgotten.
    pub forget_after: Duration,
    /// After what silence a connection is closed; never, if [`None`]. Any frame counts, pings and pongs included.
    pub idle_timeout: Option<Duration>,
    /// After what time a client is closed that takes nothing of what is sent to it.
    pub write_timeout: Duration,
    /// After what time a connection is closed whose client has answered pings, and does no more.
    pub dead_after: Duration,
    /// How long a client may take to log in.
    pub handshake_timeout: Duration,
    /// Whether there is a chat server to pass Proxy frames on to.
    pub chat_server: bool,
    /// Whether there is a store: then [`Mediator::take_batch`](super::Mediator::take_batch) tells what has to be stored,
    /// and what clients may hear only afterwards waits for that.
    pub stores: bool,
}

impl MediatorConfig {
    pub(super) const fn queue_limits(&self) -> QueueLimits {
        QueueLimits { messages: self.queue_limit, bytes: self.queue_bytes }
    }

    /// After what silence of a client a ping asks whether it is still there, so that the answer comes before it counts as
    /// dead.
    pub(super) fn ping_after(&self) -> Duration {
        self.dead_after / 2
    }
}

impl Default for MediatorConfig {
    fn default() -> Self {
        Self {
            prefixes: GroupPrefixes::ALL,
            max_slots: 5,
            max_ttl: Duration::from_mins(1),
            volatile_grace: Duration::from_mins(5),
            queue_limit: 100_000,
            queue_bytes: 64 * 1024 * 1024,
            max_connections: 1_024,
            max_groups: 10_000,
            max_memory: 1024 * 1024 * 1024,
            forget_after: Duration::from_hours(90 * 24),
            // Long, because one widespread client never answers a ping.
            idle_timeout: Some(Duration::from_mins(10)),
            write_timeout: Duration::from_mins(1),
            dead_after: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(20),
            chat_server: false,
            stores: false,
        }
    }
}
