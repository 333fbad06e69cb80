//! How long things took: of all messages, by device and by kind, since the start and over the last minute.

mod course;
mod slowest;
mod spread;

use std::borrow::Cow;
use std::time::Duration;

use self::course::Course;
pub use self::course::{LatencySecond, SECONDS};
use self::slowest::Slowest;
pub use self::slowest::{MOST_SLOW, SlowAcknowledgement};
pub use self::spread::{LatencyPercentiles, LatencySpread};
use super::event::Probe;
use crate::protocol::d2d::{ContentKind, MessageType};
use crate::protocol::{DeviceId, Millis, ReflectedId};

/// What the age of a message is.
pub const AGE: &str = "from the mediator's storing a message until it was received here, corrected by the difference of \
                       the clocks: how long it waited in the queue, and the way here";

/// What the acknowledgement of a message is.
pub const ACKNOWLEDGEMENT: &str = "from receiving a message until its acknowledgement was written to the socket, which \
                                   includes making it durable in the journal, if there is one";

/// What a round trip is, in the words of the Latency pane.
pub const ROUND_TRIP: &str = "from asking the mediator until its answer: a WebSocket ping, the device list, or a \
                              reflection until it is stored for all other devices";

/// The most devices that are told apart; the others are taken together.
pub const MOST_DEVICES: usize = 16;

/// The most kinds that are told apart; the others are taken together.
pub const MOST_KINDS: usize = 32;

/// How long things took, and how much there was each second.
#[derive(Debug, Default)]
pub struct Latency {
    /// From receiving a message until its acknowledgement left; see [`ACKNOWLEDGEMENT`].
    pub acknowledgement: LatencySpread,
    /// From the server's storing a message until we received it; see [`AGE`].
    pub age: LatencySpread,
    /// WebSocket ping to pong.
    pub ping: LatencySpread,
    /// Asking for the device list until it came.
    pub devices_info: LatencySpread,
    /// Sending a reflection until the server stored it.
    pub reflection: LatencySpread,
    devices: Split<LatencyAuthor>,
    kinds: Split<LatencyKind>,
    slowest: Slowest,
    course: Course,
}

/// How long the messages of one device or kind took.
#[derive(Debug)]
pub struct MessageLatency {
    /// How long messages waited at the server; see [`AGE`].
    pub age: LatencySpread,
    /// See [`ACKNOWLEDGEMENT`].
    pub acknowledgement: LatencySpread,
}

/// How long the messages took by a key, of which there may be more than there is room for.
#[derive(Debug)]
struct Split<K> {
    places: Vec<(K, MessageLatency)>,
    others: MessageLatency,
}

impl<K> Default for Split<K> {
    fn default() -> Self {
        Self { places: Vec::new(), others: MessageLatency::default() }
    }
}

/// Who reflected messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatencyAuthor {
    /// The device of this id.
    Device(DeviceId),
    /// The seed's envelopes do not say, and some cannot be read.
    Unknown,
    /// Whoever there was no more room for.
    Other,
}

/// What messages are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatencyKind {
    /// A message of a type.
    Message(MessageType),
    /// A content without a type.
    Content(ContentKind),
    /// Nobody can read it.
    Unreadable,
    /// Whatever there was no more room for.
    Other,
}

/// What a message is counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) author: Option<DeviceId>,
    pub(super) sort: LatencyKind,
}

impl LatencyKind {
    pub(super) fn of(kind: Option<ContentKind>, message_type: Option<MessageType>) -> Self {
        match (kind, message_type) {
            (_, Some(message_type)) => Self::Message(message_type),
            (Some(kind), None) => Self::Content(kind),
            (None, None) => Self::Unreadable,
        }
    }

    /// The kind in words, as a table names it.
    #[must_use]
    pub fn words(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Message(message_type) => return message_type.name(),
            Self::Content(ContentKind::OutgoingMessage | ContentKind::IncomingMessage) => "message",
            Self::Content(ContentKind::OutgoingMessageUpdate) => "sent",
            Self::Content(ContentKind::IncomingMessageUpdate) => "read",
            Self::Content(ContentKind::UserProfileSync) => "profile sync",
            Self::Content(ContentKind::ContactSync) => "contact sync",
            Self::Content(ContentKind::GroupSync) => "group sync",
            Self::Content(ContentKind::DistributionListSync) => "distribution list sync",
            Self::Content(ContentKind::SettingsSync) => "settings sync",
            Self::Content(ContentKind::MdmParameterSync) => "MDM parameter sync",
            Self::Content(ContentKind::Unknown) => "unknown content",
            Self::Unreadable => "unreadable",
            Self::Other => "other",
        })
    }
}

impl Default for MessageLatency {
    fn default() -> Self {
        Self { age: LatencySpread::coarse(), acknowledgement: LatencySpread::coarse() }
    }
}

impl Latency {
    pub(super) const fn round_trip(&mut self, probe: Probe) -> &mut LatencySpread {
        match probe {
            Probe::Ping => &mut self.ping,
            Probe::DevicesInfo => &mut self.devices_info,
        }
    }

    /// The ages of messages, in the order of receipt; neighbours that are alike are recorded together.
    pub(super) fn received(&mut self, at: Millis, ages: &[(Duration, Origin)]) {
        for alike in ages.chunk_by(|one, next| one == next) {
            let Some((age, origin)) = alike.first().copied() else { continue };
            let count = count(alike);
            self.age.record_many(at, age, count);
            self.device(origin.author).age.record_many(at, age, count);
            self.kind(origin.sort).age.record_many(at, age, count);
        }
        let second = self.course.second(at);
        second.received = second.received.saturating_add(count(ages));
    }

    /// Messages whose acknowledgements left together, in the order of receipt.
    pub(super) fn acknowledged(&mut self, at: Millis, waited: Duration, origins: &[Origin]) {
        for alike in origins.chunk_by(|one, next| one == next) {
            let Some(origin) = alike.first() else { continue };
            let count = count(alike);
            self.acknowledgement.record_many(at, waited, count);
            self.device(origin.author).acknowledgement.record_many(at, waited, count);
            self.kind(origin.sort).acknowledgement.record_many(at, waited, count);
        }
        self.course.acknowledged(at, waited, count(origins));
    }

    /// One that may be among the slowest.
    pub(super) fn slow(&mut self, slow: SlowAcknowledgement) {
        self.slowest.take(slow);
    }

    fn device(&mut self, author: Option<DeviceId>) -> &mut MessageLatency {
        self.devices.of(author.map_or(LatencyAuthor::Unknown, LatencyAuthor::Device), MOST_DEVICES)
    }

    fn kind(&mut self, sort: LatencyKind) -> &mut MessageLatency {
        self.kinds.of(sort, MOST_KINDS)
    }

    /// By device, in the order of their first message.
    pub fn devices(&self) -> impl Iterator<Item = (LatencyAuthor, &MessageLatency)> {
        self.devices.iter(LatencyAuthor::Other)
    }

    /// By kind, in the order of their first message.
    pub fn kinds(&self) -> impl Iterator<Item = (LatencyKind, &MessageLatency)> {
        self.kinds.iter(LatencyKind::Other)
    }

    /// The messages that waited longest for their acknowledgement, the slowest first; their rows may have fallen out.
    #[must_use]
    pub fn slowest(&self) -> &[SlowAcknowledgement] {
        self.slowest.as_slice()
    }

    /// The last seconds, oldest first, ending with the one that `now` falls into.
    #[must_use]
    pub fn course(&self, now: Millis, seconds: usize) -> Vec<LatencySecond> {
        self.course.until(now, seconds)
    }

    /// The beginning of the last second in which anything happened; zero if nothing ever did.
    #[must_use]
    pub const fn newest(&self) -> Millis {
        self.course.newest()
    }

    /// Messages a second over the last few whole seconds.
    #[must_use]
    pub fn rate(&self, now: Millis) -> u32 {
        self.course.rate(now)
    }
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

impl SlowAcknowledgement {
    pub(super) const fn new(number: u64, id: ReflectedId, waited: Duration) -> Self {
        Self { number, id, waited }
    }
}

impl<K: Copy + PartialEq> Split<K> {
    /// The place of a key, or of all others once there is no more room.
    fn of(&mut self, key: K, most: usize) -> &mut MessageLatency {
        match self.places.iter().position(|(known, _)| *known == key) {
            Some(index) => self.places.get_mut(index).map_or(&mut self.others, |(_, waits)| waits),
            None if self.places.len() < most => {
                self.places.push((key, MessageLatency::default()));
                self.places.last_mut().map_or(&mut self.others, |(_, waits)| waits)
            }
            None => &mut self.others,
        }
    }

    /// The places, and all others last if there are any.
    fn iter(&self, others: K) -> impl Iterator<Item = (K, &MessageLatency)> {
        let others = Some((others, &self.others)).filter(|(_, waits)| waits.age.count() > 0);
        self.places.iter().map(|(key, waits)| (*key, waits)).chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(device: u64, message_type: u8) -> Origin {
        Origin { author: Some(DeviceId(device)), sort: LatencyKind::Message(MessageType(message_type)) }
    }

    #[test]
    fn many_devices_and_kinds_are_taken_together() {
        let mut latency = Latency::default();
        for number in 0..200_u8 {
            latency.received(Millis(1), &[(Duration::from_millis(5), origin(u64::from(number), number))]);
        }
        assert_eq!((latency.devices().count(), latency.kinds().count()), (MOST_DEVICES + 1, MOST_KINDS + 1));
        let others = |count: Option<u64>, most: usize| assert_eq!(count, Some(200 - most as u64));
        others(latency.devices().last().map(|(_, waits)| waits.age.count()), MOST_DEVICES);
        others(latency.kinds().last().map(|(_, waits)| waits.age.count()), MOST_KINDS);
    }

    #[test]
    fn the_slowest_come_first_and_are_few() {
        let mut latency = Latency::default();
        for number in 0..100_u32 {
            let waited = Duration::from_millis(u64::from(number * 37 % 100));
            let slow = SlowAcknowledgement::new(u64::from(number), ReflectedId(number), waited);
            latency.slow(slow);
        }
        let waited: Vec<u128> = latency.slowest().iter().map(|slow| slow.waited.as_millis()).collect();
        assert_eq!(waited, (84..100).rev().collect::<Vec<u128>>());
    }
}
