//! [`drop_device`]: drops a device from the group by the full steps.

use super::one_shot::PATIENCE;
use super::{OneShotEnd, OneShotSession};
use crate::group::{Event, LockEvent, Refusal};
use crate::output::advice::refusal_words;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::protocol::DeviceId;
use crate::session::Command;

/// What came of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// It is gone because we asked for it.
    Now,
    /// Somebody else was faster.
    Already,
}

/// Lock, list, drop, commit; over when the lock is free again, or with this device itself. The command is the one that drops
/// the target.
///
/// # Errors
/// If the mediator refuses it, or does not confirm it.
pub async fn drop_device(visit: &mut OneShotSession, command: Command, target: DeviceId) -> Result<Dropped, Failure> {
    visit.hurry(PATIENCE);
    let mut progress = DropProgress::default();
    let mut command = Some(command);
    loop {
        if visit.is_logged_in()
            && let Some(command) = command.take()
        {
            visit.ask(command);
        }
        match visit.next().await {
            Ok((_, Event::DeviceDropped(device))) if device == target => progress.dropped = Some(Dropped::Now),
            Ok((_, Event::Refused(Refusal::NoSuchDevice))) => progress.dropped = Some(Dropped::Already),
            Ok((_, event)) => progress.take(&event)?,
            // What was done stays done, however the connection ended afterwards.
            Err(end) => return progress.dropped.ok_or_else(|| progress.failure(&end)),
        }
        if let (Some(dropped), false) = (progress.dropped, progress.locked) {
            return Ok(dropped);
        }
    }
}

/// How far the steps are.
#[derive(Debug, Default)]
struct DropProgress {
    locked: bool,
    waiting: bool,
    dropped: Option<Dropped>,
}

impl DropProgress {
    fn take(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Lock(LockEvent::Acquired { .. }) => self.locked = true,
            Event::Lock(LockEvent::Released(_)) => self.locked = false,
            Event::Lock(LockEvent::HeldBy { holder, .. }) if !self.waiting => {
                self.waiting = true;
                remark(&format!("waiting for the lock, which {holder} has"));
            }
            Event::Refused(why) if *why != Refusal::Unconfirmed => {
                return Err(Failure::Ended { outcome: Outcome::Unwell, words: refusal_words(*why) });
            }
            _ => {}
        }
        Ok(())
    }

    fn failure(&self, end: &OneShotEnd) -> Failure {
        if self.locked {
            let words = format!("perhaps dropped: {end} before it confirmed; look at the list with d2mtop devices");
            return Failure::Ended { outcome: Outcome::Lost, words };
        }
        if self.waiting && *end == OneShotEnd::TooLate {
            let words = "not dropped: another device has the lock; try again in a minute".to_owned();
            return Failure::Ended { outcome: Outcome::LockBusy, words };
        }
        Failure::Ended { outcome: end.outcome(), words: format!("not dropped: {end}") }
    }
}
