//! Loading, saving and deleting a key in a [`KeyStore`].

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::error::KeyStoreError;
use super::key_paths::check;
use super::key_store::KeyStore;
use super::prompt::AskPassphrase;
use super::{keyring, passphrase_file};
use crate::os::private_files;
use crate::profile::key_file::{self, KeyFileError};
use crate::protocol::GroupSecret;

impl KeyStore {
    /// Reads the key of this name.
    ///
    /// # Errors
    /// [`KeyStoreError::NotThere`] if the store works and has no such key; otherwise why it does not work, and what to do.
    pub fn load(&self, name: &str, passphrase: &mut dyn AskPassphrase) -> Result<GroupSecret, KeyStoreError> {
        check(name)?;
        let not_there = || KeyStoreError::NotThere { store: self.clone(), name: name.to_owned() };
        match self {
            Self::Keyring => keyring::load(name, passphrase.may_ask())?.ok_or_else(not_there),
            Self::SystemdCredential(directory) => {
                let path = credential(directory, name).ok_or_else(not_there)?;
                let file = File::open(&path).map_err(|cause| KeyFileError::Unreadable { path: path.clone(), cause })?;
                // systemd grants access by an ACL, which the mode does not show.
                Ok(key_file::read_open(&file, &path)?)
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

    /// Saves the key under this name, in place of an older one, and reads it back to be sure.
    ///
    /// # Errors
    /// The reason, if the store does not save it.
    pub fn save(
        &self,
        name: &str,
        secret: &GroupSecret,
        passphrase: &mut dyn AskPassphrase,
    ) -> Result<(), KeyStoreError> {
        check(name)?;
        let kept = match self {
            Self::Keyring => {
                keyring::save(name, secret, passphrase.may_ask())?;
                keyring::load(name, passphrase.may_ask())?
            }
            Self::SystemdCredential(_) => return Err(KeyStoreError::ReadOnly),
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
            _ => Err(KeyStoreError::NotKept(self.clone())),
        }
    }

    /// Deletes the key of this name.
    ///
    /// # Errors
    /// [`KeyStoreError::NotThere`] if there is none; otherwise why it cannot be deleted.
    pub fn delete(&self, name: &str) -> Result<(), KeyStoreError> {
        check(name)?;
        let removed = match self {
            Self::Keyring => keyring::delete(name)?,
            Self::SystemdCredential(_) => return Err(KeyStoreError::ReadOnly),
            Self::KeyFile(path) | Self::PassphraseFile(path) => {
                private_files::remove(path).map_err(|cause| unwritable(path, cause))?
            }
        };
        if removed { Ok(()) } else { Err(KeyStoreError::NotThere { store: self.clone(), name: name.to_owned() }) }
    }
}

fn unwritable(path: &Path, cause: io::Error) -> KeyStoreError {
    KeyStoreError::Write { path: path.to_owned(), cause }
}

/// The credential of this name, or `d2mtop.key`, which a unit with a single group may use.
fn credential(directory: &Path, name: &str) -> Option<PathBuf> {
    [format!("d2mtop-{name}"), "d2mtop.key".to_owned()]
        .into_iter()
        .map(|file| directory.join(file))
        .find(|path| path.exists())
}

/// Asks the keyring of the operating system for a key that is not there: an answer within its deadline proves that it works.
///
/// # Errors
/// Why it does not.
pub fn try_keyring() -> Result<(), keyring::KeyringError> {
    keyring::load("d2mtop.doctor", true).map(drop)
}
