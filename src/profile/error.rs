//! [`ProfileError`]: why there is no connection.

use std::path::PathBuf;

use super::key_file::KeyFileError;
use super::name::ProfileName;
use super::profile_lock::ProfileLockError;
use super::secret_source::SecretError;
use super::store::ProfileStoreError;
use crate::protocol::ServerGroupError;

/// The options do not make a connection.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a mediator nor a profile.
    #[error("{}", first_steps())]
    FirstRun,
    /// A mediator, but no key.
    #[error("no key given: --key-file FILE names the file that holds the group's key as 64 hex digits")]
    NoKeyFile,
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// `--server-group` is none.
    #[error("--server-group: {0}")]
    ServerGroup(#[from] ServerGroupError),
    /// A slot that is kept, for an id that nobody keeps.
    #[error(
        "--persistent keeps a slot for the id of this device: say it with --device-id HEX16, always the same, or add a \
         profile, which keeps its id; without, every start would take one more slot for good"
    )]
    NoDeviceId,
    /// The id that was made for a profile cannot be kept, or not be read.
    #[error(
        "cannot keep the id of this device in {}: {cause}; XDG_STATE_HOME can name a directory that can be written, or the \
         profile can say a device_id",
        path.display()
    )]
    DeviceIdFile {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system tells it.
        cause: String,
    },
    /// There is no state directory.
    #[error(
        "no place to keep the id of this device: HOME is not set, or names none that is there; it (or XDG_STATE_HOME) says \
         where, or the profile can say a device_id"
    )]
    NoPlaceForDeviceId,
    /// The profiles cannot be used.
    #[error(transparent)]
    Store(#[from] ProfileStoreError),
    /// The profile's key cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A join that was not finished, and whose slot could not be taken back yet.
    #[error(
        "the join of {0} was not finished, and its slot could not be taken back yet; that is tried at every start, with a \
         network. Then join again: d2mtop join"
    )]
    Joining(ProfileName),
    /// The profile is open elsewhere.
    #[error(transparent)]
    Lock(#[from] ProfileLockError),
    /// What a profile and the options make together is no connection.
    #[error("profile {name}: {cause}")]
    Of { name: ProfileName, cause: Box<ProfileError> },
}

impl ProfileError {
    /// Whether another program has the profile open; that may end.
    #[must_use]
    pub fn is_open_elsewhere(&self) -> bool {
        match self {
            Self::Of { cause, .. } => cause.is_open_elsewhere(),
            error => matches!(error, Self::Lock(ProfileLockError::Held { .. })),
        }
    }
}

/// How one begins: what for, and the command.
pub const FIRST_STEPS: [(&str, &str); 5] = [
    ("See it move first, with a simulated group", "d2mtop demo"),
    ("Join your own group: the phone scans a code", "d2mtop join"),
    (
        "Import the group's key; from then on you type d2mtop and nothing else",
        "d2mtop profile import home --key-file FILE --mediator production --server-group GROUP",
    ),
    (
        "Add your group by hand: the key stays in its file",
        "d2mtop profile add home --key-file FILE --mediator URL --server-group GROUP",
    ),
    ("Just look once, and keep nothing", "d2mtop --key-file FILE --url URL --server-group GROUP"),
];

fn first_steps() -> String {
    let steps = FIRST_STEPS.map(|(what, command)| format!("\n  {what}:\n    {command}"));
    format!("no profile yet, and no mediator given. How to begin:{}", steps.concat())
}
