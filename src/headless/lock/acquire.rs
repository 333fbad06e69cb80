//! Waiting for the lock.

use std::time::Duration;

use tokio::time::Instant;

use super::endings::{by_signal, led_for_too_long, lock_busy};
use super::lock_run::LockRun;
use crate::cli::ScopeArg;
use crate::group::{Event, LockEvent};
use crate::headless::background::sleep_until;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::protocol::TransactionScope;
use crate::runtime::one_shot::PATIENCE;
use crate::session::Command;

impl LockRun<'_> {
    /// Waits for the lock; an outcome if a signal came first.
    pub(super) async fn acquire(&mut self) -> Result<Option<Outcome>, Failure> {
        while !self.session.is_logged_in() {
            let (at, event) = tokio::select! {
                biased;
                signal = self.signals.next() => return Ok(Some(by_signal(signal))),
                next = self.session.next() => next?,
            };
            self.take(at, &event)?;
        }
        let ttl = self.options.ttl;
        self.session.ask(Command::TakeLock { scope: scope(self.options.scope), ttl });
        let wait_until = self.options.wait.and_then(|wait| Instant::now().checked_add(wait));
        // The answer must come soon; the other device's commit need not.
        self.session.hurry(PATIENCE);
        let mut busy = "the lock is not to be had".to_owned();
        let mut holder = None;
        let failure = loop {
            let may_wait = holder.is_some();
            let (at, event) = tokio::select! {
                biased;
                next = self.session.next() => next?,
                signal = self.signals.next() => {
                    self.interrupted = true;
                    // Whatever comes of it, the signal is why.
                    let _ = self.give_up().await;
                    return Ok(Some(by_signal(signal)));
                }
                () = sleep_until(wait_until), if may_wait => break lock_busy(busy),
                () = sleep_until(self.leave_by) => break led_for_too_long("the lock is waited for no longer"),
            };
            self.take(at, &event)?;
            match event {
                Event::Lock(LockEvent::Acquired { .. }) => {
                    self.session.take_time();
                    return Ok(None);
                }
                Event::Lock(LockEvent::HeldBy { holder: by, scope }) => {
                    self.session.take_time();
                    let scope = scope.map_or_else(|| "something unreadable".to_owned(), |scope| scope.to_string());
                    busy = format!("the lock is held by {by} for {scope}");
                    if self.options.wait == Some(Duration::ZERO) {
                        break lock_busy(busy);
                    }
                    if holder.replace(by) != Some(by) {
                        remark(&format!("{busy}; waiting"));
                    }
                }
                _ => {}
            }
        };
        self.give_up().await?;
        Err(failure)
    }

    /// Stops waiting. A lock that is granted meanwhile is given back.
    async fn give_up(&mut self) -> Result<(), Failure> {
        let is_over = |event: &Event| {
            matches!(event, Event::Refused(_) | Event::Lock(LockEvent::Abandoned | LockEvent::Released(_)))
        };
        self.release(is_over, Failure::from).await
    }
}

const fn scope(option: ScopeArg) -> TransactionScope {
    match option {
        ScopeArg::UserProfileSync => TransactionScope::UserProfileSync,
        ScopeArg::ContactSync => TransactionScope::ContactSync,
        ScopeArg::GroupSync => TransactionScope::GroupSync,
        ScopeArg::DistributionListSync => TransactionScope::DistributionListSync,
        ScopeArg::SettingsSync => TransactionScope::SettingsSync,
        ScopeArg::MdmParameterSync => TransactionScope::MdmParameterSync,
        ScopeArg::NewDeviceSync => TransactionScope::NewDeviceSync,
        ScopeArg::DropDevice => TransactionScope::DropDevice,
        ScopeArg::WorkSyncDelta => TransactionScope::WorkSyncDelta,
    }
}
