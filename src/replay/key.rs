//! [`KeyChoice`]: which key opens a recording.

use std::path::PathBuf;

use crate::output::Failure;
use crate::profile::secrets::PassphraseSource;
use crate::profile::{ProfileError, ProfileStore, SecretSource, read_key_file};
use crate::protocol::GroupSecret;

/// Which key opens a recording; none, if neither is named.
#[derive(Clone, Debug, Default)]
pub struct KeyChoice {
    /// A file with 64 hex digits.
    pub file: Option<PathBuf>,
    /// A profile of the user, and where its passphrase may come from.
    pub profile: Option<(String, Option<u32>)>,
}

impl KeyChoice {
    /// The key. A passphrase may be asked for.
    ///
    /// # Errors
    /// If the file is no key that only its owner can read, or the profile has none.
    pub fn secret(&self) -> Result<Option<GroupSecret>, Failure> {
        if let Some(path) = &self.file {
            return Ok(Some(read_key_file(path).map_err(ProfileError::from)?));
        }
        let Some((name, descriptor)) = &self.profile else { return Ok(None) };
        let store = ProfileStore::of_user().map_err(ProfileError::from)?;
        let profiles = store.read().map_err(ProfileError::from)?;
        let (name, record) = profiles.find(name).map_err(ProfileError::from)?;
        let source = SecretSource::of(name, record, store.directory()).map_err(ProfileError::from)?;
        let secret = source.load(name, &mut PassphraseSource::new(*descriptor)).map_err(ProfileError::from)?;
        Ok(Some(secret))
    }
}
