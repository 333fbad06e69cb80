//! [`Hold`]: one profile is open in one program only, or each would throw the other off the mediator.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::name::ProfileName;
use super::{place, private};

/// In the directory of what the machine learns of a profile.
const FILE: &str = "lock";

/// Longer than anybody looks.
const A_MOMENT: Duration = Duration::from_millis(50);

/// The profile is ours until this is dropped, or the program ends in whatever way.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

/// The profile cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// It is open elsewhere.
    #[error("the profile {name} is open in another d2mtop{}; quit that one first", who(*.process))]
    Held {
        /// The profile.
        name: ProfileName,
        /// The other program's process id, if it says.
        process: Option<u32>,
    },
    /// The file that tells cannot be used.
    #[error("cannot tell whether the profile is open elsewhere: {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

fn who(id: Option<u32>) -> String {
    id.map(|id| format!(" (process {id})")).unwrap_or_default()
}

impl Hold {
    /// Takes the profile; [`None`] without a home directory, where nothing can be told.
    ///
    /// # Errors
    /// If another program has it, or the file system does not say.
    pub fn take(name: &ProfileName) -> Result<Option<Self>, HoldError> {
        place::profile_state(name).map(|directory| Self::take_at(&directory.join(FILE), name)).transpose()
    }

    /// The process that has the profile open, if one has.
    #[must_use]
    pub fn holder(name: &ProfileName) -> Option<u32> {
        // Not made where there is none: looking changes nothing.
        let path = place::profile_state(name)?.join(FILE);
        if !path.exists() {
            return None;
        }
        match Self::take_at(&path, name) {
            Err(HoldError::Held { process, .. }) => process,
            _ => None,
        }
    }

    fn take_at(path: &Path, name: &ProfileName) -> Result<Self, HoldError> {
        let unusable = |cause| HoldError::File { path: path.to_owned(), cause };
        if let Some(directory) = path.parent() {
            private::make_directory(directory).map_err(unusable)?;
        }
        // Not through a link: it is written to.
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
        let mut file = options.open(path).map_err(unusable)?;
        // Whoever only looks has it for a moment.
        let locked = file.try_lock().or_else(|_| {
            std::thread::sleep(A_MOMENT);
            file.try_lock()
        });
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.take(16).read_to_string(&mut text);
                return Err(HoldError::Held { name: name.clone(), process: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
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
        let first = Hold::take_at(&path, &name).unwrap();
        let words = Hold::take_at(&path, &name).unwrap_err().to_string();
        assert!(words.contains("home") && words.contains(&format!("process {}", std::process::id())), "{words}");
        drop(first);
        assert!(Hold::take_at(&path, &name).is_ok(), "free again");
    }
}
