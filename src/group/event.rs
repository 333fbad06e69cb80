//! The vocabulary of what happens in a group. The session speaks it, the group model keeps it, screens and scripts show it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::disconnect::{DisconnectCause, NextStep};
use super::journal_state::JournalState;
use super::known::DeviceChange;
use super::listed::ListedDevice;
use super::login::Login;
use super::reflected::ReflectedMessage;
use super::refusal::Refusal;
use crate::protocol::{DeviceId, Millis, OpenError, ReflectedId, Sealed, SharedDeviceData, TransactionScope};
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
        /// The ids of the acknowledged messages.
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
    /// The wall clock of this machine was moved. What was told in its times is to be moved with it.
    ClockMoved {
        /// By how many milliseconds since this was last told, forward or back.
        by: i64,
        /// How far the server's clock is ahead of ours now, in milliseconds, if it tells the time: the offset from the last
        /// login with the move taken off.
        clock_offset: Option<i64>,
    },
    /// The server was last heard when it said nothing that is told: told when a connection ends.
    LastHeard {
        /// When that was, by our clock.
        at: Millis,
    },
    /// The list of all devices.
    Devices(BTreeMap<DeviceId, ListedDevice>),
    /// A device of the list that is told next differs from what was known, or is missing there.
    DeviceChanged {
        /// The device that differs.
        device: DeviceId,
        /// How it differs from what was known.
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
        /// The request that was answered.
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
    /// What happens is no longer recorded, for this reason.
    RecordingStopped(Clean),
    /// The connection ended, or could not be made.
    Disconnected {
        /// The cause of the end.
        cause: DisconnectCause,
        /// Whether and when the session connects again.
        next: NextStep,
    },
}

impl Event {
    /// Whether it happened because a server that we are logged in to said so.
    pub(crate) const fn is_word_of_the_server(&self, is_logged_in: bool) -> bool {
        match self {
            // What refuses a login is a word, too, but brings nothing that is shown up to date.
            Self::Ignored(_) | Self::Disconnected { cause: DisconnectCause::ClosedByServer { .. }, .. } => is_logged_in,
            Self::LoggedIn(_)
            | Self::SharedDeviceData(_)
            | Self::Reflected(_)
            | Self::QueueDry
            | Self::Promoted
            | Self::Following
            | Self::Devices(_)
            | Self::DeviceDropped(_)
            | Self::ReflectionStored { .. }
            | Self::RoundTrip { .. } => true,
            Self::Lock(event) => matches!(
                event,
                LockEvent::HeldBy { .. }
                    | LockEvent::Acquired { .. }
                    | LockEvent::Released(_)
                    | LockEvent::Ended { .. }
            ),
            _ => false,
        }
    }

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

/// About the group's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockEvent {
    /// This device asked for the lock.
    Requested(LockScope),
    /// Another device has it; we wait for its end and ask again.
    HeldBy {
        /// The device that holds the lock.
        holder: DeviceId,
        /// The scope of its transaction.
        scope: LockScope,
    },
    /// This device holds the lock.
    Acquired {
        /// The scope of the transaction.
        scope: LockScope,
        /// When the server will take it back, if we asked for a limit.
        expires_at: Option<Millis>,
    },
    /// We committed; it is free.
    Released(LockScope),
    /// We no longer wait for it.
    Abandoned,
    /// The connection that held it is gone, and the lock with it.
    Lost(LockScope),
    /// Another device released it.
    Ended {
        /// The device that held the lock.
        holder: DeviceId,
        /// The scope of its transaction.
        scope: LockScope,
    },
}

/// What a lock is for; [`None`] if that does not decrypt or decode.
pub type LockScope = Option<TransactionScope>;

/// What a round trip was measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probe {
    /// WebSocket ping and pong.
    Ping,
    /// Asking for the device list.
    DevicesInfo,
}
