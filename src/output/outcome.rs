//! How the program ends: in words for people, in an exit code for scripts.

use std::io;
use std::path::PathBuf;

use rustix::process::Signal;

use super::connecting::explain_address;
use crate::journal::JournalError;
use crate::net::{AddressError, TlsError};
use crate::profile::{DeviceInUse, ProfileError, ProfileName};
use crate::record::RecordError;
use crate::store::StoreError;
use crate::text::Clean;

/// What the exit codes say, for the manual pages.
pub const EXIT_CODES: [(&str, &str); 16] = [
    (
        "0",
        "ended as asked, which a signal is for what goes on until then (`watch`, `proxy`, `mediator`, `demo`, `probe`, \
         `devices --watch-changes`, `lock` without a command, the dashboard); or nobody reads the output any more, where that \
         ends a command; or the mediator left in good order",
    ),
    (
        "1",
        "could not start, or output failed; or the session or the mediator did not do what was asked; the doctor found \
         something that does not work; `replay`: the recording cannot be read to its end, or `--check` found a difference",
    ),
    ("2", "the options cannot be used, or the profile is unusable"),
    (
        "3",
        "the mediator did not take the login, or closed the connection until somebody decides (41xx), or did not let this \
         device leave the group",
    ),
    (
        "4",
        "the connection could not be made, or was lost, or the mediator did not answer in time, or no probe at all; `mediator status` and the like: there is no mediator at the socket; `admit`: also the relay or the new device; also when \
         that kept this device in the group",
    ),
    (
        "5",
        "`drop`, `mediator drop`, `mediator forget`: a name fits no device or group, or more than one; nothing was dropped",
    ),
    (
        "6",
        "nobody agreed: the answer was no, or there is no terminal to ask on and no `--yes`; `admit`: also no answer, or no link",
    ),
    (
        "7",
        "the profile is open in another d2mtop, and stayed so for `--wait-profile`; or another one runs as this device, or \
         uses the `--data` of this mediator, or records to the folder of `--record`",
    ),
    ("8", "`join`: the phone ended it: somebody cancelled there, or the emoji did not match; nothing is linked"),
    ("9", "`join`: what came was not from the phone that scanned the code, or no phone sends such; nothing is linked"),
    ("124", "the lock was not to be had within `--wait` (`drop`: within 20 s; `admit`: within a minute)"),
    ("125", "`lock`: the lock was lost; or this device was leader for a minute, and gave it back or waited no longer"),
    ("126", "`lock`: the command cannot be run"),
    ("127", "`lock`: the command was not found"),
    ("129, 130, 131, 143", "SIGHUP, SIGINT, SIGQUIT or SIGTERM ended a command that does one thing and ends"),
    ("any", "`lock`: that of the command; 128 and the signal's number if a signal ended it, or ended the waiting"),
];

/// Another program of this user has what we need; that may end.
const OPEN_ELSEWHERE: u8 = 7;

/// An end without an error of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Normal,
    /// The server did not take the login, or does not want this device until somebody decides.
    Refused,
    /// The connection could not be made, or was lost.
    Lost,
    /// The doctor found something that does not work.
    Unwell,
    /// Something else follows than when it was recorded.
    Different,
    /// No device is called so, or more than one.
    NoSuchDevice,
    /// A person did not agree, or could not be asked.
    NotConfirmed,
    /// The lock was not to be had in time.
    LockBusy,
    /// The lock was lost before what was done under it was over.
    LockLost,
    /// The other device of a join ended it.
    PeerStopped,
    /// The other device of a join, or who stood between, did not keep to the protocol.
    PeerWrong,
    /// A signal ended what does one thing and ends.
    Signalled(u8),
    /// A command ran, and this is its exit code.
    Ran(u8),
}

/// Why the program could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The options are no connection.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A profile's connection cannot be made.
    #[error("profile {name}: {cause}")]
    OfProfile { name: ProfileName, cause: Box<Failure> },
    /// The group was not left for good, so the profile stays.
    #[error(
        "{why}. The profile {name} stays; try again later, or remove it without --leave-group and drop its device \
         from another one"
    )]
    NotLeft {
        name: ProfileName,
        /// What came of it.
        why: String,
        /// Whether the server, or the session, did not let us.
        refused: bool,
    },
    /// The mediator's address cannot be used.
    #[error("{}", explain_address(.0))]
    Address(#[from] AddressError),
    /// Another process is this device; both logged in would throw each other out.
    #[error(transparent)]
    InUse(#[from] DeviceInUse),
    /// An option cannot be used, for a reason only a mode knows.
    #[error("{0}")]
    Usage(String),
    /// Something else than was asked, for a reason only a mode knows.
    #[error("{words}")]
    Ended {
        /// What came of it.
        outcome: Outcome,
        /// The words that are shown.
        words: String,
    },
    /// The command to run under the lock cannot be run.
    #[error("cannot run {command}: {cause}")]
    Command {
        command: Clean,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// There is no terminal to draw on.
    #[error("standard input and output are not a terminal; use d2mtop watch (or demo --headless) without one")]
    NoTerminal,
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The mediator's store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What happens cannot be recorded, or a recording not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The mediator's store failed while it ran.
    #[error("{0}")]
    StoreFailed(Clean),
    /// The mediator did not do what its operator asked for.
    #[error("{0}")]
    NotDone(Clean),
    /// Standard output failed.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// A part of the program failed in a way that it should not.
    #[error("d2mtop itself failed; what is above says where. Please report it")]
    Panicked,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(io::Error),
    /// The mediator's certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// The system does not give the address to listen at.
    #[error("cannot listen at {address}: {cause}{}", advice(cause))]
    Listen {
        address: Clean,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The file for the port cannot be written.
    #[error("cannot write the port to {}: {cause}", path.display())]
    PortFile {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The system gives no event loop, thread or socket.
    #[error("cannot start: {0}")]
    Start(io::Error),
}

impl Outcome {
    /// The end by a signal, as a shell has it.
    #[must_use]
    pub fn by_signal(signal: Signal) -> Self {
        Self::Ran(u8::try_from(signal.as_raw().saturating_add(128)).unwrap_or(u8::MAX))
    }

    /// The exit code. Those about the lock are where commands that run others have theirs, so that hardly any command
    /// under the lock has the same.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Unwell | Self::Different => 1,
            Self::Refused => 3,
            Self::Lost => 4,
            Self::NoSuchDevice => 5,
            Self::NotConfirmed => 6,
            Self::PeerStopped => 8,
            Self::PeerWrong => 9,
            Self::Signalled(number) => number.saturating_add(128),
            Self::LockBusy => 124,
            Self::LockLost => 125,
            Self::Ran(code) => code,
        }
    }
}

impl Failure {
    /// The exit code: 2 for options that cannot be used, 7 for what another program has, 127 and 126 as a shell has them for a command that is not there or
    /// cannot be run, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Ended { outcome, .. } => outcome.exit_code(),
            Self::Command { cause, .. } if cause.kind() == io::ErrorKind::NotFound => 127,
            Self::Command { .. } => 126,
            Self::OfProfile { cause, .. } => cause.exit_code(),
            Self::Profile(error) if error.is_open_elsewhere() => OPEN_ELSEWHERE,
            Self::InUse(_)
            | Self::Journal(JournalError::InUse(_))
            | Self::Store(StoreError::InUse { .. })
            | Self::Record(RecordError::InUse { .. }) => OPEN_ELSEWHERE,
            Self::NotLeft { refused: true, .. } => Outcome::Refused.exit_code(),
            Self::NotLeft { .. } => Outcome::Lost.exit_code(),
            Self::Profile(_) | Self::Address(_) | Self::Usage(_) | Self::NoTerminal | Self::Certificate(_) => 2,
            Self::Panicked
            | Self::Output(_)
            | Self::Journal(_)
            | Self::Store(_)
            | Self::StoreFailed(_)
            | Self::NotDone(_)
            | Self::Record(_)
            | Self::Terminal(_)
            | Self::Start(_)
            | Self::Listen { .. }
            | Self::PortFile { .. } => 1,
        }
    }
}

/// What to do about an address that cannot be listened at.
fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AddrInUse => "; choose another port, or port 0 for any free one",
        io::ErrorKind::AddrNotAvailable => "; choose an address of this machine, such as 127.0.0.1",
        io::ErrorKind::PermissionDenied => "; choose a port above 1023",
        _ => "",
    }
}
