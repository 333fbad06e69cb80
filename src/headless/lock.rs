//! `d2mtop lock`: the group's lock as flock(1) has a file's, with or without a command to run under it.

use std::time::Duration;

use super::one_shot_device::{MOST_PATIENCE, OneShotDevice, Turn};
use crate::cli::{LockArgs, ScopeArg};
use crate::group::{Event, LockEvent};
use crate::output::ndjson::{self, NamesInLines};
use crate::output::words::say;
use crate::output::{Failure, Outcome};
use crate::protocol::{Millis, TransactionScope};
use crate::runtime::lock::{LockTerms, run_locked};
use crate::session::LeaderPolicy;

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
    let terms = LockTerms {
        scope: scope(options.scope),
        ttl: options.ttl,
        wait: options.wait,
        stay_leader: visitor.profile().session.leader_policy == LeaderPolicy::Stay,
        command: options.command.clone(),
    };
    // A command has standard output to itself.
    let prints = terms.command.is_empty();
    let mut tell = |at: Millis, event: &Event| if prints { print(options.json, at, event) } else { Ok(()) };
    visitor.run_one_shot(async |visit| run_locked(&terms, visit, &mut tell).await)
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

/// What a script waits for, or a person.
fn print(json: bool, at: Millis, event: &Event) -> Result<(), Failure> {
    let Event::Lock(lock) = event else { return Ok(()) };
    if json {
        return ndjson::lines(at, event, NamesInLines::LeftOut).iter().try_for_each(|line| say(&line.to_string()));
    }
    match lock {
        LockEvent::Acquired { scope, .. } => say(&format!("{} is held", of(scope.as_ref()))),
        LockEvent::Released(scope) => say(&format!("{} is released", of(scope.as_ref()))),
        LockEvent::Lost(scope) => say(&format!("{} is lost", of(scope.as_ref()))),
        _ => Ok(()),
    }
}

fn of(scope: Option<&TransactionScope>) -> String {
    scope.map(TransactionScope::to_string).unwrap_or_default()
}
