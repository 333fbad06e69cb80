//! What goes into an admission, and what comes out.

use std::time::Duration;

use crate::rendezvous::failure::RendezvousFailure;
use crate::rendezvous::link::{LinkInput, LinkOutput};
use crate::rendezvous::wire::Emoji;
use crate::text::Clean;

/// How long the existing device waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmitTiming {
    /// For a person to compare the pictures.
    pub confirmation: Duration,
    /// For the group's lock to be ours.
    pub lock: Duration,
    /// For the new device to take its slot. With [`Self::commit`] it is no longer than a minute, after which mediators take
    /// the lock back: a device that is only then confirmed would be one that nobody made room for.
    pub registration: Duration,
    /// For letting go of the lock.
    pub commit: Duration,
}

impl Default for AdmitTiming {
    fn default() -> Self {
        Self {
            confirmation: Duration::from_secs(15 * 60),
            lock: Duration::from_secs(60),
            registration: Duration::from_secs(50),
            commit: Duration::from_secs(10),
        }
    }
}

/// What an admission is told.
#[derive(Debug)]
pub enum AdmitInput {
    /// The time asked for by [`super::Admit::deadline`] has come.
    Timer,
    /// Of the connection to the relay.
    Link(LinkInput),
    /// Whether the pictures match, says the user.
    Match(bool),
    /// We hold the lock.
    TransactionOpen,
    /// Somebody else does, or the connection broke: in words.
    TransactionRefused(Clean),
    /// We have let go of it.
    TransactionEnded,
    /// The user leaves.
    Cancel,
}

/// What an admission wants done, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum AdmitOutput {
    /// Do this on the connection to the relay.
    Link(LinkOutput),
    /// Tell that this happened.
    Event(AdmitEvent),
    /// Take the lock for bringing in a new device, then report [`AdmitInput::TransactionOpen`].
    BeginTransaction,
    /// Let go of it, or take back that we want it, then report [`AdmitInput::TransactionEnded`].
    EndTransaction,
    /// Nothing follows. The device may be told.
    Ended(AdmitEnd),
}

/// What a person or a log is told on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmitEvent {
    /// The new device is there.
    PeerThere,
    /// Both sides show these; ask whether they match.
    Emoji([Emoji; 3]),
    /// The key is given.
    Sent {
        /// Bytes of key and names.
        bytes: usize,
    },
    /// The new device has its slot.
    Registered,
}

/// Whether the new device is in the group now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmitEnd {
    /// The new device is in the group.
    Admitted {
        /// Whether the lock is known to be free again.
        lock_is_free: bool,
    },
    /// It is not, as far as we know.
    Failed {
        /// What went wrong, and what to do.
        cause: AdmitCause,
        /// Whether it got the group's key all the same.
        key_given: bool,
    },
}

/// Why a device was not admitted, in a sentence about both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmitCause {
    /// The user of this device ended it.
    #[error("you stopped; the new device is told so")]
    Cancelled,
    /// Somebody stands between, or these are not the two that meet.
    #[error("the emoji do not match: somebody else has the link; the new device got nothing, make a new link there")]
    NoMatch,
    /// The new device closed.
    #[error("the new device stopped")]
    PeerStopped,
    /// The relay, the connection, or what came over it.
    #[error("{0}; make a new link on the new device")]
    Rendezvous(RendezvousFailure),
    /// The user did not say.
    #[error("nobody said in time whether the emoji match; the new device got nothing, make a new link there")]
    NotConfirmed,
    /// The lock was refused, or is held by another device; in words.
    #[error("the group's lock could not be taken: {}; the new device got nothing, make a new link there", .0.as_str())]
    Locked(Clean),
    /// No answer about the lock.
    #[error("the mediator did not give the group's lock in time; the new device got nothing, make a new link there")]
    NoLock,
    /// It spoke out of turn.
    #[error("the new device sent something before it was asked; it got nothing, make a new link there")]
    OutOfTurn,
    /// It sent something else than that it is registered.
    #[error("the new device did not answer as it should; look whether it is in the device list")]
    NoMessage,
    /// It did not say so in time.
    #[error(
        "the new device got the key but did not say in time that it has its slot; look whether it is in the device list"
    )]
    NotRegistered,
}
