//! The rendezvous of two devices that share nothing but a link, and what they then tell each other: keys, frames, messages.
//!
//! The *initiator* (RID) makes the link and shows it; the *responder* (RRD) reads it. When a device joins a group the new
//! device is the initiator. Both turn to the same path of a relay, prove to each other that they have the link, and agree
//! on keys that the link alone does not give. Whoever photographed the link is found out by [`Emoji`]: three pictures
//! that are the same on both screens only if nobody stands between.
//!
//! Everything here is a secret or follows from one: it wipes itself, and shows itself to nobody.

mod direction;
mod emoji;
mod essential;
mod fields;
mod frames;
mod handshake;
mod keys;
mod link;
mod message;
mod names;
mod names_wire;

pub use direction::{FrameDirection, NotAuthentic, Plain};
pub use emoji::Emoji;
pub use essential::{EssentialData, EssentialError};
pub use frames::{FrameError, FrameReader, MAX_FRAME, MAX_HANDSHAKE_FRAME};
pub use handshake::{Auth, AuthHello, CHALLENGE_LENGTH, Hello};
pub use keys::{AuthenticationKey, EphemeralSecret, FrameKey, RendezvousRole, TransportKeys, UnusableKey};
pub use link::{JoinLink, LinkError, RelayPath};
pub use message::{FromExisting, FromNew};
pub use names::{ContactName, GroupName, ListName, MAX_NAMES, Names};

use crate::protocol::CloseCode;

/// Close codes of the relay; some of their numbers mean something else at a mediator.
pub mod close {
    use super::CloseCode;

    /// All is said. Phones end with it, whatever happened.
    pub const DONE: CloseCode = CloseCode::NORMAL;
    /// The other side broke the rules of the rendezvous. Is not passed on: its peer sees [`PEER_GONE`].
    pub const RENDEZVOUS_ERROR: CloseCode = CloseCode(4000);
    /// Nobody else came in time.
    pub const WAIT_OVER: CloseCode = CloseCode(4003);
    /// The other side is gone.
    pub const PEER_GONE: CloseCode = CloseCode(4004);
    /// What was to be done over the rendezvous failed, or a person ended it.
    pub const FAILED: CloseCode = CloseCode(4100);

    /// Whether a relay passes this code on to the other side.
    #[must_use]
    pub const fn is_mirrored(code: CloseCode) -> bool {
        matches!(code.0, 1000 | 4100..=4199)
    }
}
