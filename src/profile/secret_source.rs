//! [`SecretSource`]: where the group's key of a profile is, among the stores of [`secrets`](super::secrets).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rand::Rng as _;

use super::name::ProfileName;
use super::random::fresh_random;
use super::record::{KeyLocation, Record};
use super::secrets::{AskPassphrase, KeyPaths, KeyStore, KeyStoreError, KeyStoreKind, KeyringError, PassphraseSource};
use crate::os::private_files;
use crate::protocol::GroupSecret;

/// The subdirectory of the configuration directory for the key files of d2mtop itself.
const KEPT: &str = "keys";

/// The name of a secret that is kept for a moment, to see whether the store works. No profile can have it.
const TRIAL: &str = "_trial";

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSource(KeyStore);

/// The secret cannot be loaded or stored. Its message never contains any of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    /// The profile names no key.
    #[error(
        "the profile {0} has no key yet: name its file as key_file in profiles.toml, or open it with --key-file FILE"
    )]
    Nowhere(ProfileName),
    /// The profile names two keys.
    #[error("the profile {0} says both key and key_file in profiles.toml; one of them is too much")]
    TwoPlaces(ProfileName),
    /// systemd handed over no credentials.
    #[error(
        "the key of {0} is a systemd credential, but there are none here (CREDENTIALS_DIRECTORY is not set); start d2mtop from its unit, with LoadCredentialEncrypted=d2mtop-{0}"
    )]
    NoCredentials(ProfileName),
    /// The store has another key, which may be the only copy.
    #[error("there is another key for that name already, in {0}; move it away first, or choose another name")]
    Occupied(KeyStore),
}

impl SecretSource {
    /// In this key file.
    #[must_use]
    pub const fn file(path: PathBuf) -> Self {
        Self(KeyStore::KeyFile(path))
    }

    /// Where a profile's secret is; paths are relative to the directory of the profiles.
    ///
    /// # Errors
    /// If the profile names no key, or two.
    pub fn of(name: &ProfileName, record: &Record, directory: &Path) -> Result<Self, SecretError> {
        match (record.key, &record.key_file) {
            (None, None) => Err(SecretError::Nowhere(name.clone())),
            (Some(_), Some(_)) => Err(SecretError::TwoPlaces(name.clone())),
            (None, Some(path)) => Ok(Self::file(directory.join(path))),
            (Some(kept), None) => Self::kept(kept.into(), name, directory),
        }
    }

    /// Where d2mtop keeps the secret of this profile in a store of this kind.
    pub(super) fn kept(kind: KeyStoreKind, name: &ProfileName, directory: &Path) -> Result<Self, SecretError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let places = KeyPaths::below(&directory.join(KEPT), credentials, name.as_str())?;
        places.store(kind).map(Self).ok_or_else(|| SecretError::NoCredentials(name.clone()))
    }

    /// Reads the secret of a profile.
    ///
    /// # Errors
    /// If it cannot be read: why, and what to do.
    pub fn load(&self, name: &ProfileName, passphrase: &mut dyn AskPassphrase) -> Result<GroupSecret, SecretError> {
        Ok(self.0.load(name.as_str(), passphrase)?)
    }

    /// Stores a secret, and returns where: in the wanted store, else in the keyring, else in a key file. If the keyring did
    /// not work, its error comes with it.
    ///
    /// # Errors
    /// If it cannot be stored, or another secret is there already.
    pub fn keep(
        name: &ProfileName,
        secret: &GroupSecret,
        wanted: Option<KeyStoreKind>,
        directory: &Path,
        passphrase: &mut dyn AskPassphrase,
    ) -> Result<(Self, Option<KeyringError>), SecretError> {
        let mut keep_in = |kind| {
            let source = Self::kept(kind, name, directory)?;
            source.make_sure_it_is_free(name, Some(secret), passphrase)?;
            source.0.save(name.as_str(), secret, passphrase)?;
            Ok(source)
        };
        match wanted {
            Some(kind) => keep_in(kind).map(|source| (source, None)),
            None => match keep_in(KeyStoreKind::Keyring) {
                Err(SecretError::Store(KeyStoreError::Keyring(why))) => {
                    keep_in(KeyStoreKind::KeyFile).map(|source| (source, Some(why)))
                }
                kept => kept.map(|source| (source, None)),
            },
        }
    }

    /// Makes sure that a secret can be kept for this profile: that there is none yet, and that the store takes one. Returns
    /// in which, by the rules of [`SecretSource::keep`]. Of a passphrase file only the place is tried.
    ///
    /// # Errors
    /// If it cannot.
    pub fn try_out(
        name: &ProfileName,
        wanted: Option<KeyStoreKind>,
        directory: &Path,
    ) -> Result<(KeyStoreKind, Option<KeyringError>), SecretError> {
        let secret = GroupSecret::new(&mut fresh_random().r#gen());
        let mut nobody = PassphraseSource::Nobody;
        let mut try_in = |kind| {
            Self::kept(kind, name, directory)?.make_sure_it_is_free(name, None, &mut nobody)?;
            let tried = if kind == KeyStoreKind::PassphraseFile { KeyStoreKind::KeyFile } else { kind };
            let places = KeyPaths::below(&directory.join(KEPT), None, TRIAL)?;
            if let Some(store) = places.store(tried) {
                store.save(TRIAL, &secret, &mut nobody)?;
                store.delete(TRIAL)?;
            }
            Ok(kind)
        };
        match wanted {
            Some(kind) => try_in(kind).map(|kind| (kind, None)),
            None => match try_in(KeyStoreKind::Keyring) {
                Err(SecretError::Store(KeyStoreError::Keyring(why))) => {
                    try_in(KeyStoreKind::KeyFile).map(|kind| (kind, Some(why)))
                }
                tried => tried.map(|kind| (kind, None)),
            },
        }
    }

    /// Moves a secret that d2mtop keeps to the new name of its profile, and returns where it is then.
    ///
    /// # Errors
    /// If it cannot be moved.
    pub fn follow(
        &self,
        from: &ProfileName,
        to: &ProfileName,
        directory: &Path,
        passphrase: &mut dyn AskPassphrase,
    ) -> Result<Self, SecretError> {
        if !self.is_kept_for(from, directory) {
            return Ok(self.clone());
        }
        let new = Self::kept(self.0.kind(), to, directory)?;
        match (&self.0, &new.0) {
            (KeyStore::KeyFile(old), KeyStore::KeyFile(path))
            | (KeyStore::PassphraseFile(old), KeyStore::PassphraseFile(path)) => {
                // On a file system that ignores case, a name that differs in case only is the same file.
                if !from.is_like(to) {
                    new.make_sure_it_is_free(to, None, passphrase)?;
                }
                let unmoved = |cause| KeyStoreError::Write { path: path.clone(), cause };
                std::fs::rename(old, path).map_err(unmoved)?;
            }
            _ => {
                let secret = self.load(from, passphrase)?;
                new.make_sure_it_is_free(to, Some(&secret), passphrase)?;
                new.0.save(to.as_str(), &secret, passphrase)?;
                self.0.delete(from.as_str())?;
            }
        }
        Ok(new)
    }

    /// Whether d2mtop itself put it where it is, for this profile.
    #[must_use]
    pub fn is_kept_for(&self, name: &ProfileName, directory: &Path) -> bool {
        self.0.kind() != KeyStoreKind::SystemdCredential
            && Self::kept(self.0.kind(), name, directory).is_ok_and(|kept| kept == *self)
    }

    /// Deletes the secret if d2mtop put it there for this profile. A file that a person made is never deleted.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub fn discard(&self, name: &ProfileName, directory: &Path) -> Result<bool, SecretError> {
        if !self.is_kept_for(name, directory) {
            return Ok(false);
        }
        if let KeyStore::KeyFile(path) | KeyStore::PassphraseFile(path) = &self.0 {
            private_files::remove_unfinished(path);
        }
        match self.0.delete(name.as_str()) {
            Err(KeyStoreError::NotThere { .. }) => Ok(false),
            deleted => deleted.map(|()| true).map_err(SecretError::from),
        }
    }

    /// Notes in a record that its secret is here.
    pub fn note_in(&self, record: &mut Record) {
        (record.key, record.key_file) = match &self.0 {
            KeyStore::Keyring => (Some(KeyLocation::Keyring), None),
            KeyStore::SystemdCredential(_) => (Some(KeyLocation::Credential), None),
            KeyStore::PassphraseFile(_) => (Some(KeyLocation::PassphraseFile), None),
            KeyStore::KeyFile(path) => (None, Some(path.clone())),
        };
    }

    /// What kind of store it is in.
    #[must_use]
    pub const fn kind(&self) -> KeyStoreKind {
        self.0.kind()
    }

    /// Refuses a place with another key: nothing is overwritten but the same key.
    fn make_sure_it_is_free(
        &self,
        name: &ProfileName,
        secret: Option<&GroupSecret>,
        passphrase: &mut dyn AskPassphrase,
    ) -> Result<(), SecretError> {
        let occupied = || SecretError::Occupied(self.0.clone());
        match &self.0 {
            KeyStore::KeyFile(path) | KeyStore::PassphraseFile(path) => match path.symlink_metadata() {
                Ok(_) => Err(occupied()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(cause) => Err(KeyStoreError::Write { path: path.clone(), cause }.into()),
            },
            KeyStore::Keyring | KeyStore::SystemdCredential(_) => match self.0.load(name.as_str(), passphrase) {
                Ok(there) if secret.is_some_and(|secret| secret.expose_hex() == there.expose_hex()) => Ok(()),
                Ok(_) => Err(occupied()),
                Err(KeyStoreError::NotThere { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::secrets::PassphraseSource;
    use std::fs;

    #[test]
    fn what_is_kept_can_be_read_again_and_is_deleted_with_its_profile_only() {
        let home = tempfile::tempdir().unwrap();
        let (name, other): (ProfileName, ProfileName) = ("home".parse().unwrap(), "work".parse().unwrap());
        let digits = "0f".repeat(32);
        let secret = GroupSecret::from_hex(&digits).unwrap();
        let mut nobody = PassphraseSource::new(Some(987));
        let keep = |nobody: &mut PassphraseSource| {
            SecretSource::keep(&name, &secret, Some(KeyStoreKind::KeyFile), home.path(), nobody)
                .map(|(source, _)| source)
        };
        let source = keep(&mut nobody).unwrap();
        let KeyStore::KeyFile(path) = &source.0 else { unreachable!() };
        assert_eq!(*source.load(&name, &mut nobody).unwrap().expose_hex(), digits);
        assert!(!format!("{source} {source:?}").contains(&digits));
        assert!(!source.discard(&other, home.path()).unwrap() && path.exists());
        assert!(keep(&mut nobody).is_err(), "a key is never overwritten");
        let moved = source.follow(&name, &other, home.path(), &mut nobody).unwrap();
        assert!(!path.exists() && moved.load(&other, &mut nobody).is_ok());
        assert!(keep(&mut nobody).is_ok());
        assert!(moved.follow(&other, &name, home.path(), &mut nobody).is_err(), "not over another one");
        assert!(source.discard(&name, home.path()).unwrap() && !path.exists());
        let own = home.path().join("mine.key");
        fs::write(&own, digits).unwrap();
        assert!(!SecretSource::file(own.clone()).discard(&name, home.path()).unwrap() && own.exists());
    }
}
