//! Giving the lock back.

use super::endings::{cut_short, lost};
use super::lock_run::LockRun;
use crate::group::{Event, LockEvent};
use crate::output::Failure;
use crate::runtime::OneShotEnd;
use crate::runtime::one_shot::{PATIENCE, SIGNAL_PATIENCE};
use crate::session::Command;

impl LockRun<'_> {
    /// Commits, so that the others need not wait until the connection is seen to be gone.
    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        let is_over = |event: &Event| matches!(event, Event::Lock(LockEvent::Released(_)));
        let has_ttl = self.options.ttl.is_some();
        self.release(is_over, |end| lost(&end, has_ttl)).await
    }

    /// Releases the lock and waits for the answer: for a second once a signal has come, and not at all after another one.
    pub(super) async fn release(
        &mut self,
        is_over: impl Fn(&Event) -> bool,
        failed: impl Fn(OneShotEnd) -> Failure,
    ) -> Result<(), Failure> {
        self.session.ask(Command::ReleaseLock);
        self.session.hurry(if self.interrupted { SIGNAL_PATIENCE } else { PATIENCE });
        loop {
            let (at, event) = tokio::select! {
                biased;
                next = self.session.next() => next.map_err(&failed)?,
                signal = self.signals.next() => {
                    if self.interrupted {
                        return Err(cut_short(signal));
                    }
                    self.interrupted = true;
                    self.session.hurry(SIGNAL_PATIENCE);
                    continue;
                }
            };
            let over = is_over(&event);
            // Who only waited may be told that there is nothing to give back.
            if !(over && matches!(event, Event::Refused(_))) {
                self.take(at, &event)?;
            }
            if over {
                return Ok(());
            }
        }
    }
}
