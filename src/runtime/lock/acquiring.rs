//! From asking for the lock until it is ours, or waited for no longer.

use std::time::Duration;

use tokio::time::Instant;

use super::failures::{led_for_too_long, lock_busy};
use super::lease::Lease;
use super::{Locking, deadly, over};
use crate::group::{Event, LockEvent};
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::runtime::one_shot::PATIENCE;
use crate::session::{Command, LEASE};

/// How long a login and the answer about the lock may take in any case; and the pause before a mediator is tried again.
const MOMENT: Duration = Duration::from_secs(2);

impl Locking<'_> {
    /// Waits until the lock is ours; an outcome if a signal came first.
    pub(super) async fn acquire(&mut self) -> Result<Option<Outcome>, Failure> {
        let started = Instant::now();
        let wait = self.terms.wait;
        let wait_until = wait.and_then(|wait| started.checked_add(wait));
        // A login and an answer may take their time where one has not said to wait for nothing.
        let attempt_until = wait_until.filter(|until| *until > started).map(|until| until.max(started + MOMENT));
        self.hurry_unless_patient(attempt_until);
        let mut asked = self.visit.is_logged_in();
        if asked {
            self.ask();
        }
        let mut busy = "the lock is not to be had".to_owned();
        let (mut holder, mut again_at) = (None, None);
        let failure = loop {
            let may_end = if holder.is_some() || again_at.is_some() { wait_until } else { attempt_until };
            let told = tokio::select! {
                biased;
                told = self.visit.next() => told,
                signal = deadly(&mut self.signals) => {
                    if asked {
                        self.interrupted = true;
                        // Whatever comes of it, the signal is why.
                        let _ = self.give_up().await;
                    }
                    return Ok(Some(Outcome::by_signal(signal)));
                }
                () = over(may_end) => break lock_busy(busy),
                () = over(self.leave_by) => break led_for_too_long("the lock is waited for no longer"),
                () = over(again_at) => {
                    again_at = Some(Instant::now() + MOMENT);
                    self.visit.ask(Command::Reconnect { expect: None });
                    continue;
                }
            };
            let (at, event) = match told {
                Ok(told) => told,
                Err(end) if wait.is_some() && end.is_tried_again() => {
                    busy = format!("the mediator is not to be had: {end}");
                    (asked, holder) = (false, None);
                    again_at = Some(Instant::now() + MOMENT);
                    if wait == Some(Duration::ZERO) {
                        return Err(lock_busy(busy));
                    }
                    continue;
                }
                Err(end) => return Err(end.into()),
            };
            self.take(at, &event)?;
            match event {
                Event::LoggedIn(_) => {
                    (asked, again_at) = (true, None);
                    self.ask();
                    // The answer must come soon; the other device's commit need not.
                    self.hurry_unless_patient(attempt_until);
                }
                Event::Lock(LockEvent::Acquired { expires_at, .. }) => {
                    self.visit.take_time();
                    let span = self.terms.ttl.unwrap_or(LEASE);
                    self.lease = expires_at.map(|at| Lease::until(at, span));
                    return Ok(None);
                }
                Event::Lock(LockEvent::HeldBy { holder: by, scope }) => {
                    self.visit.take_time();
                    let scope = scope.map_or_else(|| "something unreadable".to_owned(), |scope| scope.to_string());
                    busy = format!("the lock is held by {by} for {scope}");
                    if wait == Some(Duration::ZERO) {
                        break lock_busy(busy);
                    }
                    if holder.replace(by) != Some(by) {
                        remark(&format!("{busy}; waiting"));
                    }
                }
                _ => {}
            }
        };
        if asked {
            self.give_up().await?;
        }
        Err(failure)
    }

    fn ask(&self) {
        self.visit.ask(Command::TakeLock { scope: self.terms.scope, ttl: self.terms.ttl });
    }

    fn hurry_unless_patient(&mut self, until: Option<Instant>) {
        match until {
            Some(_) => self.visit.take_time(),
            None => self.visit.hurry(PATIENCE),
        }
    }

    /// Stops waiting; should the lock be granted meanwhile, it is given back.
    async fn give_up(&mut self) -> Result<(), Failure> {
        let is_over = |event: &Event| {
            matches!(event, Event::Refused(_) | Event::Lock(LockEvent::Abandoned | LockEvent::Released(_)))
        };
        self.release(is_over, Failure::from).await
    }
}
