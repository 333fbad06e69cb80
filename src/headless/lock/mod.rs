//! `d2mtop lock`: the group's lock as flock(1) has a file's, with or without a command to run under it.

mod acquire;
mod child;
mod endings;
mod hold;
mod lock_run;
mod release;

use std::time::Duration;

use super::connection::OneShotDevice;
use crate::cli::LockArgs;
use crate::output::{Failure, Outcome};
use crate::session::LeaderPolicy;
use child::ChildCommand;
use lock_run::LockRun;

/// Takes the lock, runs the command, or waits to be interrupted, and commits. A `--` at the end means that a command was
/// forgotten.
///
/// # Errors
/// If the lock is not to be had, or is lost; or the command cannot be run.
pub fn run(options: &LockArgs, meant_a_command: bool) -> Result<Outcome, Failure> {
    // The parser tells no end of options from one that nothing follows.
    if options.command.is_empty() && meant_a_command {
        return Err(Failure::Usage("not locked: there is no command after --".to_owned()));
    }
    let mut device = OneShotDevice::new(options.profile.as_deref(), &options.connection)?;
    device.require_writable("not locked")?;
    if options.ttl.is_some_and(|ttl| ttl < Duration::from_secs(1)) {
        return Err(Failure::Usage("--ttl must be a second or more".to_owned()));
    }
    let stays = device.profile().session.leader_policy == LeaderPolicy::Stay;
    device.run_one_shot(async |session| {
        let mut lock_run = LockRun::new(options, session, stays);
        if let Some(interrupted) = lock_run.acquire().await? {
            return Ok(interrupted);
        }
        match options.command.as_slice() {
            [] => lock_run.hold().await,
            command => lock_run.run(ChildCommand::start(command)).await,
        }
    })
}
