//! [`ProfileStoreError`]: why the profiles cannot be read or changed.

use std::io;
use std::path::PathBuf;

use crate::profile::name::ProfileName;
use crate::text::Clean;

/// The profiles cannot be read, or cannot be changed as asked.
#[derive(Debug, thiserror::Error)]
pub enum ProfileStoreError {
    /// There is no configuration directory.
    #[error(
        "no home directory: HOME is not set, or names none that is there; it (or XDG_CONFIG_HOME) says where profiles are kept"
    )]
    NoHome,
    /// The file cannot be read or written.
    #[error("cannot {verb} {}: {cause}", path.display())]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The file cannot be parsed.
    #[error("{}:{line}: {what}", path.display())]
    NotUnderstood {
        /// The path of the file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        what: Clean,
    },
    /// There is no profile of that name.
    #[error("there is no profile {name}; {}", known(names))]
    NoSuchProfile {
        name: Clean,
        /// Those that there are.
        names: Vec<ProfileName>,
    },
    /// There is one of that name already.
    #[error("there is a profile {0} already; choose another name, or remove it first: d2mtop profile remove {0}")]
    Exists(ProfileName),
    /// There are several, and none is the default.
    #[error("which profile? {}; d2mtop profile default NAME chooses one for good", known(.0))]
    NoDefault(Vec<ProfileName>),
}

fn known(names: &[ProfileName]) -> String {
    if names.is_empty() {
        return "there is none yet: d2mtop profile add --help".to_owned();
    }
    let names: Vec<&str> = names.iter().map(ProfileName::as_str).collect();
    format!("there are: {}", names.join(", "))
}
