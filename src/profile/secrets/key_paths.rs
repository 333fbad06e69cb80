//! [`KeyPaths`]: the paths of the files that can hold one key.

use std::path::{Path, PathBuf};

use super::error::{KeyStoreError, LONGEST_NAME};
use super::key_store::{KeyStore, KeyStoreKind};

/// The paths of the files that can hold the key of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPaths {
    /// The directory of systemd's credentials, if systemd handed over any.
    pub credentials: Option<PathBuf>,
    pub key_file: PathBuf,
    pub passphrase_file: PathBuf,
}

impl KeyPaths {
    /// Files in this directory, and the credentials.
    ///
    /// # Errors
    /// If the name cannot be that of a file.
    pub fn below(directory: &Path, credentials: Option<PathBuf>, name: &str) -> Result<Self, KeyStoreError> {
        check(name)?;
        Ok(Self {
            credentials,
            key_file: directory.join(format!("{name}.key")),
            passphrase_file: directory.join(format!("{name}.sealed")),
        })
    }

    /// The store of a kind; [`None`] for a credential if systemd handed over none.
    #[must_use]
    pub fn store(&self, kind: KeyStoreKind) -> Option<KeyStore> {
        match kind {
            KeyStoreKind::Keyring => Some(KeyStore::Keyring),
            KeyStoreKind::SystemdCredential => self.credentials.clone().map(KeyStore::SystemdCredential),
            KeyStoreKind::KeyFile => Some(KeyStore::KeyFile(self.key_file.clone())),
            KeyStoreKind::PassphraseFile => Some(KeyStore::PassphraseFile(self.passphrase_file.clone())),
        }
    }
}

/// Checks a name: it becomes part of a path and of the keyring's list.
pub(super) fn check(name: &str) -> Result<(), KeyStoreError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = (1..=LONGEST_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed);
    if good { Ok(()) } else { Err(KeyStoreError::Name) }
}
