//! What a simulated network brings, in the order of time.

use bytes::Bytes;
use d2mtop::protocol::{CloseCode, Millis};

/// What the network brings, to whom.
#[derive(Debug)]
pub enum Arrival {
    Opened {
        client: usize,
        wire: u64,
    },
    Unreachable {
        client: usize,
        wire: u64,
    },
    AtServer {
        wire: u64,
        packet: Packet,
    },
    AtClient {
        wire: u64,
        packet: Packet,
    },
    /// The end of a broken connection is noticed.
    BrokenAtClient {
        wire: u64,
    },
    BrokenAtServer {
        wire: u64,
    },
    Durable {
        client: usize,
        connection: u64,
        count: usize,
    },
}

#[derive(Debug)]
pub enum Packet {
    Frame(Bytes),
    Ping,
    Pong,
    Close(CloseCode),
}

pub struct Scheduled {
    pub at: Millis,
    pub order: u64,
    pub arrival: Arrival,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
