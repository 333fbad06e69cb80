//! Stores of a group's key.
//!
//! Four stores: the keyring of the operating system, a systemd credential, a key file that only its owner can read, a file
//! sealed with a passphrase. A profile notes which one has its key, so that none is searched. Buffers are wiped, and no error contains any of
//! the key.

mod access;
mod error;
mod key_paths;
mod key_store;
mod keyring;
mod passphrase_file;
mod patience;
mod prompt;
#[cfg(test)]
mod tests;

pub use access::try_keyring;
pub use error::KeyStoreError;
pub use key_paths::KeyPaths;
pub use key_store::{KeyStore, KeyStoreKind};
pub use keyring::KeyringError;
pub use passphrase_file::PassphraseFileError;
pub use prompt::{AskPassphrase, Passphrase, PassphraseSource, PromptError, keep_from_children, type_secret};
