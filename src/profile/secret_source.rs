//! [`SecretSource`]: where the group's key of a profile is. Key files are one kind; another kind is another variant here,
//! and nobody else has to know.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::name::ProfileName;
use super::record::Record;
use super::{key_file, private};
use crate::protocol::GroupSecret;

/// Keys that d2mtop keeps itself, below its configuration directory.
const KEPT: &str = "keys";

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file that only its owner can read.
    KeyFile(PathBuf),
}

/// The secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] super::KeyFileError),
    /// Nothing says where it is.
    #[error(
        "the profile {0} has no key yet: name its file as key_file in profiles.toml, or open it with --key-file FILE"
    )]
    Nowhere(ProfileName),
    /// It cannot be kept.
    #[error("cannot keep the key in {}: {cause}", path.display())]
    NotKept {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl SecretSource {
    /// Where a profile's secret is; paths are relative to the directory of the profiles.
    ///
    /// # Errors
    /// If nothing says where.
    pub fn of(name: &ProfileName, record: &Record, directory: &Path) -> Result<Self, SecretError> {
        let path = record.key_file.as_ref().ok_or_else(|| SecretError::Nowhere(name.clone()))?;
        Ok(Self::KeyFile(directory.join(path)))
    }

    /// Reads the secret of a profile.
    ///
    /// # Errors
    /// If it cannot be read: why, and what to do; never what it says.
    pub fn load(&self, _name: &ProfileName) -> Result<GroupSecret, SecretError> {
        match self {
            Self::KeyFile(path) => Ok(key_file::read(path)?),
        }
    }

    /// Takes a secret into keeping, and says where it is now.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn keep(name: &ProfileName, secret: &GroupSecret, directory: &Path) -> Result<Self, SecretError> {
        let path = kept(name, directory);
        free(&path)
            .and_then(|()| private::replace(&path, secret.expose_hex().as_bytes()))
            .map_err(|cause| SecretError::NotKept { path: path.clone(), cause })?;
        Ok(Self::KeyFile(path))
    }

    /// Where the secret is once the profile has another name: what d2mtop keeps for it goes with it.
    ///
    /// # Errors
    /// If it cannot go there.
    pub fn follow(&self, from: &ProfileName, to: &ProfileName, directory: &Path) -> Result<Self, SecretError> {
        if !self.is_kept_for(from, directory) {
            return Ok(self.clone());
        }
        match self {
            Self::KeyFile(old) => {
                let path = kept(to, directory);
                // Where capitals make no difference, a name that differs in them only is the same file.
                let freed = if from.is_like(to) { Ok(()) } else { free(&path) };
                freed
                    .and_then(|()| std::fs::rename(old, &path))
                    .map_err(|cause| SecretError::NotKept { path: path.clone(), cause })?;
                Ok(Self::KeyFile(path))
            }
        }
    }

    /// Whether d2mtop keeps it for this profile, and nobody else has to do with it.
    #[must_use]
    pub fn is_kept_for(&self, name: &ProfileName, directory: &Path) -> bool {
        match self {
            Self::KeyFile(path) => *path == kept(name, directory),
        }
    }

    /// Deletes the secret if d2mtop keeps it for this profile; what a person put somewhere stays there.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub fn discard(&self, name: &ProfileName, directory: &Path) -> io::Result<bool> {
        if !self.is_kept_for(name, directory) {
            return Ok(false);
        }
        match self {
            Self::KeyFile(path) => match std::fs::remove_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                removed => removed.map(|()| true),
            },
        }
    }

    /// What a profile has to say of it.
    #[must_use]
    pub fn key_file(&self) -> Option<&Path> {
        match self {
            Self::KeyFile(path) => Some(path),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile(path) => write!(formatter, "key file {}", path.display()),
        }
    }
}

/// A key that is there already may be the only copy.
fn free(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(io::Error::other("there is a key already; move it away first")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn kept(name: &ProfileName, directory: &Path) -> PathBuf {
    directory.join(KEPT).join(format!("{name}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_kept_can_be_read_again_and_is_deleted_with_its_profile_only() {
        let home = tempfile::tempdir().unwrap();
        let (name, other): (ProfileName, ProfileName) = ("home".parse().unwrap(), "work".parse().unwrap());
        let digits = "0f".repeat(32);
        let secret = GroupSecret::from_hex(&digits).unwrap();
        let source = SecretSource::keep(&name, &secret, home.path()).unwrap();
        let SecretSource::KeyFile(path) = &source;
        assert_eq!(*source.load(&name).unwrap().expose_hex(), digits);
        assert!(!format!("{source} {source:?}").contains(&digits));
        assert!(!source.discard(&other, home.path()).unwrap() && path.exists());
        assert!(SecretSource::keep(&name, &secret, home.path()).is_err(), "a key is never overwritten");
        let moved = source.follow(&name, &other, home.path()).unwrap();
        assert!(!path.exists() && moved.load(&other).is_ok());
        assert!(SecretSource::keep(&name, &secret, home.path()).is_ok());
        assert!(moved.follow(&other, &name, home.path()).is_err(), "not over another one");
        assert!(source.discard(&name, home.path()).unwrap() && !path.exists());
        let own = home.path().join("mine.key");
        fs::write(&own, digits).unwrap();
        assert!(!SecretSource::KeyFile(own.clone()).discard(&name, home.path()).unwrap() && own.exists());
    }
}
