//! [`NamesFile`]: what the conversations of a profile's group are called, sealed.

use std::fs;
use std::io;
use std::path::PathBuf;

use rand::Rng as _;

use super::name::ProfileName;
use super::random::fresh_random;
use crate::os::private_files;
use crate::protocol::{GroupKeys, Nonce, OpenError, StateKey};
use crate::rendezvous::wire::Names;

/// In the state directory of the profile.
const FILE: &str = "names.sealed";

/// Where the names of a profile are.
#[derive(Clone, Debug)]
pub struct NamesFile(PathBuf);

/// Names cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NamesFileError {
    /// The file.
    #[error("cannot read the names in {}: {cause}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// What is in it.
    #[error("the names in {} cannot be opened: {cause}", path.display())]
    Content {
        /// The path of the file.
        path: PathBuf,
        /// Why.
        cause: OpenError,
    },
}

impl NamesFile {
    /// That of a profile; [`None`] without a home directory.
    #[must_use]
    pub fn of(name: &ProfileName) -> Option<Self> {
        Some(Self(super::directories::profile_state(name)?.join(FILE)))
    }

    /// Whether there are names.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.exists()
    }

    /// Keeps these names and no others, sealed with a key that follows from the group's.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, names: &Names, keys: &GroupKeys) -> io::Result<()> {
        let nonce = Nonce(fresh_random().r#gen());
        private_files::replace(&self.0, &StateKey::of(keys).seal(&names.encode(), nonce))
    }

    /// The names that are kept; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, or is another group's.
    pub fn read(&self, keys: &GroupKeys) -> Result<Names, NamesFileError> {
        let sealed = match fs::read(&self.0) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Names::default()),
            read => read.map_err(|cause| NamesFileError::File { path: self.0.clone(), cause })?,
        };
        let content = |cause| NamesFileError::Content { path: self.0.clone(), cause };
        let plain = StateKey::of(keys).open(&sealed).map_err(content)?;
        Names::read(&plain).map_err(|cause| content(cause.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Dialect, GroupSecret};
    use crate::rendezvous::wire::ContactName;
    use crate::text::Clean;

    #[test]
    fn names_are_kept_for_who_has_the_groups_key() {
        let home = tempfile::tempdir().unwrap();
        let file = NamesFile(home.path().join("profiles/home/names.sealed"));
        let keys = |secret: u8| GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [secret; 32]));
        assert!(!file.is_there() && file.read(&keys(1)).unwrap().is_empty());
        let echo = ContactName {
            identity: Clean::literal("ECHOECHO"),
            first: Clean::literal("Echo"),
            ..ContactName::default()
        };
        let names = Names { contacts: vec![echo], ..Names::default() };
        file.write(&names, &keys(1)).unwrap();
        assert_eq!(file.read(&keys(1)).unwrap(), names);
        assert!(matches!(file.read(&keys(2)), Err(NamesFileError::Content { .. })));
        assert!(!fs::read(&file.0).unwrap().windows(4).any(|window| window == b"Echo"));
    }
}
