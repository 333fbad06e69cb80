//! Reading the profile anew while it is open.

use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::patience::{on_thread, sleep_until};
use super::session_loop::Watch;
use crate::os::logging;
use crate::output::{Failure, ndjson};
use crate::runtime::clock;
use crate::session::Command;

use crate::journal;
use crate::profile::{ConnectionOptions, LoadedKey, Profile, ProfileName};
use crate::protocol::{DeviceGroupId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy, ServerGroup, SpkiPin};
use crate::runtime::{HeldLocks, SessionSetup};
use crate::session::{LeaderPolicy, Presence};

/// A profile that is open, and what it said when it was opened.
#[derive(Clone)]
pub(super) struct Reloading {
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
            journal: format!("{:?}", profile.journal),
        }
    }
}

impl Reloading {
    /// [`None`] where there is no profile that could be read anew.
    pub(super) fn of(profile: &Profile, options: ConnectionOptions) -> Option<Self> {
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
        Ok((self, SessionSetup::new(profile)?))
    }

    /// It is open already, by us.
    fn read(&self) -> Result<Profile, Failure> {
        Ok(Profile::read_anew(&self.name, &self.options, &self.key)?)
    }
}

impl Watch {
    /// Opens the log anew, and has a look at the profile, if there is one.
    pub(super) fn look(&mut self, reloading: Option<&Reloading>) -> Result<(), Failure> {
        self.patience.service.reloading();
        logging::reopen();
        let reloading = reloading.cloned();
        self.looking = Some(on_thread("look", move || reloading.map_or(Ok(false), |reloading| reloading.look()))?);
        Ok(())
    }

    /// Leaves for the new settings of the profile, if there are any.
    pub(super) fn change_over(
        &mut self,
        looked: Result<bool, Failure>,
        commands: &mpsc::Sender<Command>,
    ) -> io::Result<()> {
        let can_be_read = looked.is_ok();
        let line = match looked {
            Ok(changed) => {
                tracing::info!(changed, "the profile was read anew");
                if changed {
                    self.changes_over = true;
                    let _ = commands.try_send(Command::Leave);
                }
                ndjson::reloaded(clock::now(), changed)
            }
            Err(failure) => {
                tracing::warn!("the profile cannot be read anew, and stays as it was: {failure}");
                ndjson::reload_failed(clock::now(), &failure.to_string())
            }
        };
        self.patience.service.reloaded(can_be_read);
        self.wanted.write_line(&mut self.lines, &line)
    }

    /// Opens a profile with its new settings, on a thread of its own; [`None`] if the end comes before.
    pub(super) async fn reopen(
        &mut self,
        reloading: Reloading,
        held: HeldLocks,
        journal: Option<PathBuf>,
    ) -> Result<Option<(Reloading, SessionSetup)>, Failure> {
        let opened = on_thread("opening", move || reloading.open(held, journal.as_deref()))?;
        // There is no session whose life the watchdog could prove.
        let pulse = tokio::spawn(self.patience.service.clone().pulse());
        let opened = tokio::select! {
            biased;
            () = self.patience.asked_to_end() => Ok(None),
            () = sleep_until(self.ends_at) => Ok(None),
            opened = opened => opened.unwrap_or(Err(Failure::Panicked)).map(Some),
        };
        pulse.abort();
        if !matches!(opened, Ok(Some(_))) {
            self.flush().await?;
        }
        opened
    }
}
