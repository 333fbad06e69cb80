//! `d2mtop lock`: the group's lock as flock(1) has a file's, with or without a command to run under it.

mod child;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::visitor::Visitor;
use crate::cli::{LockArgs, ScopeArg};
use crate::group::{Event, LockEvent, Refusal};
use crate::os::process_group::shell_exit_code;
use crate::os::signals::ShutdownSignals;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::advice::refusal_words;
use crate::output::ndjson;
use crate::output::words::{remark, say};
use crate::protocol::{CloseCode, Millis, TransactionScope};
use crate::runtime::one_shot::{PATIENCE, SIGNAL_PATIENCE};
use crate::runtime::{OneShotEnd, OneShotSession};
use crate::session::{Command, LeaderPolicy};
use child::Running;

/// How long a leader may hold the lock: the group gets no messages meanwhile.
pub(super) const LEADER_PATIENCE: Duration = Duration::from_mins(1);

/// What is said to a leader; how long it may last is said by who knows.
pub(super) const LEADER_WARNING: &str =
    "this device is alone and was made leader: as long as it stays, the whole group gets no messages";

/// Takes the lock, runs the command, or waits to be interrupted, and commits. Who wrote `--` last has meant a command.
///
/// # Errors
/// If the lock is not to be had, or is lost; or the command cannot be run.
pub fn run(options: &LockArgs, meant_a_command: bool) -> Result<Outcome, Failure> {
    // The parser tells no end of options from one that nothing follows.
    if options.command.is_empty() && meant_a_command {
        return Err(Failure::Usage("not locked: there is no command after --".to_owned()));
    }
    let mut visitor = Visitor::new(options.profile.as_deref(), &options.connection)?;
    visitor.require_writable("not locked")?;
    if options.ttl.is_some_and(|ttl| ttl < Duration::from_secs(1)) {
        return Err(Failure::Usage("--ttl must be a second or more".to_owned()));
    }
    let stays = visitor.profile().session.leader_policy == LeaderPolicy::Stay;
    visitor.run_one_shot(async |visit| {
        let mut locking = Locking::new(options, visit, stays);
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
    visit: &'a mut OneShotSession,
    signals: ShutdownSignals,
    /// Whether a signal has come.
    interrupted: bool,
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

impl<'a> Locking<'a> {
    fn new(options: &'a LockArgs, visit: &'a mut OneShotSession, stays: bool) -> Self {
        Self { options, visit, signals: ShutdownSignals::take(), interrupted: false, stays, leave_by: None }
    }

    /// Waits until the lock is ours; an outcome if a signal came first.
    async fn acquire(&mut self) -> Result<Option<Outcome>, Failure> {
        while !self.visit.is_logged_in() {
            let (at, event) = tokio::select! {
                biased;
                signal = self.signals.next() => return Ok(Some(by_signal(signal))),
                told = self.visit.next() => told?,
            };
            self.take(at, &event)?;
        }
        let ttl = self.options.ttl;
        self.visit.ask(Command::TakeLock { scope: scope(self.options.scope), ttl });
        let wait_until = self.options.wait.and_then(|wait| Instant::now().checked_add(wait));
        // The answer must come soon; the other device's commit need not.
        self.visit.hurry(PATIENCE);
        let mut busy = "the lock is not to be had".to_owned();
        let mut holder = None;
        let failure = loop {
            let may_wait = holder.is_some();
            let (at, event) = tokio::select! {
                biased;
                told = self.visit.next() => told?,
                signal = self.signals.next() => {
                    self.interrupted = true;
                    // Whatever comes of it, the signal is why.
                    let _ = self.give_up().await;
                    return Ok(Some(by_signal(signal)));
                }
                () = over(wait_until), if may_wait => break lock_busy(busy),
                () = over(self.leave_by) => break led_for_too_long("the lock is waited for no longer"),
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

    /// Stops waiting; should the lock be granted meanwhile, it is given back.
    async fn give_up(&mut self) -> Result<(), Failure> {
        let is_over = |event: &Event| {
            matches!(event, Event::Refused(_) | Event::Lock(LockEvent::Abandoned | LockEvent::Released(_)))
        };
        self.release(is_over, Failure::from).await
    }

    /// Holds the lock until it is interrupted.
    async fn hold(&mut self) -> Result<Outcome, Failure> {
        match self.stop().await? {
            Stop::Signal(_) => self.commit().await.map(|()| Outcome::Normal),
            Stop::Lost(failure) => Err(failure),
            Stop::Leader => {
                self.commit().await?;
                Err(led_for_too_long("the lock was given back"))
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
                    let code = shell_exit_code(status?);
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
                    return Err(led_for_too_long("the lock was given back"));
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
                signal = self.signals.next() => {
                    self.interrupted = true;
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
                Err(end) => return Ok(Stop::Lost(lost(&end, self.options.ttl.is_some()))),
            }
        }
    }

    /// Commits, so that the others need not wait until the connection is seen to be gone.
    async fn commit(&mut self) -> Result<(), Failure> {
        let is_over = |event: &Event| matches!(event, Event::Lock(LockEvent::Released(_)));
        let has_ttl = self.options.ttl.is_some();
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
                signal = self.signals.next() => {
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
            Event::Refused(why) => Err(Failure::Ended { outcome: Outcome::Unwell, words: refusal_words(*why) }),
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

fn lost(end: &OneShotEnd, has_ttl: bool) -> Failure {
    if has_ttl && end.is_closed_with(CloseCode::TRANSACTION_EXPIRED) {
        let words = "the lock was lost: its time (--ttl, or what the server allows) is over (4011)".to_owned();
        return Failure::Ended { outcome: Outcome::LockLost, words };
    }
    Failure::Ended { outcome: Outcome::LockLost, words: format!("the lock was lost: {end}") }
}

fn led_for_too_long(so: &str) -> Failure {
    let words = format!("{so}: this device was leader for a minute, and the group got no messages");
    Failure::Ended { outcome: Outcome::LockLost, words }
}

fn lock_busy(words: String) -> Failure {
    Failure::Ended { outcome: Outcome::LockBusy, words }
}

/// The end before the server has confirmed it.
fn cut_short(signal: rustix::process::Signal) -> Failure {
    let words = "left without waiting for the mediator to free the lock; it does so when it sees us gone".to_owned();
    Failure::Ended { outcome: by_signal(signal), words }
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
            let (mut visit, mut asked, events) = OneShotSession::scripted();
            let mut locking = Locking::new(&options, &mut visit, stays);
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
