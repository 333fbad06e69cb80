//! [`LockRun`]: one lock, from the request to its end, and what is printed of it.

use tokio::time::Instant;

use crate::cli::LockArgs;
use crate::group::{Event, LockEvent, Refusal};
use crate::headless::connection::leader_limit::{LEADER_LIMIT, LEADER_WARNING};
use crate::os::signals::ShutdownSignals;
use crate::output::advice::refusal_words;
use crate::output::ndjson;
use crate::output::words::{remark, say};
use crate::output::{Failure, Outcome};
use crate::protocol::{Millis, TransactionScope};
use crate::runtime::OneShotSession;

pub(super) struct LockRun<'a> {
    pub(super) options: &'a LockArgs,
    pub(super) session: &'a mut OneShotSession,
    pub(super) signals: ShutdownSignals,
    pub(super) interrupted: bool,
    /// Whether a leader stays without a limit.
    pub(super) stays: bool,
    /// When a leader gives the lock back.
    pub(super) leave_by: Option<Instant>,
}

/// Why the lock is given back or lost.
pub(super) enum StopReason {
    Signal(rustix::process::Signal),
    Lost(Failure),
    Leader,
}

impl<'a> LockRun<'a> {
    pub(super) fn new(options: &'a LockArgs, session: &'a mut OneShotSession, stays: bool) -> Self {
        Self { options, session, signals: ShutdownSignals::take(), interrupted: false, stays, leave_by: None }
    }

    pub(super) fn take(&mut self, at: Millis, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Lock(lock) if self.options.command.is_empty() => self.print(at, event, lock),
            Event::Promoted => {
                remark(LEADER_WARNING);
                if !self.stays {
                    remark("it gives the lock back after a minute; --stay-leader keeps it");
                    self.leave_by = Some(Instant::now() + LEADER_LIMIT);
                }
                Ok(())
            }
            // The end of the connection follows, and says why.
            Event::Refused(Refusal::NotLocked) => Ok(()),
            Event::Refused(why) => Err(Failure::Ended { outcome: Outcome::Unwell, words: refusal_words(*why) }),
            _ => Ok(()),
        }
    }

    /// Prints what a script or a person waits for.
    fn print(&self, at: Millis, event: &Event, lock: &LockEvent) -> Result<(), Failure> {
        if self.options.json {
            return ndjson::lines(at, event).iter().try_for_each(|line| say(&line.to_string()));
        }
        match lock {
            LockEvent::Acquired { scope, .. } => say(&format!("{} is held", name(scope.as_ref()))),
            LockEvent::Released(scope) => say(&format!("{} is released", name(scope.as_ref()))),
            LockEvent::Lost(scope) => say(&format!("{} is lost", name(scope.as_ref()))),
            _ => Ok(()),
        }
    }
}

fn name(scope: Option<&TransactionScope>) -> String {
    scope.map(TransactionScope::to_string).unwrap_or_default()
}
