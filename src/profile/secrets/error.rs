//! [`KeyStoreError`]: why a key cannot be loaded, saved or deleted.

use std::io;
use std::path::PathBuf;

use super::key_store::KeyStore;
use super::keyring::KeyringError;
use super::passphrase_file::PassphraseFileError;
use super::prompt::PromptError;
use crate::profile::key_file::KeyFileError;

/// The longest name that a key is kept under.
pub(super) const LONGEST_NAME: usize = 64;

/// A key cannot be loaded, saved or deleted. Its message never contains any of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The name cannot be that of a file.
    #[error(
        "a key is kept under a name of 1 to {LONGEST_NAME} letters, digits, dots, dashes and underscores, which does not start with a dot"
    )]
    Name,
    /// The store works, but has no such key.
    #[error("{}", not_there(.store, .name))]
    NotThere {
        /// Which store.
        store: KeyStore,
        /// Which name.
        name: String,
    },
    /// The keyring does not work.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The passphrase file cannot be used.
    #[error(transparent)]
    PassphraseFile(#[from] PassphraseFileError),
    /// There is no passphrase.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A credential is written by systemd only.
    #[error("a systemd credential is read only; change LoadCredentialEncrypted= of the unit instead")]
    ReadOnly,
    /// The file cannot be written or removed.
    #[error("cannot change {path}: {cause}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The store does not return the key that was saved.
    #[error("{0} took the key but does not give it back")]
    NotKept(KeyStore),
}

/// Names no key for a key file: it holds one key, whatever its name is.
fn not_there(store: &KeyStore, name: &str) -> String {
    match store {
        KeyStore::KeyFile(_) => format!("{store} does not exist"),
        KeyStore::Keyring | KeyStore::SystemdCredential(_) | KeyStore::PassphraseFile(_) => {
            format!("{store} has no key for {name:?}")
        }
    }
}
