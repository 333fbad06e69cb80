//! [`KeyStore`]: a place that can hold a group's key.

use std::fmt;
use std::path::PathBuf;

/// A kind of [`KeyStore`], as profiles name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyStoreKind {
    /// The keyring of the operating system.
    Keyring,
    SystemdCredential,
    /// A file that only its owner can read.
    KeyFile,
    /// A file sealed with a passphrase.
    PassphraseFile,
}

/// A place that can hold the key of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStore {
    /// The keyring of the operating system.
    Keyring,
    /// The directory that systemd put credentials into.
    SystemdCredential(PathBuf),
    /// A file with 64 hex digits.
    KeyFile(PathBuf),
    /// A file sealed with a passphrase.
    PassphraseFile(PathBuf),
}

impl fmt::Display for KeyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => formatter.write_str("the keyring of the operating system"),
            Self::SystemdCredential(directory) => write!(formatter, "a systemd credential in {}", directory.display()),
            Self::KeyFile(path) => write!(formatter, "the key file {}", path.display()),
            Self::PassphraseFile(path) => write!(formatter, "the passphrase file {}", path.display()),
        }
    }
}

impl KeyStore {
    #[must_use]
    pub const fn kind(&self) -> KeyStoreKind {
        match self {
            Self::Keyring => KeyStoreKind::Keyring,
            Self::SystemdCredential(_) => KeyStoreKind::SystemdCredential,
            Self::KeyFile(_) => KeyStoreKind::KeyFile,
            Self::PassphraseFile(_) => KeyStoreKind::PassphraseFile,
        }
    }
}
