//! The steps that drop one device: lock, list, drop, commit.

use crate::group::{Event, LockEvent, Refusal};
use crate::output::advice::refusal_words;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::protocol::DeviceId;
use crate::runtime::one_shot::PATIENCE;
use crate::runtime::{OneShotEnd, OneShotSession};
use crate::session::{Command, Confirmed};

/// The result for one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    Now,
    /// Somebody else was faster.
    Already,
}

/// Takes the steps. They end when the lock is free again, or when this device itself is gone.
pub(super) async fn drop_device(
    session: &mut OneShotSession,
    target: DeviceId,
    own: DeviceId,
) -> Result<Dropped, Failure> {
    session.hurry(PATIENCE);
    let mut progress = DropProgress::default();
    let mut command = Some(if target == own {
        Command::LeaveGroup(Confirmed::after_asking(()))
    } else {
        Command::DropDevice(Confirmed::after_asking(target))
    });
    loop {
        if session.is_logged_in()
            && let Some(command) = command.take()
        {
            session.ask(command);
        }
        match session.next().await {
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
