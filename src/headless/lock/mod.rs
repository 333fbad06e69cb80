//! `d2mtop lock`: the group's lock as flock(1) has a file's, with or without a command to run under it.

mod child;
mod lease;

use std::ffi::OsString;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep_until};

use super::one_shot_device::{MOST_PATIENCE, OneShotDevice, Turn};
use crate::cli::{LockArgs, ScopeArg};
use crate::group::{Event, LockEvent, Refusal};
use crate::os::clock;
use crate::os::process_group::shell_exit_code;
use crate::os::signals::{self, ShutdownSignals};
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::advice::refusal_words;
use crate::output::ndjson;
use crate::output::ndjson::NamesInLines;
use crate::output::words::{remark, say};
use crate::protocol::{CloseCode, Millis, TransactionScope};
use crate::runtime::one_shot::{LEADER_PATIENCE, LEADER_WARNING};
use crate::runtime::one_shot::{PATIENCE, SIGNAL_PATIENCE};
use crate::runtime::{OneShotEnd, OneShotSession};
use crate::session::{Command, LEASE, LeaderPolicy, SessionTiming};
use child::{GRACE, RunningCommand};
use lease::Lease;

/// How long a login and the answer about the lock may take in any case; and the pause before a mediator is tried again.
const MOMENT: Duration = Duration::from_secs(2);

/// Takes the lock, runs the command, or waits to be interrupted, and commits. Who wrote `--` last has meant a command.
///
/// # Errors
/// If the lock is not to be had, or is lost; or the command cannot be run.
pub fn run(options: &LockArgs, meant_a_command: bool) -> Result<Outcome, Failure> {
    // The parser tells no end of options from one that nothing follows.
    if options.command.is_empty() && meant_a_command {
        return Err(Failure::Usage("not locked: there is no command after --".to_owned()));
    }
    let turn = Turn::Long(options.wait.unwrap_or(MOST_PATIENCE));
    let mut visitor = OneShotDevice::new(options.profile.as_deref(), &options.connection, turn)?;
    visitor.require_writable("not locked")?;
    if options.ttl.is_some_and(|ttl| ttl < Duration::from_secs(1)) {
        return Err(Failure::Usage("--ttl must be a second or more".to_owned()));
    }
    if options.ttl.is_some_and(|ttl| ttl.subsec_nanos() > 0) {
        return Err(Failure::Usage("--ttl must be whole seconds: the protocol has no parts of one".to_owned()));
    }
    let stays = visitor.profile().session.leader_policy == LeaderPolicy::Stay;
    visitor.run_one_shot(async |visit| {
        let mut locking = Locking::new(options, visit, stays);
        if let Some(interrupted) = locking.acquire().await? {
            return Ok(interrupted);
        }
        match options.command.as_slice() {
            [] => locking.hold().await,
            command => locking.run(command).await,
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
    /// Until when the lock is ours.
    lease: Option<Lease>,
}

/// Why the lock is not held any longer, or not waited for.
enum Stop {
    Signal(Signal),
    Lost(Failure),
    LeaseEnds,
    Leader,
}

impl<'a> Locking<'a> {
    fn new(options: &'a LockArgs, visit: &'a mut OneShotSession, stays: bool) -> Self {
        Self {
            options,
            visit,
            signals: ShutdownSignals::take_for_a_command(),
            interrupted: false,
            stays,
            leave_by: None,
            lease: None,
        }
    }

    /// Waits until the lock is ours; an outcome if a signal came first.
    async fn acquire(&mut self) -> Result<Option<Outcome>, Failure> {
        let started = Instant::now();
        let wait = self.options.wait;
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
                    let span = self.options.ttl.unwrap_or(LEASE);
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
        self.visit.ask(Command::TakeLock { scope: scope(self.options.scope), ttl: self.options.ttl });
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

    /// Holds the lock until it is interrupted.
    async fn hold(&mut self) -> Result<Outcome, Failure> {
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
    async fn run(&mut self, command: &[OsString]) -> Result<Outcome, Failure> {
        if self.lease.is_some_and(|lease| lease.is_ending()) {
            self.commit().await?;
            return Err(out_of_time());
        }
        let mut running = match RunningCommand::start(command) {
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
                stop = self.stop(true) => stop?,
            };
            match stop {
                Stop::Signal(signal) if signal == Signal::TSTP => {
                    if let Err(failure) = self.pause(&mut running).await {
                        remark("stopped for too long; ending the command");
                        running.terminate(Duration::ZERO).await?;
                        return Err(failure);
                    }
                }
                Stop::Signal(signal) if running.was_told(signal) => {}
                Stop::Signal(signal) => running.tell(signal),
                Stop::LeaseEnds => {
                    remark("the time of the lock is over; ending the command");
                    running.terminate(self.grace()).await?;
                    // Whatever comes of it, our own clock has ended the lock.
                    let _ = self.commit().await;
                    return Err(out_of_time());
                }
                Stop::Lost(failure) => {
                    remark("the lock is lost; ending the command");
                    running.terminate(self.grace()).await?;
                    return Err(failure);
                }
                Stop::Leader => {
                    remark("this device has led for too long; ending the command");
                    running.terminate(self.grace()).await?;
                    self.commit().await?;
                    return Err(led_for_too_long("the lock was given back"));
                }
            }
        }
    }

    /// Stops the command and then ourselves; fails if the lock may have ended meanwhile.
    async fn pause(&mut self, running: &mut RunningCommand) -> Result<(), Failure> {
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
            Event::Lock(lock) if self.options.command.is_empty() => self.print(at, event, lock),
            Event::Promoted => {
                remark(LEADER_WARNING);
                if !self.stays {
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

    /// What a script waits for, or a person.
    fn print(&self, at: Millis, event: &Event, lock: &LockEvent) -> Result<(), Failure> {
        if self.options.json {
            return ndjson::lines(at, event, NamesInLines::LeftOut).iter().try_for_each(|line| say(&line.to_string()));
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

/// Our own clock ends it, whatever the server does.
fn out_of_time() -> Failure {
    let words = "the lock was lost: its time (--ttl, or a minute without it) is over".to_owned();
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
fn cut_short(signal: Signal) -> Failure {
    let words = "left without waiting for the mediator to free the lock; it does so when it sees us gone".to_owned();
    Failure::Ended { outcome: Outcome::by_signal(signal), words }
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
            let (mut visit, mut asked, events) = OneShotSession::beside();
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
