//! [`run_locked`]: the group's lock, taken, held and given back, with or without a command to run under it.

mod acquiring;
mod failures;
mod holding;
mod lease;

use std::ffi::OsString;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep_until};

use super::one_shot::{LEADER_PATIENCE, LEADER_WARNING, PATIENCE, SIGNAL_PATIENCE};
use super::{OneShotEnd, OneShotSession};
use crate::group::{Event, LockEvent, Refusal};
use crate::os::signals::{self, ShutdownSignals};
use crate::output::advice::refusal_words;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::protocol::{Millis, TransactionScope};
use crate::session::Command;
use failures::{cut_short, lost};
use lease::Lease;

/// What the lock is taken for, and on which terms.
#[derive(Debug)]
pub struct LockTerms {
    /// What it is taken for.
    pub scope: TransactionScope,
    /// After how long the mediator takes it back; without it after its own time.
    pub ttl: Option<Duration>,
    /// How long to wait for who has it; without it as long as it takes.
    pub wait: Option<Duration>,
    /// Whether a leader stays all the same.
    pub stay_leader: bool,
    /// What is run while the lock is held; empty to hold it until a signal comes.
    pub command: Vec<OsString>,
}

/// Who is told of every step of the lock.
pub type LockTeller<'a> = &'a mut dyn FnMut(Millis, &Event) -> Result<(), Failure>;

/// Takes the lock, runs the command, or waits to be interrupted, and commits.
///
/// # Errors
/// If the lock is not to be had, or is lost; or the command cannot be run.
pub async fn run_locked(
    terms: &LockTerms,
    visit: &mut OneShotSession,
    tell: LockTeller<'_>,
) -> Result<Outcome, Failure> {
    let mut locking = Locking::new(terms, visit, tell);
    if let Some(interrupted) = locking.acquire().await? {
        return Ok(interrupted);
    }
    match terms.command.as_slice() {
        [] => locking.hold().await,
        [program, arguments @ ..] => locking.run(program, arguments).await,
    }
}

/// One lock, from asking for it to its end.
struct Locking<'a> {
    terms: &'a LockTerms,
    visit: &'a mut OneShotSession,
    tell: LockTeller<'a>,
    signals: ShutdownSignals,
    /// Whether a signal has come.
    interrupted: bool,
    /// When a leader gives up.
    leave_by: Option<Instant>,
    /// Until when the lock is ours.
    lease: Option<Lease>,
}

impl<'a> Locking<'a> {
    fn new(terms: &'a LockTerms, visit: &'a mut OneShotSession, tell: LockTeller<'a>) -> Self {
        Self {
            terms,
            visit,
            tell,
            signals: ShutdownSignals::take_for_a_command(),
            interrupted: false,
            leave_by: None,
            lease: None,
        }
    }

    /// Commits, so that the others need not wait until the connection is seen to be gone.
    async fn commit(&mut self) -> Result<(), Failure> {
        let is_over = |event: &Event| matches!(event, Event::Lock(LockEvent::Released(_)));
        let has_ttl = self.terms.ttl.is_some();
        self.release(is_over, |end| lost(&end, has_ttl)).await
    }

    /// Asks for the end of the lock, and waits for it: not for long once a signal has come, and not at all once another has.
    async fn release(
        &mut self,
        is_over: impl Fn(&Event) -> bool,
        failed: impl Fn(OneShotEnd) -> Failure,
    ) -> Result<(), Failure> {
        self.visit.ask(Command::ReleaseLock);
        self.visit.hurry(if self.interrupted { SIGNAL_PATIENCE } else { PATIENCE });
        loop {
            let (at, event) = tokio::select! {
                biased;
                told = self.visit.next() => told.map_err(&failed)?,
                signal = deadly(&mut self.signals) => {
                    if self.interrupted {
                        return Err(cut_short(signal));
                    }
                    self.interrupted = true;
                    self.visit.hurry(SIGNAL_PATIENCE);
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

    fn take(&mut self, at: Millis, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Lock(_) => (self.tell)(at, event),
            Event::Promoted => {
                remark(LEADER_WARNING);
                if !self.terms.stay_leader {
                    remark("it gives the lock back after a minute; --stay-leader keeps it");
                    self.leave_by = Some(Instant::now() + LEADER_PATIENCE);
                }
                Ok(())
            }
            // The end of the connection follows, and says why; or the session gives the lock back already.
            Event::Refused(Refusal::NotLocked | Refusal::Busy) => Ok(()),
            Event::Refused(why) => Err(Failure::Ended { outcome: Outcome::Unwell, words: refusal_words(*why) }),
            _ => Ok(()),
        }
    }
}

/// A signal that ends who does not heed it. Ctrl-Z stops us, as always.
async fn deadly(signals: &mut ShutdownSignals) -> Signal {
    loop {
        match signals.next().await {
            signal if signals::is_deadly(signal) => return signal,
            // If the system refuses, we go on.
            signal if signal == Signal::TSTP => signals::stop_this_process().unwrap_or_default(),
            _ => {}
        }
    }
}

async fn ending(lease: Option<Lease>) {
    match lease {
        Some(lease) => lease.ending().await,
        None => std::future::pending().await,
    }
}

async fn over(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is promoted, and then waits no longer than nothing: while it holds the lock, or while it waits for it.
    fn promoted(stays: bool, holds: bool) -> (bool, Outcome, String) {
        let terms = LockTerms {
            scope: TransactionScope::ContactSync,
            ttl: None,
            wait: None,
            stay_leader: stays,
            command: Vec::new(),
        };
        crate::os::event_loop::event_loop().unwrap().block_on(async {
            let (mut visit, mut asked, events) = OneShotSession::beside();
            let mut tell = |_: Millis, _: &Event| Ok(());
            let mut locking = Locking::new(&terms, &mut visit, &mut tell);
            locking.take(Millis(0), &Event::Promoted).unwrap();
            let leaves = locking.leave_by.is_some();
            locking.leave_by = leaves.then(Instant::now);
            let server = async {
                if !holds {
                    assert!(matches!(asked.recv().await, Some(Command::TakeLock { .. })));
                }
                if leaves {
                    assert_eq!(asked.recv().await, Some(Command::ReleaseLock), "it commits, or waits no longer");
                    let ended = if holds { LockEvent::Released(None) } else { LockEvent::Abandoned };
                    events.send((Millis(0), Event::Lock(ended))).unwrap();
                }
                // The connection ends with the last word.
                drop(events);
            };
            let locked = async { if holds { locking.hold().await.map(Some) } else { locking.acquire().await } };
            let (ended, ()) = tokio::join!(locked, server);
            match ended {
                Err(Failure::Ended { outcome, words }) => (leaves, outcome, words),
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_leader_gives_the_lock_back_in_time_unless_it_is_to_stay() {
        let (leaves, outcome, words) = promoted(false, true);
        assert_eq!((leaves, outcome), (true, Outcome::LockLost), "{words}");
        assert!(words.contains("given back: this device was leader"), "{words}");
        // There, only the end of the connection ends it.
        let (leaves, outcome, words) = promoted(true, true);
        assert_eq!((leaves, outcome), (false, Outcome::LockLost), "{words}");
    }

    #[test]
    fn a_leader_does_not_wait_for_the_lock_either() {
        let (leaves, outcome, words) = promoted(false, false);
        assert_eq!((leaves, outcome), (true, Outcome::LockLost), "{words}");
        assert!(words.contains("waited for no longer: this device was leader"), "{words}");
        let (leaves, outcome, words) = promoted(true, false);
        assert_eq!((leaves, outcome), (false, Outcome::Lost), "{words}");
    }
}
