//! `d2mtop lock`: the group's lock as flock(1) has a file's, with or without a command to run under it.

mod child;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ndjson;
use super::visitor::Visitor;
use super::words::{remark, say};
use crate::cli::{LockArgs, ScopeArg};
use crate::group::{Event, LockEvent, Refusal};
use crate::protocol::{Millis, TransactionScope};
use crate::runtime::visit::PATIENCE;
use crate::runtime::{Failure, Outcome, Visit, VisitEnd};
use crate::session::{Command, LeaderPolicy};
use child::{Running, Signals, exit_code};

/// How long a leader may hold the lock: the group gets no messages meanwhile.
pub(super) const LEADER_PATIENCE: Duration = Duration::from_mins(1);

/// What is said to a leader; how long it may last is said by who knows.
pub(super) const LEADER_WARNING: &str =
    "this device is alone and was made leader: as long as it stays, the whole group gets no messages";

/// Takes the lock, runs the command, or waits to be interrupted, and commits.
///
/// # Errors
/// If the lock is not to be had, or is lost; or the command cannot be run.
pub fn run(options: &LockArgs) -> Result<Outcome, Failure> {
    let mut visitor = Visitor::new(options.profile.as_deref(), &options.connection)?;
    visitor.require_writable("not locked")?;
    if options.ttl.is_some_and(|ttl| ttl < Duration::from_secs(1)) {
        return Err(Failure::Usage("--ttl must be a second or more".to_owned()));
    }
    let stays = visitor.profile().session.leader_policy == LeaderPolicy::Stay;
    visitor.drop_in(async |visit| {
        let signals = Signals::listen().map_err(Failure::Start)?;
        let mut locking = Locking { options, visit, signals, stays, leave_by: None };
        if let Some(interrupted) = locking.acquire().await? {
            return Ok(interrupted);
        }
        match options.command.as_slice() {
            [] => locking.hold().await,
            command => locking.run(Running::start(command)).await,
        }
    })
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

/// One lock, from asking for it to its end.
struct Locking<'a> {
    options: &'a LockArgs,
    visit: &'a mut Visit,
    signals: Signals,
    /// Whether a leader stays all the same.
    stays: bool,
    /// When a leader gives up.
    leave_by: Option<Instant>,
}

/// Why the lock is not held any longer, or not waited for.
enum Stop {
    Signal(rustix::process::Signal),
    Lost(Failure),
    Leader,
}

impl Locking<'_> {
    /// Waits until the lock is ours; an outcome if a signal came first.
    async fn acquire(&mut self) -> Result<Option<Outcome>, Failure> {
        while !self.visit.is_logged_in() {
            let (at, event) = self.visit.next().await?;
            self.take(at, &event)?;
        }
        let ttl = self.options.ttl;
        self.visit.ask(Command::TakeLock { scope: scope(self.options.scope), ttl });
        let wait_until = self.options.wait.and_then(|wait| Instant::now().checked_add(wait));
        // The answer must come soon; the other device's commit need not.
        self.visit.hurry(PATIENCE);
        let mut busy = "the lock is not to be had".to_owned();
        let mut holder = None;
        loop {
            let may_wait = holder.is_some();
            let (at, event) = tokio::select! {
                biased;
                told = self.visit.next() => told?,
                signal = self.signals.next() => return self.give_up().await.map(|()| Some(by_signal(signal))),
                () = over(wait_until), if may_wait => break,
                () = over(self.leave_by) => break,
            };
            self.take(at, &event)?;
            match event {
                Event::Lock(LockEvent::Acquired { .. }) => {
                    self.visit.take_time();
                    return Ok(None);
                }
                Event::Lock(LockEvent::HeldBy { holder: by, scope }) => {
                    self.visit.take_time();
                    let scope = scope.map_or_else(|| "something unreadable".to_owned(), |scope| scope.to_string());
                    busy = format!("the lock is held by {by} for {scope}");
                    if self.options.wait == Some(Duration::ZERO) {
                        break;
                    }
                    if holder.replace(by) != Some(by) {
                        remark(&format!("{busy}; waiting"));
                    }
                }
                _ => {}
            }
        }
        self.give_up().await?;
        Err(Failure::Ended { outcome: Outcome::LockBusy, words: busy })
    }

    /// Stops waiting; should the lock be granted meanwhile, it is given back.
    async fn give_up(&mut self) -> Result<(), Failure> {
        self.visit.ask(Command::ReleaseLock);
        self.visit.hurry(PATIENCE);
        let over = self.visit.until(|event| {
            matches!(event, Event::Refused(_) | Event::Lock(LockEvent::Abandoned | LockEvent::Released(_)))
                .then_some(())
        });
        Ok(over.await?)
    }

    /// Holds the lock until it is interrupted.
    async fn hold(&mut self) -> Result<Outcome, Failure> {
        match self.stop().await? {
            Stop::Signal(_) => self.commit().await.map(|()| Outcome::Normal),
            Stop::Lost(failure) => Err(failure),
            Stop::Leader => {
                self.commit().await?;
                Err(led_for_too_long())
            }
        }
    }

    /// Runs a command, to its end or to that of the lock.
    async fn run(&mut self, started: Result<Running, Failure>) -> Result<Outcome, Failure> {
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
                    let code = exit_code(status?);
                    return self.commit().await.map(|()| Outcome::Ran(code));
                }
                stop = self.stop() => stop?,
            };
            match stop {
                Stop::Signal(signal) if running.was_told(signal) => {}
                Stop::Signal(signal) => running.tell(signal),
                Stop::Lost(failure) => {
                    remark("the lock is lost; ending the command");
                    running.terminate().await?;
                    return Err(failure);
                }
                Stop::Leader => {
                    remark("this device has led for too long; ending the command");
                    running.terminate().await?;
                    self.commit().await?;
                    return Err(led_for_too_long());
                }
            }
        }
    }

    /// Waits for something that ends the lock, or should.
    async fn stop(&mut self) -> Result<Stop, Failure> {
        loop {
            let told = tokio::select! {
                biased;
                told = self.visit.next() => told,
                signal = self.signals.next() => return Ok(Stop::Signal(signal)),
                () = over(self.leave_by) => return Ok(Stop::Leader),
            };
            match told {
                Ok((at, event)) => {
                    self.take(at, &event)?;
                    if matches!(event, Event::Lock(LockEvent::Released(_))) {
                        return Ok(Stop::Lost(out_of_time()));
                    }
                }
                Err(end) => return Ok(Stop::Lost(lost(&end))),
            }
        }
    }

    /// Commits, so that the others need not wait until the connection is seen to be gone.
    async fn commit(&mut self) -> Result<(), Failure> {
        self.visit.ask(Command::ReleaseLock);
        self.visit.hurry(PATIENCE);
        loop {
            let (at, event) = self.visit.next().await.map_err(|end| lost(&end))?;
            self.take(at, &event)?;
            if matches!(event, Event::Lock(LockEvent::Released(_))) {
                return Ok(());
            }
        }
    }

    fn take(&mut self, at: Millis, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Lock(lock) if self.options.command.is_empty() => self.print(at, event, lock),
            Event::Promoted => {
                remark(LEADER_WARNING);
                if !self.stays {
                    remark("it gives the lock back after a minute; --stay-leader keeps it");
                    self.leave_by = Some(Instant::now() + LEADER_PATIENCE);
                }
                Ok(())
            }
            // The end of the connection follows, and says why.
            Event::Refused(Refusal::NotLocked) => Ok(()),
            Event::Refused(why) => Err(Failure::Ended { outcome: Outcome::Unwell, words: why.to_string() }),
            _ => Ok(()),
        }
    }

    /// What a script waits for, or a person.
    fn print(&self, at: Millis, event: &Event, lock: &LockEvent) -> Result<(), Failure> {
        if self.options.json {
            return ndjson::lines(at, event).iter().try_for_each(|line| say(&line.to_string()));
        }
        match lock {
            LockEvent::Acquired { scope, .. } => say(&format!("{} is held", of(scope.as_ref()))),
            LockEvent::Released(scope) => say(&format!("{} is released", of(scope.as_ref()))),
            LockEvent::Lost(scope) => say(&format!("{} is lost", of(scope.as_ref()))),
            _ => Ok(()),
        }
    }
}

fn of(scope: Option<&TransactionScope>) -> String {
    scope.map(TransactionScope::to_string).unwrap_or_default()
}

/// The end by a signal, as a shell has it.
fn by_signal(signal: rustix::process::Signal) -> Outcome {
    Outcome::Ran(u8::try_from(signal.as_raw().saturating_add(128)).unwrap_or(u8::MAX))
}

/// Where the server knows nothing of `--ttl`, the session keeps to it.
fn out_of_time() -> Failure {
    let words = "the lock was lost: the time of --ttl is over".to_owned();
    Failure::Ended { outcome: Outcome::LockLost, words }
}

fn lost(end: &VisitEnd) -> Failure {
    Failure::Ended { outcome: Outcome::LockLost, words: format!("the lock was lost: {end}") }
}

fn led_for_too_long() -> Failure {
    let words = "the lock was given back: this device was leader for a minute, and the group got no messages";
    Failure::Ended { outcome: Outcome::LockLost, words: words.to_owned() }
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
    use crate::cli::ConnectionArgs;

    /// Holds the lock, is promoted, and then waits no longer than nothing.
    fn promoted(stays: bool) -> (bool, Outcome) {
        let options = LockArgs {
            scope: ScopeArg::ContactSync,
            command: Vec::new(),
            profile: None,
            ttl: None,
            wait: None,
            json: false,
            connection: ConnectionArgs::default(),
        };
        crate::runtime::event_loop().unwrap().block_on(async {
            let (mut visit, mut asked, events) = Visit::scripted();
            let signals = Signals::listen().unwrap();
            let mut locking = Locking { options: &options, visit: &mut visit, signals, stays, leave_by: None };
            locking.take(Millis(0), &Event::Promoted).unwrap();
            let leaves = locking.leave_by.is_some();
            locking.leave_by = leaves.then(Instant::now);
            let server = async {
                if leaves {
                    assert_eq!(asked.recv().await, Some(Command::ReleaseLock), "it commits");
                    events.send((Millis(0), Event::Lock(LockEvent::Released(None)))).unwrap();
                }
                // The connection ends with the last word.
                drop(events);
            };
            let (ended, ()) = tokio::join!(locking.hold(), server);
            match ended {
                Err(Failure::Ended { outcome, .. }) => (leaves, outcome),
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_leader_gives_the_lock_back_in_time_unless_it_is_to_stay() {
        assert_eq!(promoted(false), (true, Outcome::LockLost));
        // There, only the end of the connection ends it.
        assert_eq!(promoted(true), (false, Outcome::LockLost));
    }
}
