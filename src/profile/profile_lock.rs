//! [`ProfileLock`]: one profile is open in one program only, or each would throw the other off the mediator.

use std::io;
use std::path::{Path, PathBuf};

use super::directories;
use super::name::ProfileName;
use crate::os::lock_file::{self, LockFile, LockFileError};

/// In the state directory of the profile.
pub(super) const FILE: &str = "lock";

/// A lock on one profile. It lasts until it is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct ProfileLock {
    _file: LockFile,
}

/// The profile cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum ProfileLockError {
    /// Another process has it open.
    #[error("the profile {name} is open in another d2mtop{}; quit that one first", lock_file::process(*.process))]
    Held {
        name: ProfileName,
        /// The other program's process id, if it says.
        process: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error(
        "cannot tell whether the profile is open elsewhere: {}: {cause}; XDG_STATE_HOME can name a directory that can be \
         written",
        path.display()
    )]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
}

impl ProfileLock {
    /// Locks the profile; [`None`] without a home directory, where there is no lock file.
    ///
    /// # Errors
    /// If another process has it open, or the lock file cannot be used.
    pub fn take(name: &ProfileName) -> Result<Option<Self>, ProfileLockError> {
        directories::profile_state(name).map(|directory| Self::take_at(&directory.join(FILE), name)).transpose()
    }

    /// The process that has the profile open, if one has.
    #[must_use]
    pub fn holder(name: &ProfileName) -> Option<u32> {
        // Not made where there is none: looking changes nothing.
        let path = directories::profile_state(name)?.join(FILE);
        if !path.exists() {
            return None;
        }
        match Self::take_at(&path, name) {
            Err(ProfileLockError::Held { process, .. }) => process,
            _ => None,
        }
    }

    fn take_at(path: &Path, name: &ProfileName) -> Result<Self, ProfileLockError> {
        match LockFile::take(path) {
            Ok(file) => Ok(Self { _file: file }),
            Err(LockFileError::Held(process)) => Err(ProfileLockError::Held { name: name.clone(), process }),
            Err(LockFileError::File(cause)) => Err(ProfileLockError::File { path: path.to_owned(), cause }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("profiles/home/lock");
        let name: ProfileName = "home".parse().unwrap();
        let first = ProfileLock::take_at(&path, &name).unwrap();
        let words = ProfileLock::take_at(&path, &name).unwrap_err().to_string();
        assert!(words.contains("home") && words.contains(&format!("process {}", std::process::id())), "{words}");
        drop(first);
        assert!(ProfileLock::take_at(&path, &name).is_ok(), "free again");
    }
}
