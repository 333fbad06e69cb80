//! The end of a watch: the last lines are printed, and alert commands finish.

use super::events::{StreamItem, TimedEvent};
use super::watcher::Watch;
use crate::headless::background::on_thread;
use crate::output::Failure;
use crate::output::Outcome;
use crate::runtime::{Monitors, clock};

impl Watch {
    /// Prints the last lines; returns how the watch ended.
    pub(super) async fn end(&mut self, otherwise: Outcome) -> Result<Outcome, Failure> {
        self.flush().await?;
        self.progress.leaving.take().unwrap_or(Ok(otherwise))
    }

    /// Waits until all is printed, however slow the reader is, unless a signal asks for the end.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        if let Some(last) = self.progress.last_word() {
            let last = StreamItem::Item(TimedEvent { at: clock::now(), event: last });
            self.filter.write(&mut self.lines, &last).map_err(Failure::Output)?;
        }
        let last = std::mem::take(&mut self.lines);
        self.shutdown.wait(self.printer.end(last)).await.unwrap_or(Ok(()))
    }

    /// Waits for alert commands that still run, unless a signal asks for the end.
    pub(super) async fn end_monitors(&mut self, monitors: Monitors) -> Result<(), Failure> {
        if let Some(left) = self.shutdown.left() {
            monitors.hurry(left);
            drop(monitors);
            return Ok(());
        }
        let over = on_thread("monitors", move || drop(monitors))?;
        let _ = self.shutdown.wait(over).await;
        Ok(())
    }
}
