//! What goes into a join, and what comes out.

use std::time::Duration;

use super::cause::{JoinCause, LoginFailure};
use crate::rendezvous::link::{LinkInput, LinkOutput};
use crate::rendezvous::wire::{Emoji, EssentialData};
use crate::text::Clean;

/// How long a new device waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinTiming {
    /// From the moment that the other device is there to the last byte of the data: a person compares pictures, and on a
    /// first link a phone ends its forward-secrecy sessions, which takes minutes.
    pub data: Duration,
    /// From there until the slot is taken; a phone holds the group's lock so long.
    pub registration: Duration,
    /// For taking back a slot, and for the last message to leave.
    pub clean_up: Duration,
}

impl Default for JoinTiming {
    fn default() -> Self {
        Self {
            data: Duration::from_secs(15 * 60),
            registration: Duration::from_secs(60),
            clean_up: Duration::from_secs(10),
        }
    }
}

/// What a join is told.
#[derive(Debug)]
pub enum JoinInput {
    /// The time asked for by [`super::Join::deadline`] has come.
    Timer,
    /// Of the connection to the relay.
    Link(LinkInput),
    /// All that was handed out to be sent has been written to the socket.
    Flushed,
    /// The last [`JoinOutput::Persist`] is durable.
    Persisted,
    /// The data could not be kept, for this reason.
    PersistFailed(Clean),
    /// The slot is taken, and the device list came.
    LoggedIn {
        /// How many devices it has beside ourselves.
        others: usize,
    },
    /// The slot is not taken, or the device list did not come.
    LoginFailed {
        /// What the mediator or the link said.
        failure: LoginFailure,
        /// Whether the slot may have been taken all the same.
        slot_may_be_taken: bool,
    },
    /// The slot is free again: the mediator says so, or says that it never knew it.
    Dropped,
    /// It could not be reached for that.
    NotDropped,
    /// The user leaves.
    Cancel,
}

/// What is to be made durable.
#[derive(Debug)]
pub enum Persist {
    /// A whole profile with key and device id, marked as joining: should the program end now, the next start finds it
    /// and takes the slot back.
    Joining(Box<EssentialData>),
    /// The same profile, marked as registered.
    Registered,
}

/// What a join wants done, in this order.
#[derive(Debug)]
pub enum JoinOutput {
    /// Do this on the connection to the relay.
    Link(LinkOutput),
    /// Tell that this happened.
    Event(JoinEvent),
    /// Make this durable, then report [`JoinInput::Persisted`].
    Persist(Persist),
    /// Take the slot at the mediator, as a device that it does not know yet, and ask for the device list; then report
    /// [`JoinInput::LoggedIn`]. Nothing is sent to a mediator before this.
    LogIn,
    /// Have our own slot dropped, without a transaction: the other device may hold it. The rendezvous is closed by then.
    DropSlot,
    /// Delete the profile.
    Forget,
    /// Nothing more comes.
    Ended(JoinEnd),
}

/// What a user is told on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinEvent {
    /// The other device is there, and has the link.
    PeerThere,
    /// Both sides show these; the user compares, and says so on the other device.
    Emoji([Emoji; 3]),
    /// The user has confirmed there; data follows.
    Begun,
    /// So much of it came.
    Progress {
        /// Bytes since the nomination.
        bytes: u64,
    },
    /// All of it came; so many names are in it.
    Received {
        /// Names of contacts, groups and distribution lists.
        names: usize,
    },
    /// This device has logged in, so that it has a slot now.
    SlotTaken,
}

/// How the join ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinEnd {
    /// The profile is there to stay.
    Registered {
        /// Whether the last word left for the other device. If not, it may undo the link, which the next login shows.
        is_confirmed: bool,
    },
    /// There is no profile.
    Failed {
        /// What it failed for.
        cause: JoinCause,
        /// Whether the slot could not be taken back: then the profile is still there, and the next start tries again.
        slot_left: bool,
    },
}
