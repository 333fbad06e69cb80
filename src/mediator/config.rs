//! What whoever runs the mediator decides.

use std::time::Duration;

/// What whoever runs the mediator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediatorConfig {
    /// How many devices a group may have.
    pub max_slots: usize,
    /// How long a transaction may take at most.
    pub max_ttl: Duration,
    /// How long the slot of a volatile device outlives its connection.
    pub volatile_grace: Duration,
    /// How many messages may wait for a device before it loses its slot.
    pub queue_limit: usize,
    /// After what silence a connection is closed; never, if [`None`]. Any frame counts, pings and pongs included.
    pub idle_timeout: Option<Duration>,
    /// How long a client may take to log in.
    pub handshake_timeout: Duration,
    /// Whether there is a chat server to pass Proxy frames on to.
    pub chat_server: bool,
}

impl Default for MediatorConfig {
    fn default() -> Self {
        Self {
            max_slots: 5,
            max_ttl: Duration::from_mins(1),
            volatile_grace: Duration::from_mins(5),
            queue_limit: 100_000,
            // Long, because one widespread client never answers a ping.
            idle_timeout: Some(Duration::from_mins(10)),
            handshake_timeout: Duration::from_secs(20),
            chat_server: false,
        }
    }
}
