//! While the lock is ours: until a signal comes, or a command ends.

use std::ffi::OsString;
use std::time::Duration;

use rustix::process::Signal;

use super::failures::{led_for_too_long, lost, out_of_time};
use super::{Locking, ending, over};
use crate::group::{Event, LockEvent};
use crate::os::process_group::shell_exit_code;
use crate::os::user_command::{GRACE, UserCommand};
use crate::os::{clock, signals};
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::session::SessionTiming;
use crate::text::Clean;

/// Why the lock is not held any longer, or not waited for.
enum Stop {
    Signal(Signal),
    Lost(Failure),
    LeaseEnds,
    Leader,
}

impl Locking<'_> {
    /// Holds the lock until it is interrupted.
    pub(super) async fn hold(&mut self) -> Result<Outcome, Failure> {
        loop {
            match self.stop(false).await? {
                Stop::Signal(signal) if signals::is_ending(signal) => {
                    return self.commit().await.map(|()| Outcome::Normal);
                }
                Stop::Signal(signal) if signals::is_deadly(signal) => {
                    return self.commit().await.map(|()| Outcome::by_signal(signal));
                }
                Stop::Signal(signal) if signal == Signal::TSTP => {
                    signals::stop_this_process().map_err(Failure::Start)?;
                }
                // The session gives it back in time.
                Stop::Signal(_) | Stop::LeaseEnds => {}
                Stop::Lost(failure) => return Err(failure),
                Stop::Leader => {
                    self.commit().await?;
                    return Err(led_for_too_long("the lock was given back"));
                }
            }
        }
    }

    /// Runs a command, to its end or to that of the lock.
    pub(super) async fn run(&mut self, program: &OsString, arguments: &[OsString]) -> Result<Outcome, Failure> {
        if self.lease.is_some_and(|lease| lease.is_ending()) {
            self.commit().await?;
            return Err(out_of_time());
        }
        let mut running = match UserCommand::start(program, arguments) {
            Ok(running) => running,
            Err(cause) => {
                self.commit().await?;
                return Err(Failure::Command { command: Clean::new(&program.to_string_lossy()), cause });
            }
        };
        loop {
            let stop = tokio::select! {
                biased;
                status = running.end() => {
                    let code = shell_exit_code(status.map_err(Failure::Start)?);
                    return self.commit().await.map(|()| Outcome::Ran(code));
                }
                stop = self.stop(true) => stop?,
            };
            match stop {
                Stop::Signal(signal) if signal == Signal::TSTP => {
                    if let Err(failure) = self.pause(&mut running).await {
                        remark("stopped for too long; ending the command");
                        running.terminate(Duration::ZERO).await.map_err(Failure::Start)?;
                        return Err(failure);
                    }
                }
                Stop::Signal(signal) if running.was_told(signal) => {}
                Stop::Signal(signal) => running.tell(signal),
                Stop::LeaseEnds => {
                    remark("the time of the lock is over; ending the command");
                    running.terminate(self.grace()).await.map_err(Failure::Start)?;
                    // Whatever comes of it, our own clock has ended the lock.
                    let _ = self.commit().await;
                    return Err(out_of_time());
                }
                Stop::Lost(failure) => {
                    remark("the lock is lost; ending the command");
                    running.terminate(self.grace()).await.map_err(Failure::Start)?;
                    return Err(failure);
                }
                Stop::Leader => {
                    remark("this device has led for too long; ending the command");
                    running.terminate(self.grace()).await.map_err(Failure::Start)?;
                    self.commit().await?;
                    return Err(led_for_too_long("the lock was given back"));
                }
            }
        }
    }

    /// Stops the command and then ourselves; fails if the lock may have ended meanwhile.
    async fn pause(&mut self, running: &mut UserCommand) -> Result<(), Failure> {
        running.stop().await;
        let stopped_at = clock::monotonic();
        signals::stop_this_process().map_err(Failure::Start)?;
        if self.lease.is_some_and(|lease| lease.is_ending()) {
            return Err(out_of_time());
        }
        if clock::monotonic().saturating_sub(stopped_at) >= SessionTiming::default().lock_silence {
            let words = "the lock was lost: the mediator heard nothing of this device while it was stopped".to_owned();
            return Err(Failure::Ended { outcome: Outcome::LockLost, words });
        }
        running.tell(Signal::CONT);
        Ok(())
    }

    /// How long a command may take to end before the lock does.
    fn grace(&self) -> Duration {
        self.lease.map_or(GRACE, |lease| lease.grace())
    }

    /// Waits for something that ends the lock, or should.
    async fn stop(&mut self, has_command: bool) -> Result<Stop, Failure> {
        let lease = self.lease.filter(|_| has_command);
        loop {
            let told = tokio::select! {
                biased;
                // After a sleep, before anything that is passed on.
                () = ending(lease) => return Ok(Stop::LeaseEnds),
                told = self.visit.next() => told,
                signal = self.signals.next() => {
                    self.interrupted |= signals::is_ending(signal);
                    return Ok(Stop::Signal(signal));
                }
                () = over(self.leave_by) => return Ok(Stop::Leader),
            };
            match told {
                Ok((at, event)) => {
                    self.take(at, &event)?;
                    if matches!(event, Event::Lock(LockEvent::Released(_))) {
                        return Ok(Stop::Lost(out_of_time()));
                    }
                }
                Err(end) => return Ok(Stop::Lost(lost(&end, self.terms.ttl.is_some()))),
            }
        }
    }
}
