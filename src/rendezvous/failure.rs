//! Why a rendezvous ended before its time.

use super::link::RelayLinkEnd;
use crate::protocol::{CloseCode, DecodeError};
use crate::rendezvous::wire::{FrameError, NotAuthentic, UnusableKey, close};
use crate::text::Clean;

/// Why a rendezvous ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RendezvousFailure {
    /// Wrong key, wrong number, or changed on the way.
    #[error(
        "what came was not written by the device that the link is for: somebody else was there, or it was changed on the way"
    )]
    NotAuthentic,
    /// A frame's length is wrong.
    #[error("the other device sent something impossible: {0}")]
    Frame(FrameError),
    /// A message of the handshake is wrong.
    #[error("the other device does not speak the protocol: {0}")]
    Malformed(DecodeError),
    /// Our challenge came back changed.
    #[error("the other device did not answer the challenge of this one")]
    WrongResponse,
    /// Its key gives no secret.
    #[error("the other device's ephemeral key is unusable")]
    UnusableKey,
    /// The path was to be nominated, and something else came.
    #[error("the other device did not nominate the connection")]
    NotNominated,
    /// A text message.
    #[error("the relay passed on a text message, which the protocol does not have")]
    Text,
    /// The other device was there and then said nothing more.
    #[error("the other device fell silent during the handshake")]
    HandshakeSilent,
    /// Not even pings are answered.
    #[error("the relay fell silent")]
    RelaySilent,
    /// The relay waits for some minutes only.
    #[error("no other device came before the relay ended the wait")]
    WaitOver,
    /// It is there no more.
    #[error("the other device is gone from the relay")]
    PeerGone,
    /// It ended it; phones give no reason.
    #[error("the other device stopped")]
    PeerStopped,
    /// It failed, and says so.
    #[error("the other device gave up ({0})")]
    PeerFailed(CloseCode),
    /// For a reason that is told apart nowhere else.
    #[error("the relay closed the connection ({code}){}", words(.reason))]
    RelayClosed {
        /// The code of the close frame.
        code: CloseCode,
        /// The text of the close frame, often empty.
        reason: Clean,
    },
    /// No connection to the relay.
    #[error("the relay cannot be reached: {}", .0.as_str())]
    Unreachable(Clean),
    /// The connection broke.
    #[error("the connection to the relay broke: {}", .0.as_str())]
    Broken(Clean),
}

fn words(reason: &Clean) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", reason.as_str()) }
}

impl From<NotAuthentic> for RendezvousFailure {
    fn from(_: NotAuthentic) -> Self {
        Self::NotAuthentic
    }
}

impl From<UnusableKey> for RendezvousFailure {
    fn from(_: UnusableKey) -> Self {
        Self::UnusableKey
    }
}

impl From<FrameError> for RendezvousFailure {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<DecodeError> for RendezvousFailure {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<RelayLinkEnd> for RendezvousFailure {
    fn from(end: RelayLinkEnd) -> Self {
        match end {
            RelayLinkEnd::Closed { code: close::DONE, .. } => Self::PeerStopped,
            RelayLinkEnd::Closed { code: close::WAIT_OVER, .. } => Self::WaitOver,
            RelayLinkEnd::Closed { code: close::PEER_GONE, .. } => Self::PeerGone,
            RelayLinkEnd::Closed { code, .. } if close::is_mirrored(code) => Self::PeerFailed(code),
            RelayLinkEnd::Closed { code, reason } => Self::RelayClosed { code, reason },
            RelayLinkEnd::Unreachable(why) => Self::Unreachable(why),
            RelayLinkEnd::Broken(why) => Self::Broken(why),
        }
    }
}
