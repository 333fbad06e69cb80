//! Where a group's key is kept, and how it gets there and back.
//!
//! Four stores: the keyring of the operating system, a systemd credential, a key file that only its owner can read, a file
//! sealed with a passphrase. A profile notes which one it is, so that nobody has to search. What passes through memory on the way is wiped; no error repeats any of it.

mod keyring;
mod passphrase_file;
mod prompt;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

pub use keyring::KeyringError;
pub use passphrase_file::PassphraseFileError;
pub use prompt::{AskPassphrase, Passphrase, PassphraseSource, PromptError, keep_from_children};

use super::key_file::{self, KeyFileError};
use crate::cli::secrets::StoreArg;
use crate::os::private_files;
use crate::protocol::GroupSecret;

/// The longest name that a key is kept under.
const LONGEST_NAME: usize = 64;

/// A kind of [`Store`], as profiles and options name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// The keyring of the operating system.
    Keyring,
    /// A systemd credential.
    SystemdCredential,
    /// A file that only its owner can read.
    KeyFile,
    /// A file sealed with a passphrase.
    PassphraseFile,
}

impl From<StoreArg> for StoreKind {
    fn from(option: StoreArg) -> Self {
        match option {
            StoreArg::Keyring => Self::Keyring,
            StoreArg::File => Self::KeyFile,
            StoreArg::PassphraseFile => Self::PassphraseFile,
        }
    }
}

fn unwritable(path: &Path, cause: io::Error) -> SecretError {
    SecretError::Write { path: path.to_owned(), cause }
}

/// One place that holds, or could hold, the key of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The keyring of the operating system.
    Keyring,
    /// The directory that systemd put credentials into.
    SystemdCredential(PathBuf),
    /// A file with 64 hex digits.
    KeyFile(PathBuf),
    /// A file sealed with a passphrase.
    PassphraseFile(PathBuf),
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => formatter.write_str("the keyring of the operating system"),
            Self::SystemdCredential(directory) => write!(formatter, "a systemd credential in {}", directory.display()),
            Self::KeyFile(path) => write!(formatter, "the key file {}", path.display()),
            Self::PassphraseFile(path) => write!(formatter, "the passphrase file {}", path.display()),
        }
    }
}

/// A key cannot be read from a store, or not be put there. Says nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The name would make a strange file.
    #[error(
        "a key is kept under a name of 1 to {LONGEST_NAME} letters, digits, dots, dashes and underscores, which does not start with a dot"
    )]
    Name,
    /// The store works, but has no such key.
    #[error("{}", not_there(.store, .name))]
    NotThere {
        /// Which store.
        store: Store,
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
    /// Credentials are made by whoever starts the program.
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
    /// What was stored is not what comes back.
    #[error("{0} took the key but does not give it back")]
    NotKept(Store),
}

/// A key file is for one key only, whatever it is called.
fn not_there(store: &Store, name: &str) -> String {
    match store {
        Store::KeyFile(_) => format!("{store} does not exist"),
        Store::Keyring | Store::SystemdCredential(_) | Store::PassphraseFile(_) => {
            format!("{store} has no key for {name:?}")
        }
    }
}

impl Store {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> StoreKind {
        match self {
            Self::Keyring => StoreKind::Keyring,
            Self::SystemdCredential(_) => StoreKind::SystemdCredential,
            Self::KeyFile(_) => StoreKind::KeyFile,
            Self::PassphraseFile(_) => StoreKind::PassphraseFile,
        }
    }

    /// Reads the key of this name.
    ///
    /// # Errors
    /// [`SecretError::NotThere`] if the store works and has none; otherwise why it does not work, and what to do.
    pub fn load(&self, name: &str, passphrase: &mut dyn AskPassphrase) -> Result<GroupSecret, SecretError> {
        check(name)?;
        let not_there = || SecretError::NotThere { store: self.clone(), name: name.to_owned() };
        match self {
            Self::Keyring => keyring::load(name)?.ok_or_else(not_there),
            Self::SystemdCredential(directory) => {
                let path = credential(directory, name).ok_or_else(not_there)?;
                let file = File::open(&path).map_err(|cause| KeyFileError::Unreadable { path: path.clone(), cause })?;
                // systemd decides who may read it, by ways that the mode does not show.
                Ok(key_file::read_open(file, &path)?)
            }
            Self::KeyFile(path) => match key_file::read(path) {
                Err(KeyFileError::Unreadable { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                    Err(not_there())
                }
                read => Ok(read?),
            },
            Self::PassphraseFile(path) => {
                let sealed = passphrase_file::read(path)?.ok_or_else(not_there)?;
                let passphrase = passphrase.existing(&format!("Passphrase of {}", path.display()))?;
                Ok(passphrase_file::open(path, &sealed, &passphrase)?)
            }
        }
    }

    /// Keeps the key under this name, in place of an older one, and reads it back.
    ///
    /// # Errors
    /// If the store does not take it, and why.
    pub fn save(
        &self,
        name: &str,
        secret: &GroupSecret,
        passphrase: &mut dyn AskPassphrase,
    ) -> Result<(), SecretError> {
        check(name)?;
        let kept = match self {
            Self::Keyring => {
                keyring::save(name, secret)?;
                keyring::load(name)?
            }
            Self::SystemdCredential(_) => return Err(SecretError::ReadOnly),
            Self::KeyFile(path) => {
                let line = secret.expose_hex();
                private_files::put(path, &[line.as_bytes(), b"\n"]).map_err(|cause| unwritable(path, cause))?;
                Some(key_file::read(path)?)
            }
            Self::PassphraseFile(path) => {
                let passphrase = passphrase.fresh(&format!("New passphrase for {}", path.display()))?;
                let sealed = passphrase_file::seal(path, secret, &passphrase)?;
                private_files::put(path, &[&sealed]).map_err(|cause| unwritable(path, cause))?;
                let sealed = passphrase_file::read(path)?;
                sealed.map(|sealed| passphrase_file::open(path, &sealed, &passphrase)).transpose()?
            }
        };
        match kept {
            Some(kept) if kept.expose_hex() == secret.expose_hex() => Ok(()),
            _ => Err(SecretError::NotKept(self.clone())),
        }
    }

    /// Forgets the key of this name.
    ///
    /// # Errors
    /// [`SecretError::NotThere`] if there is none; otherwise why it cannot be removed.
    pub fn delete(&self, name: &str) -> Result<(), SecretError> {
        check(name)?;
        let removed = match self {
            Self::Keyring => keyring::delete(name)?,
            Self::SystemdCredential(_) => return Err(SecretError::ReadOnly),
            Self::KeyFile(path) | Self::PassphraseFile(path) => {
                private_files::remove(path).map_err(|cause| unwritable(path, cause))?
            }
        };
        if removed { Ok(()) } else { Err(SecretError::NotThere { store: self.clone(), name: name.to_owned() }) }
    }
}

/// Whether the keyring of the operating system answers, which it must do within some seconds.
///
/// # Errors
/// Why it does not.
pub fn try_keyring() -> Result<(), KeyringError> {
    keyring::load("d2mtop.doctor").map(drop)
}

/// Where the files of one name are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The directory of systemd's credentials, if it started us with any.
    pub credentials: Option<PathBuf>,
    /// The key file.
    pub key_file: PathBuf,
    /// The passphrase file.
    pub passphrase_file: PathBuf,
}

impl Places {
    /// Files in this directory, and the credentials.
    ///
    /// # Errors
    /// If the name cannot be that of a file.
    pub fn below(directory: &Path, credentials: Option<PathBuf>, name: &str) -> Result<Self, SecretError> {
        check(name)?;
        Ok(Self {
            credentials,
            key_file: directory.join(format!("{name}.key")),
            passphrase_file: directory.join(format!("{name}.sealed")),
        })
    }

    /// The store of a kind; [`None`] for a credential when systemd did not start us with any.
    #[must_use]
    pub fn store(&self, kind: StoreKind) -> Option<Store> {
        match kind {
            StoreKind::Keyring => Some(Store::Keyring),
            StoreKind::SystemdCredential => self.credentials.clone().map(Store::SystemdCredential),
            StoreKind::KeyFile => Some(Store::KeyFile(self.key_file.clone())),
            StoreKind::PassphraseFile => Some(Store::PassphraseFile(self.passphrase_file.clone())),
        }
    }
}

/// The credential's own name, or the one name for a unit with a single group.
fn credential(directory: &Path, name: &str) -> Option<PathBuf> {
    [format!("d2mtop-{name}"), "d2mtop.key".to_owned()]
        .into_iter()
        .map(|file| directory.join(file))
        .find(|path| path.exists())
}

/// Names end up in paths and in the keyring's list.
fn check(name: &str) -> Result<(), SecretError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = (1..=LONGEST_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed);
    if good { Ok(()) } else { Err(SecretError::Name) }
}
