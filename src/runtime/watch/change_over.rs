//! From one session to another one with new settings, while a watch goes on.

use std::io;
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::Watch;
use super::patience::{on_thread, sleep_until};
use super::reload::Reloading;
use crate::os::logging;
use crate::output::{Failure, ndjson};
use crate::runtime::{HeldLocks, SessionSetup, clock};
use crate::session::Command;

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
        self.telling.wanted.write_line(&mut self.lines, &line)
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
