//! [`LoadedKey`]: a group's key in memory, and where it was found.

use std::sync::Arc;

use super::error::ProfileError;
use super::key_file;
use super::secret_source::SecretSource;
use super::secrets::PassphraseSource;
use super::selected::SelectedProfile;
use super::settings::ConnectionSettings;
use crate::protocol::{GroupKeys, GroupSecret};
use crate::text::Clean;

/// The keys of a group, and where they come from.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    source: SecretSource,
    pub(super) keys: Arc<GroupKeys>,
    /// There if it is to be given to another device.
    secret: Option<Arc<GroupSecret>>,
}

impl LoadedKey {
    /// Loads the key that the settings name, or the profile's. One that is loaded already serves as long as it is to come
    /// from the same place: it is not asked for twice, and nobody is asked for a passphrase any more.
    pub(super) fn load(
        settings: &ConnectionSettings,
        selected: Option<&SelectedProfile>,
        loaded: Option<&Self>,
    ) -> Result<Self, ProfileError> {
        let source = match (&settings.key_file, selected) {
            (Some(path), _) => SecretSource::file(path.clone()),
            (None, Some(selected)) => selected.key_source()?,
            (None, None) => return Err(ProfileError::NoKeyFile),
        };
        let dialect = settings.dialect;
        if let Some(loaded) = loaded.filter(|loaded| loaded.source == source && loaded.keys.dialect() == dialect) {
            return Ok(loaded.clone());
        }
        let secret = match (&settings.key_file, selected) {
            (None, Some(selected)) => {
                let mut passphrase = match loaded {
                    None => PassphraseSource::new(settings.passphrase_fd),
                    Some(_) => PassphraseSource::Nobody,
                };
                source.load(&selected.name, &mut passphrase)?
            }
            (Some(path), _) => key_file::read(path)?,
            (None, None) => return Err(ProfileError::NoKeyFile),
        };
        let keys = Arc::new(GroupKeys::derive(dialect, &secret));
        Ok(Self { source, keys, secret: settings.keeps_secret.then(|| Arc::new(secret)) })
    }

    /// The key itself, if it was kept.
    #[must_use]
    pub fn secret(&self) -> Option<&GroupSecret> {
        self.secret.as_deref()
    }

    /// Where it was found, in words.
    #[must_use]
    pub fn place(&self) -> Clean {
        Clean::new(&self.source.to_string())
    }
}
