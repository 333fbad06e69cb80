//! [`ProfileReloader`]: reads a profile anew while it is open.

use crate::output::Failure;
use std::path::{Path, PathBuf};

use crate::journal;
use crate::profile::{ConnectionOptions, LoadedKey, Profile, ProfileName};
use crate::protocol::{DeviceGroupId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy, ServerGroup, SpkiPin};
use crate::runtime::{HeldLocks, SessionSetup};
use crate::session::{LeaderPolicy, Presence};

/// An open profile, and its settings when it was opened.
#[derive(Clone)]
pub(super) struct ProfileReloader {
    options: ConnectionOptions,
    name: ProfileName,
    key: LoadedKey,
    connection: ConnectionSettings,
}

/// Everything that a session depends on, but for the key.
#[derive(Clone, PartialEq)]
struct ConnectionSettings {
    mediator: String,
    server_group: ServerGroup,
    /// The file and its content, which may change without the profile.
    trust_roots: Option<(PathBuf, Option<Vec<u8>>)>,
    pins: Vec<SpkiPin>,
    accept_any_certificate: bool,
    group: (Dialect, DeviceGroupId),
    device_id: crate::protocol::DeviceId,
    device_info: DeviceInfo,
    policies: (ExpirationPolicy, ExhaustedPolicy, LeaderPolicy, Presence),
    read_only: bool,
    journal: String,
}

impl ConnectionSettings {
    fn of(profile: &Profile) -> Self {
        let session = &profile.session;
        Self {
            mediator: profile.base_url.clone(),
            server_group: profile.server_group.clone(),
            trust_roots: profile.trust_roots.as_ref().map(|path| (path.clone(), std::fs::read(path).ok())),
            pins: profile.pins.clone(),
            accept_any_certificate: profile.accept_any_certificate,
            group: (session.keys.dialect(), session.keys.device_group_id()),
            device_id: session.device_id,
            device_info: session.device_info.clone(),
            policies: (session.expiration_policy, session.exhausted_policy, session.leader_policy, session.presence),
            read_only: session.read_only,
            journal: format!("{:?}", profile.journal),
        }
    }
}

impl ProfileReloader {
    /// [`None`] where there is no profile that could be read anew.
    pub(super) fn of(profile: &Profile, options: ConnectionOptions) -> Option<Self> {
        let name = profile.name.clone()?;
        let (key, connection) = (profile.key.clone(), ConnectionSettings::of(profile));
        Some(Self { options, name, key, connection })
    }

    /// Whether the profile has changed.
    ///
    /// # Errors
    /// If it cannot be read, or what it says is no connection.
    pub(super) fn look(&self) -> Result<bool, Failure> {
        let profile = self.read()?;
        let changed = ConnectionSettings::of(&profile) != self.connection;
        if changed {
            // Better to say now what is wrong with it than when the old session is gone.
            crate::runtime::session_setup::session(&profile)?;
        }
        Ok(changed)
    }

    /// Opens the profile with its new settings. The old session must have ended; this waits for the writer of its journal,
    /// which may take long where the disk hangs.
    ///
    /// # Errors
    /// If it cannot be read, or what it says is no connection.
    pub(super) fn open(
        mut self,
        mut held: HeldLocks,
        old_journal: Option<&Path>,
    ) -> Result<(Self, SessionSetup), Failure> {
        let mut profile = self.read()?;
        if let Some(path) = old_journal.filter(|_| profile.journal.is_some()) {
            // What is wrong with the file, its opening will say.
            let _ = journal::wait_for_writer(path);
            profile = self.read()?;
        }
        (self.connection, self.key) = (ConnectionSettings::of(&profile), profile.key.clone());
        held.claim = None;
        profile.lock = held.profile.take();
        Ok((self, SessionSetup::new(profile)?))
    }

    /// Takes no lock: this process holds it.
    fn read(&self) -> Result<Profile, Failure> {
        Ok(Profile::read_anew(&self.name, &self.options, &self.key)?)
    }
}
