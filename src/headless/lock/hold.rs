//! Holding the lock: until a signal comes, or under a command.

use super::child::ChildCommand;
use super::endings::{led_for_too_long, lost, out_of_time};
use super::lock_run::{LockRun, StopReason};
use crate::group::{Event, LockEvent};
use crate::headless::background::sleep_until;
use crate::os::process_group::shell_exit_code;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};

impl LockRun<'_> {
    /// Holds the lock until it is interrupted.
    pub(super) async fn hold(&mut self) -> Result<Outcome, Failure> {
        match self.stop().await? {
            StopReason::Signal(_) => self.commit().await.map(|()| Outcome::Normal),
            StopReason::Lost(failure) => Err(failure),
            StopReason::Leader => {
                self.commit().await?;
                Err(led_for_too_long("the lock was given back"))
            }
        }
    }

    /// Runs a command until it ends, or the lock does.
    pub(super) async fn run(&mut self, started: Result<ChildCommand, Failure>) -> Result<Outcome, Failure> {
        let mut running = match started {
            Ok(running) => running,
            Err(failure) => {
                self.commit().await?;
                return Err(failure);
            }
        };
        loop {
            let stop = tokio::select! {
                biased;
                status = running.end() => {
                    let code = shell_exit_code(status?);
                    return self.commit().await.map(|()| Outcome::Ran(code));
                }
                stop = self.stop() => stop?,
            };
            match stop {
                StopReason::Signal(signal) if running.got_too(signal) => {}
                StopReason::Signal(signal) => running.pass_on(signal),
                StopReason::Lost(failure) => {
                    remark("the lock is lost; ending the command");
                    running.terminate().await?;
                    return Err(failure);
                }
                StopReason::Leader => {
                    remark("this device has led for too long; ending the command");
                    running.terminate().await?;
                    self.commit().await?;
                    return Err(led_for_too_long("the lock was given back"));
                }
            }
        }
    }

    /// Waits until the lock is lost, or should be given back.
    async fn stop(&mut self) -> Result<StopReason, Failure> {
        loop {
            let next = tokio::select! {
                biased;
                next = self.session.next() => next,
                signal = self.signals.next() => {
                    self.interrupted = true;
                    return Ok(StopReason::Signal(signal));
                }
                () = sleep_until(self.leave_by) => return Ok(StopReason::Leader),
            };
            match next {
                Ok((at, event)) => {
                    self.take(at, &event)?;
                    if matches!(event, Event::Lock(LockEvent::Released(_))) {
                        return Ok(StopReason::Lost(out_of_time()));
                    }
                }
                Err(end) => return Ok(StopReason::Lost(lost(&end, self.options.ttl.is_some()))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::cli::{ConnectionArgs, LockArgs, ScopeArg};
    use crate::protocol::Millis;
    use crate::runtime::OneShotSession;
    use crate::session::Command;

    fn options() -> LockArgs {
        LockArgs {
            scope: ScopeArg::ContactSync,
            command: Vec::new(),
            profile: None,
            ttl: None,
            wait: None,
            json: false,
            connection: ConnectionArgs::default(),
        }
    }

    /// Is promoted, and then waits no longer than nothing: while it holds the lock, or while it waits for it.
    fn promoted(stays: bool, holds: bool) -> (bool, Outcome, String) {
        let options = options();
        crate::os::event_loop::event_loop().unwrap().block_on(async {
            let (mut session, mut asked, events) = OneShotSession::scripted();
            let mut lock_run = LockRun::new(&options, &mut session, stays);
            lock_run.take(Millis(0), &Event::Promoted).unwrap();
            let leaves = lock_run.leave_by.is_some();
            lock_run.leave_by = leaves.then(Instant::now);
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
            let locked = async { if holds { lock_run.hold().await.map(Some) } else { lock_run.acquire().await } };
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
