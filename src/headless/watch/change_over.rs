//! A signal makes a watch read its profile anew. If the settings have changed, a new session begins.

use std::io;
use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

use super::reload::ProfileReloader;
use super::watcher::Watch;
use crate::headless::background::{on_thread, sleep_until};
use crate::os::logging;
use crate::output::Failure;
use crate::output::ndjson;
use crate::runtime::{HeldLocks, SessionSetup, clock};
use crate::session::Command;

impl Watch {
    /// Reopens the log, and begins to read the profile, if there is one.
    pub(super) fn look(&mut self, reloader: Option<&ProfileReloader>) -> Result<(), Failure> {
        self.shutdown.service.reloading();
        logging::reopen();
        let reloader = reloader.cloned();
        self.looking = Some(on_thread("look", move || reloader.map_or(Ok(false), |reloader| reloader.look()))?);
        Ok(())
    }

    /// Ends the session if the profile has changed.
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
        self.shutdown.service.reloaded(can_be_read);
        self.filter.write_line(&mut self.lines, &line)
    }

    /// Opens a profile with its new settings, on a thread of its own; [`None`] if the end comes before.
    pub(super) async fn reopen(
        &mut self,
        reloader: ProfileReloader,
        held: HeldLocks,
        journal: Option<PathBuf>,
    ) -> Result<Option<(ProfileReloader, SessionSetup)>, Failure> {
        let opened = on_thread("opening", move || reloader.open(held, journal.as_deref()))?;
        // There is no session whose life the watchdog could prove.
        let pulse = tokio::spawn(self.shutdown.service.clone().pulse());
        let opened = tokio::select! {
            biased;
            () = self.shutdown.asked_to_end() => Ok(None),
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

/// Waits until the profile is read, if that has begun.
pub(super) async fn looked(looking: &mut Option<oneshot::Receiver<Result<bool, Failure>>>) -> Result<bool, Failure> {
    match looking {
        Some(result) => {
            let looked = result.await;
            *looking = None;
            looked.unwrap_or(Err(Failure::Panicked))
        }
        None => std::future::pending().await,
    }
}
