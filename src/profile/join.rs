//! [`NewProfile`]: the profile of a device that joins a group. All that can fail is tried before; then it is stored whole,
//! and taken back whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::Rng as _;

use super::directories;
use super::error::ProfileError;
use super::key_file;
use super::name::ProfileName;
use super::names_file::NamesFile;
use super::profile_lock::{FILE as LOCK, ProfileLock, ProfileLockError};
use super::random::fresh_random;
use super::record::{JoinMark, Record, expand_preset};
use super::secret_source::{SecretError, SecretSource};
use super::secrets::{AskPassphrase as _, KeyStoreError, KeyStoreKind, KeyringError, Passphrase, PassphraseSource};
use super::slot_memory::SlotMemory;
use super::store::{ProfileStore, ProfileStoreError};
use crate::os::private_files;
use crate::protocol::{DeviceId, Dialect, GroupKeys, Millis};
use crate::rendezvous::wire::EssentialData;

/// What a profile with all its names takes at most, and a journal to begin with.
const ROOM: u64 = 32 << 20;

/// A profile that is not there yet.
#[derive(Debug)]
pub struct NewProfile {
    store: ProfileStore,
    name: ProfileName,
    record: Record,
    kind: KeyStoreKind,
    /// Of the passphrase file, if that is the store.
    passphrase: Option<Passphrase>,
    keeps_names: bool,
    _lock: Option<ProfileLock>,
}

/// Why there can be no new profile.
#[derive(Debug, thiserror::Error)]
pub enum NewProfileError {
    /// The profiles, the key store or the name.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error("there is not enough room in {}: {} MiB are needed; make room first", directory.display(), ROOM >> 20)]
    NoRoom { directory: PathBuf },
    /// No place for it.
    #[error("{} cannot be written: {cause}", directory.display())]
    Unwritable {
        directory: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
}

macro_rules! of_profiles {
    ($($error:ty),+) => {
        $(impl From<$error> for NewProfileError {
            fn from(error: $error) -> Self {
                Self::Profile(error.into())
            }
        })+
    };
}
of_profiles!(ProfileStoreError, SecretError, ProfileLockError);

impl NewProfile {
    /// Tries all that could fail later: the name, the key store by writing to it, the room on the disk; and asks for the
    /// passphrase. If the keyring did not work and a file will do, its error comes with it.
    ///
    /// # Errors
    /// If something does not work.
    pub fn prepare(
        store: ProfileStore,
        name: ProfileName,
        mut record: Record,
        wanted: Option<KeyStoreKind>,
        passphrase: &mut PassphraseSource,
        keeps_names: bool,
    ) -> Result<(Self, Option<KeyringError>), NewProfileError> {
        if let Some((taken, _)) = store.read()?.iter().find(|(other, _)| other.is_like(&name)) {
            return Err(ProfileStoreError::Exists(taken.clone()).into());
        }
        let lock = ProfileLock::take(&name)?;
        record.device_id = Some(DeviceId(fresh_random().r#gen()));
        // From here on the directory of the name is ours, and goes with us.
        let mut new =
            Self { store, name, record, kind: KeyStoreKind::KeyFile, passphrase: None, keeps_names, _lock: lock };
        let state = directories::profile_state(&new.name);
        for directory in [Some(new.store.directory().to_owned()), state].into_iter().flatten() {
            has_room(&directory)?;
        }
        let (kind, why) = SecretSource::try_out(&new.name, wanted, new.store.directory())?;
        new.kind = kind;
        if kind == KeyStoreKind::PassphraseFile {
            let question = format!("New passphrase for the key of {}", new.name);
            let asked = passphrase.fresh(&question).map_err(|error| SecretError::from(KeyStoreError::from(error)))?;
            new.passphrase = Some(asked);
        }
        Ok((new, why))
    }

    #[must_use]
    pub const fn name(&self) -> &ProfileName {
        &self.name
    }

    /// What is known of it before the group's data came.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The profiles that go to the same mediator, and so may be of the same group.
    ///
    /// # Errors
    /// If the profiles cannot be read.
    pub fn at_same_mediator(&self) -> Result<Vec<ProfileName>, ProfileStoreError> {
        let profiles = self.store.read()?;
        let here = expand_preset(&self.record.mediator);
        let same = profiles.iter().filter(|(_, record)| expand_preset(&record.mediator) == here);
        Ok(same.map(|(name, _)| name.clone()).collect())
    }

    /// Another profile of the group whose data this is: of the same identity, or with the same key in a file that can be
    /// read without asking anybody.
    #[must_use]
    pub fn same_group(&self, data: &EssentialData) -> Option<ProfileName> {
        let group = GroupKeys::derive(Dialect::Dgk, &data.secret).device_group_id();
        let profiles = self.store.read().ok()?;
        let has_its_key = |record: &Record| {
            let path = record.key_file.as_ref().map(|path| self.store.directory().join(path))?;
            let secret = key_file::read(&path).ok()?;
            Some(GroupKeys::derive(record.dialect.into(), &secret).device_group_id() == group)
        };
        let is_same = |record: &Record| {
            let of_identity =
                data.identity.as_ref().is_some_and(|own| record.identity.as_deref() == Some(own.as_str()));
            of_identity || has_its_key(record) == Some(true)
        };
        profiles.iter().find(|(name, record)| **name != self.name && is_same(record)).map(|(name, _)| name.clone())
    }

    /// Makes the whole profile durable, marked as [`JoinMark::Joining`]; the key last, so that where there is no key there
    /// never was a slot. Returns the group's keys.
    ///
    /// # Errors
    /// If it cannot be stored; nothing of it is left then.
    pub fn keep(&self, data: &EssentialData) -> Result<Arc<GroupKeys>, NewProfileError> {
        let kept = self.keep_all(data);
        if kept.is_err() {
            let _ = self.forget();
        }
        kept
    }

    fn keep_all(&self, data: &EssentialData) -> Result<Arc<GroupKeys>, NewProfileError> {
        let keys = Arc::new(GroupKeys::derive(Dialect::Dgk, &data.secret));
        let mut record = self.record.clone();
        data.server_group.as_str().clone_into(&mut record.server_group);
        record.identity = data.identity.as_ref().map(|identity| identity.as_str().to_owned());
        record.join = Some(JoinMark::Joining);
        SecretSource::kept(self.kind, &self.name, self.store.directory())?.note_in(&mut record);
        self.store.change(|profiles| {
            let is_first = profiles.is_empty();
            profiles.add(self.name.clone(), record)?;
            if is_first { profiles.set_default(&self.name) } else { Ok(()) }
        })?;
        if let Some(file) = NamesFile::of(&self.name).filter(|_| self.keeps_names) {
            file.write(&data.names, &keys).map_err(|cause| NewProfileError::Unwritable {
                directory: directories::profile_state(&self.name).unwrap_or_default(),
                cause,
            })?;
        }
        let mut passphrase = match &self.passphrase {
            Some(passphrase) => PassphraseSource::Known(passphrase.clone()),
            None => PassphraseSource::Nobody,
        };
        SecretSource::keep(&self.name, &data.secret, Some(self.kind), self.store.directory(), &mut passphrase)?;
        Ok(keys)
    }

    /// Notes that the device has its slot since then. First that it has one: the next start would take the id for new.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn registered(&self, at: Millis) -> Result<(), NewProfileError> {
        let memory =
            self.record.device_id.and_then(|device| SlotMemory::read(&self.name, device, &self.record.mediator));
        if let Some(mut memory) = memory {
            memory.set_expiration_policy(self.record.slot.into());
            memory.registered(at);
            memory.write().map_err(|cause| NewProfileError::Unwritable {
                directory: directories::profile_state(&self.name).unwrap_or_default(),
                cause,
            })?;
        }
        self.store.change(|profiles| profiles.set_join(&self.name, Some(JoinMark::Registered)))?;
        Ok(())
    }

    /// Deletes all of it that is there.
    ///
    /// # Errors
    /// If that fails.
    pub fn forget(&self) -> Result<(), ProfileError> {
        forget_joined(&self.store, &self.name)
    }
}

impl Drop for NewProfile {
    fn drop(&mut self) {
        // Who did not become a profile leaves no directory behind.
        if self.store.read().is_ok_and(|profiles| profiles.find(self.name.as_str()).is_err()) {
            let _ = directories::forget_profile_state(&self.name);
        }
    }
}

/// Deletes a profile that came by a join: its key, its names, then itself. Whoever stops half way finds the rest again.
///
/// # Errors
/// If that fails.
pub fn forget_joined(store: &ProfileStore, name: &ProfileName) -> Result<(), ProfileError> {
    let profiles = store.read()?;
    let Ok((_, record)) = profiles.find(name.as_str()) else { return Ok(()) };
    if let Ok(source) = SecretSource::of(name, record, store.directory()) {
        source.discard(name, store.directory())?;
    }
    let _ = directories::forget_profile_state(name);
    store.change(|profiles| profiles.remove(name))?;
    Ok(())
}

/// Deletes the state directories that have nothing but a lock which nobody holds, and belong to no profile:
/// somebody was killed before there was a profile.
pub fn sweep(store: &ProfileStore) {
    let Ok(profiles) = store.read() else { return };
    let Some(all) = directories::state_directory().map(|directory| directory.join("profiles")) else { return };
    for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
        let name = entry.file_name().to_str().and_then(|name| name.parse::<ProfileName>().ok());
        let Some(name) = name.filter(|name| profiles.find(name.as_str()).is_err()) else { continue };
        let mut content = fs::read_dir(entry.path()).into_iter().flatten().flatten();
        if content.all(|file| file.file_name() == LOCK) && ProfileLock::holder(&name).is_none() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn has_room(directory: &Path) -> Result<(), NewProfileError> {
    let unwritable = |cause| NewProfileError::Unwritable { directory: directory.to_owned(), cause };
    private_files::create_directory(directory).map_err(unwritable)?;
    let free = rustix::fs::statvfs(directory).map_err(|error| unwritable(error.into()))?;
    if free.f_bavail.saturating_mul(free.f_frsize) < ROOM {
        return Err(NewProfileError::NoRoom { directory: directory.to_owned() });
    }
    Ok(())
}
