//! How a watch ends: all is printed, and alert commands come to their end.

use super::events::{StreamItem, TimedEvent};
use super::watcher::Watch;
use crate::headless::background::on_thread;
use crate::output::Failure;
use crate::output::Outcome;
use crate::runtime::{Monitors, clock};

impl Watch {
    /// Prints what is left, and says how the watch ended.
    pub(super) async fn end(&mut self, otherwise: Outcome) -> Result<Outcome, Failure> {
        self.flush().await?;
        self.progress.leaving.take().unwrap_or(Ok(otherwise))
    }

    /// Says the last word and waits until all is printed, however slow the reader is, unless a signal wants the end before.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        if let Some(last) = self.progress.last_word() {
            let last = StreamItem::Item(TimedEvent { at: clock::now(), event: last });
            self.filter.write(&mut self.lines, &last).map_err(Failure::Output)?;
        }
        let last = std::mem::take(&mut self.lines);
        self.shutdown.wait(self.printer.end(last)).await.unwrap_or(Ok(()))
    }

    /// Lets commands that still run come to their end, unless a signal wants the end before.
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
