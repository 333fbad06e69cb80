//! The vocabulary of what happens in a group. The session speaks it, the group model keeps it, screens and scripts show it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::journal_state::JournalState;
use super::known::DeviceChange;
use crate::protocol::d2d::{Envelope, Summary};
use crate::protocol::{
    Activity, CloseCode, DeviceId, DeviceInfo, Dialect, ExpirationPolicy, Millis, Nonce, OpenError, ReflectedHeader,
    ReflectedId, Sealed, SharedDeviceData, SlotState, TransactionScope,
};
use crate::text::Clean;

/// Something that happened, as told by a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A connection is being made.
    Connecting {
        /// Counts from 1 since the last good login.
        attempt: u32,
    },
    /// The WebSocket is open; the login is under way.
    Handshaking,
    /// The server took the login.
    LoggedIn(Login),
    /// The data that all devices share, as the server gave it at the login, if it has any.
    SharedDeviceData(Result<SharedDeviceData, OpenError>),
    /// Messages came out of the reflection queue, in order; they are not yet acknowledged.
    Reflected(Vec<ReflectedMessage>),
    /// Messages are durable, and their acknowledgements have left for the server; in the order of receipt.
    Acknowledged {
        /// Which.
        ids: Vec<ReflectedId>,
        /// From reading them off the socket to writing the acknowledgements to it.
        waited: Duration,
    },
    /// All that waited has been sent to us.
    QueueDry,
    /// This device is leader.
    Promoted,
    /// This device gives up being leader: it leaves and comes back.
    RoleGivenUp {
        /// When it will be back.
        back_at: Millis,
        /// How many times in a row a return ended in promotion.
        promotions_in_a_row: u32,
    },
    /// A login lasted as follower for long enough to know that another device leads.
    Following,
    /// The list of all devices.
    Devices(BTreeMap<DeviceId, ListedDevice>),
    /// A device of the list that is told next differs from what was known, or is missing there.
    DeviceChanged {
        /// Which.
        device: DeviceId,
        /// How.
        change: DeviceChange,
    },
    /// The user has seen which devices are new or changed.
    DevicesAcknowledged,
    /// About the group's lock.
    Lock(LockEvent),
    /// A device was dropped on our request.
    DeviceDropped(DeviceId),
    /// What we reflected is stored in the queues of all other devices.
    ReflectionStored {
        /// From sending to the server's acknowledgement.
        round_trip: Duration,
    },
    /// An answer came that measures the way to the server and back.
    RoundTrip {
        /// What was asked.
        probe: Probe,
        /// From sending to the answer.
        elapsed: Duration,
    },
    /// What was asked for could not be done.
    Refused(Refusal),
    /// The server sent something that is not understood; it was skipped.
    Ignored(Clean),
    /// Whether received messages are kept before they are acknowledged; told at the start, and when it changes.
    Journal(JournalState),
    /// The journal's file was damaged and is set aside under this name; a new one was begun.
    JournalSetAside(Clean),
    /// The connection ended, or could not be made.
    Disconnected {
        /// Why.
        cause: DisconnectCause,
        /// What comes next.
        next: NextStep,
    },
}

/// What the server said at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// This device.
    pub own: DeviceId,
    /// The dialect spoken.
    pub dialect: Dialect,
    /// How many slots the group has.
    pub max_device_slots: u32,
    /// Whether our slot is new.
    pub slot_state: SlotState,
    /// How far the server's clock is ahead of ours, in milliseconds, if it tells the time.
    pub clock_offset: Option<i64>,
    /// How many messages wait for us, if it tells.
    pub reflection_queue_length: Option<u32>,
    /// The lowest device-to-device version that all devices must speak, if set and readable.
    pub shared_version: Option<u32>,
}

/// The specification has a client warn when the clocks are further apart than this, in milliseconds.
const CLOCK_TOLERANCE: u64 = 20 * 60 * 1_000;

impl Login {
    /// How far the server's clock is ahead, in milliseconds, if that is too far.
    #[must_use]
    pub fn clock_apart(&self) -> Option<i64> {
        self.clock_offset.filter(|ahead| ahead.unsigned_abs() > CLOCK_TOLERANCE)
    }
}

/// How many of these are to be acknowledged: ephemeral ones never are.
#[must_use]
pub fn to_acknowledge(messages: &[ReflectedMessage]) -> usize {
    messages.iter().filter(|message| !message.ephemeral).count()
}

impl Event {
    /// Without sealed envelopes, for who queues events: each keeps what was read off the socket with it in memory.
    #[must_use]
    pub fn without_envelopes(mut self) -> Self {
        if let Self::Reflected(messages) = &mut self {
            for message in messages {
                message.envelope = Sealed::default();
            }
        }
        self
    }
}

/// A message out of our reflection queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReflectedMessage {
    /// Its id in our queue; not unique for ephemeral ones.
    pub id: ReflectedId,
    /// When the server stored it, by the server's clock.
    pub stored_at: Millis,
    /// When we got it, by our clock.
    pub received_at: Millis,
    /// The bytes of the sealed envelope.
    pub size: u32,
    /// What its header says of itself.
    pub header: ReflectedHeader,
    /// Whether it is ephemeral, and so never acknowledged.
    pub ephemeral: bool,
    /// Whether the same id was already received before a reconnect.
    pub redelivered: bool,
    /// Whether another message used the same nonce: a replay.
    pub repeated_nonce: bool,
    /// The nonce of its box, if it was long enough to have one.
    pub nonce: Option<Nonce>,
    /// What it says, or why that cannot be read.
    pub content: Result<Summary, OpenError>,
    /// The sealed envelope itself, for who wants to read all of it; shares memory with what was read off the socket.
    pub envelope: Sealed<Envelope>,
}

/// A device as it stands in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// What it says of itself, or why that cannot be read.
    pub info: Result<DeviceInfo, OpenError>,
    /// When it was there.
    pub activity: Activity,
    /// How long its slot is kept, if the value is known.
    pub expiration_policy: Option<ExpirationPolicy>,
}

/// About the group's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockEvent {
    /// We asked for it.
    Requested(Scope),
    /// Another device has it; we wait for its end and ask again.
    HeldBy {
        /// Who.
        holder: DeviceId,
        /// What for.
        scope: Scope,
    },
    /// It is ours.
    Acquired {
        /// What for.
        scope: Scope,
        /// When the server will take it back, if we asked for a limit.
        expires_at: Option<Millis>,
    },
    /// We committed; it is free.
    Released(Scope),
    /// We no longer wait for it.
    Abandoned,
    /// The connection that held it is gone, and the lock with it.
    Lost(Scope),
    /// Another device released it.
    Ended {
        /// Who had it.
        holder: DeviceId,
        /// What for.
        scope: Scope,
    },
}

/// What a lock is for; [`None`] if that does not decrypt or decode.
pub type Scope = Option<TransactionScope>;

/// What a round trip was measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probe {
    /// WebSocket ping and pong.
    Ping,
    /// Asking for the device list.
    DevicesInfo,
}

/// Why something that was asked for is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `--read-only`.
    #[error("not done: this is a read-only session (started with --read-only)")]
    ReadOnly,
    /// No login at the moment.
    #[error("not done: not connected; try again when the header says live")]
    NotConnected,
    /// We hold or await the lock already.
    #[error("not done: this device already holds or awaits the lock; release it first (L)")]
    LockBusy,
    /// There is no lock of ours to release.
    #[error("nothing to release: this device does not hold the lock")]
    NoLock,
    /// The device to drop is no longer in the list.
    #[error("not dropped: the device is no longer in the group")]
    NoSuchDevice,
    /// The connection ended before the server confirmed.
    #[error("the connection ended before the server confirmed; look at the list again before you repeat it")]
    Unconfirmed,
    /// The connection ended while the lock was awaited.
    #[error("not locked: the connection ended before the lock was granted; ask again (L)")]
    NotLocked,
    /// The message is too large to be delivered.
    #[error("not sent: the message is larger than can be delivered")]
    TooLarge,
    /// The message is made for the other dialect.
    #[error("not sent: the message is made for the other dialect, and no device here could read it")]
    NotInDialect,
    /// The dialect has nothing to reflect that changes nothing.
    #[error("not sent: dialect mk has no message that changes nothing anywhere")]
    NoProbe,
    /// More is asked than is being done.
    #[error("busy: too many requests are waiting; try again in a moment")]
    Busy,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectCause {
    /// The server closed with this code and these words.
    ClosedByServer {
        /// The code.
        code: CloseCode,
        /// The server's words, often none.
        reason: Clean,
        /// What this login expected of our slot.
        expected: SlotState,
    },
    /// No connection could be made: why.
    Unreachable(Clean),
    /// The connection broke without a close.
    Broken(Clean),
    /// No answer to a ping within its deadline.
    NoAnswer,
    /// The login took too long.
    HandshakeTimeout,
    /// The server broke the protocol: how.
    ServerProtocolError(Clean),
    /// We left because we were promoted to leader.
    LeaderRole,
    /// The visit is over: what waited was taken in, and the list was told.
    VisitOver,
    /// Messages that the journal could not take are fetched again, now that it can.
    JournalCaughtUp,
    /// The chat client that used the connection has gone; the next one needs a new one.
    ChatClientLeft,
    /// Our own device was dropped as the user asked.
    LeftGroup,
    /// The user asked.
    ByUser,
}

/// What a session does after a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Connects again by itself.
    RetryAt {
        /// When.
        at: Millis,
        /// The number of that attempt since the last good login.
        attempt: u32,
    },
    /// Waits until the user asks.
    WaitForUser,
    /// Nothing: the session is over.
    End,
}

impl DisconnectCause {
    /// An end by the server without words, after a login that expected its slot.
    #[cfg(test)]
    pub(crate) fn closed(code: CloseCode) -> Self {
        Self::ClosedByServer { code, reason: Clean::default(), expected: SlotState::Existing }
    }

    /// The names of all causes; the first is the only one with a close code.
    pub const NAMES: [&'static str; 12] = [
        "closed_by_server",
        "unreachable",
        "broken",
        "no_answer",
        "handshake_timeout",
        "server_protocol_error",
        "leader_role",
        "visit_over",
        "journal_caught_up",
        "chat_client_left",
        "left_group",
        "by_user",
    ];

    /// Whether the session comes again by itself and expects the other slot state: ours is not as expected for a harmless
    /// reason, as when it has expired while we stayed away.
    #[must_use]
    pub const fn tries_other_slot_state(&self, next: NextStep) -> bool {
        matches!(self, Self::ClosedByServer { code: CloseCode::SLOT_STATE_MISMATCH, .. })
            && matches!(next, NextStep::RetryAt { .. })
    }

    /// The name in NDJSON and in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ClosedByServer { .. } => "closed_by_server",
            Self::Unreachable(_) => "unreachable",
            Self::Broken(_) => "broken",
            Self::NoAnswer => "no_answer",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::ServerProtocolError(_) => "server_protocol_error",
            Self::LeaderRole => "leader_role",
            Self::VisitOver => "visit_over",
            Self::JournalCaughtUp => "journal_caught_up",
            Self::ChatClientLeft => "chat_client_left",
            Self::LeftGroup => "left_group",
            Self::ByUser => "by_user",
        }
    }
}

/// In words.
impl fmt::Display for DisconnectCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedByServer { code, reason, .. } => {
                write!(formatter, "{} ({code})", code.meaning())?;
                code.own_words(reason).map_or(Ok(()), |words| write!(formatter, ": {words}"))
            }
            Self::Unreachable(why) => write!(formatter, "cannot connect ({why})"),
            Self::Broken(why) if why.is_empty() => formatter.write_str("connection lost"),
            Self::Broken(why) => write!(formatter, "connection lost ({why})"),
            Self::NoAnswer => formatter.write_str("connection lost (no answer to ping)"),
            Self::HandshakeTimeout => formatter.write_str("the server did not finish the login in time"),
            Self::ServerProtocolError(how) => write!(formatter, "the server broke the protocol ({how})"),
            Self::LeaderRole => formatter.write_str("promoted to leader, and left"),
            Self::VisitOver => formatter.write_str("the visit is over"),
            Self::JournalCaughtUp => formatter.write_str("fetching what the journal could not take"),
            Self::ChatClientLeft => formatter.write_str("the chat client has gone"),
            Self::LeftGroup => formatter.write_str("left the group"),
            Self::ByUser => formatter.write_str("as you asked"),
        }
    }
}
