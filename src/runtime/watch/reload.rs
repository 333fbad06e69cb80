//! Reading the profile anew while it is open.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::output::Failure;

use crate::journal;
use crate::profile::{ConnectionOptions, LoadedKey, Profile, ProfileName, ProxySetting};
use crate::protocol::{DeviceGroupId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy, ServerGroup, SpkiPin};
use crate::runtime::{HeldLocks, SessionSetup};
use crate::session::{LeaderPolicy, Presence};

/// A profile that is open, and what it said when it was opened.
#[derive(Clone)]
pub struct Reloading {
    options: ConnectionOptions,
    name: ProfileName,
    key: LoadedKey,
    connection: Connection,
}

/// All that a session is made of, without the key.
#[derive(Clone, PartialEq)]
struct Connection {
    mediator: String,
    server_group: ServerGroup,
    /// The file and what is in it, which may change on its own.
    trust_roots: Option<(PathBuf, Option<Vec<u8>>)>,
    pins: Vec<SpkiPin>,
    accept_any_certificate: bool,
    group: (Dialect, DeviceGroupId),
    device_id: crate::protocol::DeviceId,
    device_info: DeviceInfo,
    policies: (ExpirationPolicy, ExhaustedPolicy, LeaderPolicy, Presence),
    read_only: bool,
    network: (Option<ProxySetting>, Duration),
    journal: String,
}

impl Connection {
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
            network: (profile.proxy.clone(), session.timing.ping_interval),
            journal: format!("{:?}", profile.journal),
        }
    }
}

impl Reloading {
    /// [`None`] where there is no profile that could be read anew.
    #[must_use]
    pub fn of(profile: &Profile, options: ConnectionOptions) -> Option<Self> {
        let name = profile.name.clone()?;
        let (key, connection) = (profile.key.clone(), Connection::of(profile));
        Some(Self { options, name, key, connection })
    }

    /// Whether the profile says something else now.
    ///
    /// # Errors
    /// If it cannot be read, or what it says is no connection.
    pub(super) fn look(&self) -> Result<bool, Failure> {
        let profile = self.read()?;
        let changed = Connection::of(&profile) != self.connection;
        if changed {
            // Better to say now what is wrong with it than when the old session is gone.
            crate::runtime::session_setup::session(&profile)?;
        }
        Ok(changed)
    }

    /// Opens the profile with what it says now, once its old session has ended, and the writer of its old journal, which
    /// may take long where the disk hangs.
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
        (self.connection, self.key) = (Connection::of(&profile), profile.key.clone());
        held.claim = None;
        profile.lock = held.profile.take();
        let wait = self.options.wait;
        Ok((self, SessionSetup::new(profile, wait)?))
    }

    /// It is open already, by us.
    fn read(&self) -> Result<Profile, Failure> {
        Ok(Profile::read_anew(&self.name, &self.options, &self.key)?)
    }
}
