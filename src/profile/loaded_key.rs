//! [`LoadedKey`]: a group's key in memory, and where it was found.

use std::sync::Arc;

use super::chosen::Chosen;
use super::secrets::PassphraseSource;
use super::{ProfileError, SecretSource, key_file};
use crate::cli::ConnectionArgs;
use crate::protocol::{Dialect, GroupKeys};
use crate::text::Clean;

/// The keys of a group, and where they come from.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    source: SecretSource,
    pub(super) keys: Arc<GroupKeys>,
}

impl LoadedKey {
    /// Loads the key that the options or the profile name. One that is loaded already serves as long as it is to come from
    /// the same place: it is not asked for twice, and nobody is asked for a passphrase any more.
    ///
    /// # Errors
    /// If nothing names a key, or it cannot be had.
    pub(super) fn find(
        options: &ConnectionArgs,
        chosen: Option<&Chosen>,
        dialect: Dialect,
        loaded: Option<&Self>,
    ) -> Result<Self, ProfileError> {
        let source = match (&options.key_file, chosen) {
            (Some(path), _) => SecretSource::file(path.clone()),
            (None, Some(chosen)) => chosen.source()?,
            (None, None) => return Err(ProfileError::NoKeyFile),
        };
        if let Some(loaded) = loaded.filter(|loaded| loaded.source == source && loaded.keys.dialect() == dialect) {
            return Ok(loaded.clone());
        }
        let secret = match (&options.key_file, chosen) {
            (None, Some(chosen)) => {
                let descriptor = options.passphrase.passphrase_fd;
                let mut passphrase =
                    if loaded.is_none() { PassphraseSource::new(descriptor) } else { PassphraseSource::Nobody };
                source.load(&chosen.name, &mut passphrase)?
            }
            (Some(path), _) => key_file::read(path)?,
            (None, None) => return Err(ProfileError::NoKeyFile),
        };
        Ok(Self { source, keys: Arc::new(GroupKeys::derive(dialect, &secret)) })
    }

    /// Where it was found, in words.
    #[must_use]
    pub fn place(&self) -> Clean {
        Clean::new(&self.source.to_string())
    }
}
