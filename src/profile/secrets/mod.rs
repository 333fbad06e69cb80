//! Where a group's key is kept, and how it gets there and back.
//!
//! Four stores: the keyring of the operating system, a systemd credential, a key file that only its owner can read, a file
//! sealed with a passphrase. A profile notes which one it is, so that nobody has to search. What passes through memory on the way is wiped; no error repeats any of it.

mod access;
mod error;
mod file;
mod key_paths;
mod key_store;
mod keyring;
mod passphrase_file;
mod prompt;
#[cfg(test)]
mod tests;

pub use access::try_keyring;
pub use error::KeyStoreError;
pub use key_paths::KeyPaths;
pub use key_store::{KeyStore, KeyStoreKind};
pub use keyring::KeyringError;
pub use passphrase_file::PassphraseFileError;
pub use prompt::{AskPassphrase, Passphrase, PassphraseSource, PromptError, keep_from_children};
