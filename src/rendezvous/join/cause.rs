//! Why a join failed, in a sentence about both devices.

use crate::protocol::CloseCode;
use crate::rendezvous::failure::RendezvousFailure;
use crate::rendezvous::wire::EssentialError;
use crate::text::Clean;

/// What a join waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinStep {
    /// That the other device comes.
    Peer,
    /// That both devices prove that they know the link.
    Handshake,
    /// That the user confirms the pictures on the other device.
    Begin,
    /// The group's key, and who the user is.
    Data,
    /// Storing the profile and taking the slot.
    Registration,
}

impl JoinStep {
    /// What a stop here means for the other device.
    fn after_stopping(self) -> String {
        match self {
            Self::Peer => " before any phone came; nothing is linked".to_owned(),
            step => format!(", while {}; the phone shows that linking failed, and is as it was", step.words()),
        }
    }

    /// In words: "while …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Peer => "nobody had come yet",
            Self::Handshake => "the two devices were making themselves known",
            Self::Begin => "the emoji were to be confirmed on the phone",
            Self::Data => "the phone was sending the group's data",
            Self::Registration => "this device was taking its slot",
        }
    }
}

/// Why the slot could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginFailure {
    /// All slots are taken.
    #[error("all device slots of the group are taken: remove a device on the phone")]
    GroupFull,
    /// The mediator closed.
    #[error("the mediator refused this device ({code}: {}){}", code.meaning(), after_colon(.reason))]
    Closed {
        /// The code of the close frame.
        code: CloseCode,
        /// The text of the close frame, often empty.
        reason: Clean,
    },
    /// No connection, or it broke.
    #[error("the mediator cannot be reached: {}", .0.as_str())]
    Unreachable(Clean),
}

fn after_colon(reason: &Clean) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", reason.as_str()) }
}

/// Why a join failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinCause {
    /// The user of this device ended it, at this step.
    #[error("you stopped{}", .0.after_stopping())]
    Cancelled(JoinStep),
    /// The other device closed without a word: cancelled there, emoji that do not match, or a failure.
    #[error("the phone stopped, while {}: somebody cancelled there or the emoji did not match; nothing is linked", .0.words())]
    PeerStopped(JoinStep),
    /// The relay, the connection, or what came over it.
    #[error("{failure}, while {}; the phone shows that linking failed, start again on both", .step.words())]
    Rendezvous {
        /// How the rendezvous ended.
        failure: RendezvousFailure,
        /// What was waited for then.
        step: JoinStep,
    },
    /// Nothing came for too long.
    #[error("nothing came for too long, while {}; cancel on the phone, then start again on both", .0.words())]
    Silent(JoinStep),
    /// Neither of the three messages.
    #[error("the phone sent something that is no message of a join; update both, then start again")]
    NoMessage,
    /// Data came first.
    #[error("the phone sent data before it said that it begins; update both, then start again")]
    DataBeforeBegin,
    /// It began again.
    #[error("the phone began twice; update both, then start again")]
    SecondBegin,
    /// It did not stop.
    #[error("the phone sent something after the last of its data; update both, then start again")]
    DataAfterEssential,
    /// What came does not suffice.
    #[error("the phone sent its data, but {0}; nothing of it was kept, update both, then start again")]
    Essential(EssentialError),
    /// The disk, or the keyring.
    #[error("this device could not store its profile: {}; the phone undoes the link by itself", .0.as_str())]
    NotStored(Clean),
    /// The mediator did not take the first login.
    #[error("{0}; the phone undoes the link by itself")]
    Login(LoginFailure),
    /// It made a new group for us.
    #[error(
        "this mediator does not know the phone's group: it is not the one that the phone uses; the phone undoes the link \
         by itself"
    )]
    UnknownGroup,
}
