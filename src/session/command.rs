//! What can be asked of a session.

use std::time::Duration;

use bytes::Bytes;

use crate::protocol::{DeviceId, Envelope, SharedDeviceData, SlotState, TransactionScope};

/// A value that a person has been asked about and has agreed to.
///
/// Only the dialog of the dashboard, a command's `--yes`, and the demo's own devices may make one; a test reads the
/// sources and fails if anything else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed<T>(T);

impl<T> Confirmed<T> {
    /// To be called only after the object was named and a person agreed.
    pub const fn after_asking(value: T) -> Self {
        Self(value)
    }

    /// What was agreed to.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Tells one chat client from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatClientId(pub u64);

/// What can be asked of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask for the device list, which also measures the round trip.
    RefreshDevices,
    /// Send a WebSocket ping, which measures the round trip, too.
    Ping,
    /// Take the group's lock, waiting for it if another device has it.
    TakeLock {
        /// The scope of the transaction.
        scope: TransactionScope,
        /// For how long at most, counted from asking; [`None`] is a minute.
        ttl: Option<Duration>,
    },
    /// Find out who holds the lock: the mediator tells it only to a device that asks for it. It is given back at once if it
    /// is granted, and not waited for if it is not; others may have to wait meanwhile.
    LookAtLock,
    /// Commit and release the lock, or stop waiting for it.
    ReleaseLock,
    /// Drop a device by the full steps: lock, list, drop, commit.
    DropDevice(Confirmed<DeviceId>),
    /// Leave the group for good: drop our own device by the full steps, and end the session.
    LeaveGroup(Confirmed<()>),
    /// Drop our own device without the lock, and end the session: to be used only to take back a first login that nobody
    /// counts on, while the device that brought us in may hold the lock.
    GiveUpSlot,
    /// The user has seen which devices are new or changed: they count as known from now on.
    AcknowledgeDevices,
    /// Reflect to all other devices.
    Reflect {
        /// The envelope to be sealed and reflected.
        envelope: Box<Envelope>,
        /// Only to devices that are connected now.
        ephemeral: bool,
    },
    /// Measure how long the server takes to store a reflection, with one that changes nothing (`dgk` only). Devices that
    /// are not connected get it when they come back.
    Probe(Confirmed<()>),
    /// Set the data that all devices share.
    SetSharedDeviceData(Confirmed<SharedDeviceData>),
    /// A chat client is there whose frames are to be carried to the chat server, one at a time. It has to wait for
    /// [`super::ProxyOutput::Begins`]; from then on a promotion is kept until it goes.
    BeginProxy(ChatClientId),
    /// A frame of the chat client.
    Proxy(Bytes),
    /// The chat client has gone.
    EndProxy,
    /// Connect now instead of waiting; with a state, expect that one of the slot.
    Reconnect {
        /// [`None`] keeps the expectation.
        expect: Option<SlotState>,
    },
    /// Close the connection and end the session.
    Leave,
}
