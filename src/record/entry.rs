//! What a recording consists of: the entries of a segment, as they are written.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::private::Private;
use crate::protocol::{Dialect, Millis};
use crate::session::{CarriedPrivate, CarriedState, Now};

/// One entry of a segment. The first is a start; every input is followed by what followed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordEntry {
    Start(Box<SegmentStart>),
    Input(Moment, RecordedInput),
    Followed(Followed),
}

/// When an input came, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Unix time in milliseconds.
    pub wall: u64,
    /// Nanoseconds by the clock that is never set.
    pub precise: u64,
}

/// What a segment begins with: who is recorded, and what it carried over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentStart {
    /// The build that wrote it.
    pub version: String,
    /// Random bytes of the run of the program.
    pub run: [u8; 8],
    /// Which session of the run.
    pub session: u32,
    /// Which segment of that session.
    pub segment: u32,
    /// Whether the group speaks `mk`.
    pub is_mk: bool,
    pub group_id: [u8; 32],
    /// The mediator's host and port.
    pub host: String,
    pub accepts_any_certificate: bool,
    /// Which demo it is, if it is one; its key is nobody's secret.
    pub demo_seed: Option<u64>,
    pub command: RecordedCommandLine,
    /// Whether a journal takes the messages.
    pub keeps: bool,
    pub carried: CarriedState,
    /// The seed of the randomness from here on; nothing secret is made of it.
    pub seed: [u8; 32],
    /// [`StartPrivate`].
    pub private: Private,
}

/// What only the group may read of a start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartPrivate {
    /// What the group is called on the screen.
    pub title: String,
    pub carried: CarriedPrivate,
    /// What conversations are called.
    pub names: Vec<RecordedName>,
}

/// What a conversation is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedName {
    /// A contact's identity, or who created a group; [`None`] for a distribution list.
    pub identity: Option<String>,
    /// Of a group or a list.
    pub id: Option<u64>,
    pub first: String,
    pub last: String,
    pub nickname: String,
}

/// What was run, as far as it decides what is printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordedCommandLine {
    #[default]
    Dashboard,
    /// `watch`, or `demo --headless`.
    Watch {
        until_dry: bool,
        /// As `--reconnect` has it.
        reconnect: String,
    },
    Proxy,
}

/// What the machine was told; what only the group may read is sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordedInput {
    Timer,
    LinkUp,
    /// Binary messages, one after the other, each behind its length as four bytes. Chat frames are zeros behind their header.
    Frames(Bytes),
    TextFrame,
    Pong,
    Alive,
    NotReading,
    Closed {
        code: u16,
        reason: String,
    },
    Unreachable(String),
    Busy {
        why: String,
        retry_after: Duration,
    },
    Broken(String),
    Durable {
        connection: u64,
        count: u64,
    },
    Redeliver {
        connection: u64,
    },
    Flushed,
    Command(RecordedCommand),
    HandOn {
        durable: bool,
    },
    /// Why the journal cannot be written, or under which name a damaged one is kept.
    Journal {
        state: RecordedJournal,
        words: Private,
    },
    JournalWorks {
        redeliver: Option<u64>,
    },
    Rest,
}

/// What is told of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordedJournal {
    Keeps,
    Failed,
    SetAside,
}

/// What was asked of the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordedCommand {
    RefreshDevices,
    Ping,
    TakeLock {
        scope: Private,
        ttl: Option<Duration>,
    },
    LookAtLock,
    ReleaseLock,
    DropDevice(u64),
    LeaveGroup,
    GiveUpSlot,
    AcknowledgeDevices,
    Reflect {
        envelope: Private,
        ephemeral: bool,
    },
    Probe,
    SetSharedDeviceData(Private),
    BeginProxy(u64),
    /// Only how many bytes.
    Proxy(u32),
    EndProxy,
    /// Whether the slot is expected to exist, if that is said.
    Reconnect {
        expects_existing: Option<bool>,
    },
    Leave,
}

/// What followed from an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    pub deeds: Vec<RecordedDeed>,
    /// Messages whose nonces the journal had, and whether they come again.
    pub known: Vec<(u32, Vec<u8>, bool)>,
    /// Which devices wrote messages of it.
    pub authors: Vec<u64>,
}

/// What the machine wanted done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordedDeed {
    Connect,
    /// A message as it went out.
    Sent(Bytes),
    Ping,
    Close(u16),
    /// Messages on their way to the journal, or told.
    Messages(RecordedMessages),
    /// How many acknowledgements were told, of which ids on, and the time they took.
    Acknowledged {
        count: u64,
        first: u32,
        waited: Duration,
    },
    Proxy(String),
    /// At which time what happened, in the words of the program.
    Told {
        at: u64,
        event: RecordedEvent,
    },
}

/// An event in the words of the program, a field a line; sealed where it tells what only the group may read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordedEvent {
    Plain(String),
    Private { name: String, words: Private },
}

/// Messages, as far as a difference is noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedMessages {
    /// Whether they are on their way to the journal.
    pub stored: bool,
    pub ids: Vec<u32>,
    /// A check of what the mediator tells of each, and of how it was taken.
    pub heads: Vec<u32>,
    /// A check of what each says.
    pub contents: Private,
}

impl From<Now> for Moment {
    fn from(now: Now) -> Self {
        Self { wall: now.wall.0, precise: u64::try_from(now.precise.as_nanos()).unwrap_or(u64::MAX) }
    }
}

impl From<Moment> for Now {
    fn from(moment: Moment) -> Self {
        Self { wall: Millis(moment.wall), precise: Duration::from_nanos(moment.precise) }
    }
}

impl SegmentStart {
    /// The dialect of the group.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        if self.is_mk { Dialect::Mk } else { Dialect::Dgk }
    }
}
