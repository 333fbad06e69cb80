//! [`Slowest`]: the messages that waited longest for their acknowledgement.

use std::time::Duration;

use crate::protocol::ReflectedId;

/// How many of the slowest messages are kept.
pub const MOST_SLOW: usize = 16;

/// A message that waited long for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowAcknowledgement {
    /// The number of its row.
    pub number: u64,
    /// Its id in our queue.
    pub id: ReflectedId,
    /// From receiving it until its acknowledgement left.
    pub waited: Duration,
}

/// The messages that waited longest, the slowest first.
#[derive(Debug, Default)]
pub(super) struct Slowest(Vec<SlowAcknowledgement>);

impl Slowest {
    pub(super) fn take(&mut self, slow: SlowAcknowledgement) {
        if self.0.len() == MOST_SLOW && self.0.last().is_some_and(|last| last.waited >= slow.waited) {
            return;
        }
        // Of those that waited equally long, the first stays first.
        let place = self.0.partition_point(|kept| kept.waited >= slow.waited);
        self.0.insert(place, slow);
        self.0.truncate(MOST_SLOW);
    }

    pub(super) fn as_slice(&self) -> &[SlowAcknowledgement] {
        &self.0
    }
}
