//! How far a watch is, and what ends it.

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::group::to_acknowledge;
use crate::group::{DisconnectCause, Event, NextStep, Probe};
use crate::headless::reconnect::{Ending, Reconnect};
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::{Queued, QueuedEvent, TimedEvent};
use crate::session::Command;

/// How far the reflection queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    /// Messages may still wait.
    Draining,
    /// All that waited has been sent to us.
    Dry,
}

/// What was reached on the way to the end.
pub(super) struct Progress {
    until_dry: bool,
    reconnect: Reconnect,
    queue: Queue,
    /// There was a login, on whichever connection.
    has_watched: bool,
    received: usize,
    acknowledged: usize,
    /// What comes next, if the end of a connection is the last that was told.
    next: Option<NextStep>,
    /// The device list came, or will not come any more.
    listed: bool,
    /// How many pings were answered since all was settled, once the first was asked for.
    answered: Option<u8>,
    /// Since when the queue is dry and everything acknowledged, if it is.
    pub(super) settled_since: Instant,
    pub(super) leaving: Option<Ending>,
}

impl Progress {
    pub(super) fn new(until_dry: bool, reconnect: Reconnect) -> Self {
        Self {
            until_dry,
            reconnect,
            queue: Queue::Draining,
            has_watched: false,
            received: 0,
            acknowledged: 0,
            next: None,
            listed: false,
            answered: None,
            settled_since: Instant::now(),
            leaving: None,
        }
    }

    const fn is_settled(&self) -> bool {
        matches!(self.queue, Queue::Dry) && self.received == self.acknowledged
    }

    pub(super) const fn awaits_list(&self) -> bool {
        self.is_complete() && !self.listed
    }

    const fn is_complete(&self) -> bool {
        self.until_dry && self.is_settled() && self.leaving.is_none()
    }

    /// The device list does not come.
    pub(super) fn no_list(&mut self, commands: &mpsc::Sender<Command>) {
        self.listed = true;
        self.confirm(commands);
    }

    /// Leaves once the server has what was acknowledged: it has read that when it answers what was sent after it. The first
    /// answer may be to a ping that was under way before, so two count.
    fn confirm(&mut self, commands: &mpsc::Sender<Command>) {
        if !self.is_complete() {
            self.answered = None;
        } else if self.listed && self.answered.is_some_and(|answered| answered >= 2) {
            self.leave(Ok(Outcome::Normal), commands);
        } else if self.listed
            && self.next.is_none()
            && self.answered.is_none()
            && commands.try_send(Command::Ping).is_ok()
        {
            self.answered = Some(0);
        }
    }

    pub(super) fn leave(&mut self, ending: Ending, commands: &mpsc::Sender<Command>) {
        if self.leaving.is_none() {
            self.leaving = Some(ending);
            let _ = commands.try_send(Command::Leave);
        }
    }

    /// Leaves because the time is over.
    pub(super) fn time_over(&mut self, commands: &mpsc::Sender<Command>) {
        let ending = if self.has_watched {
            Ok(Outcome::Normal)
        } else {
            let words = "there was no login in that time, and so nothing to watch".to_owned();
            Err(Failure::Ended { outcome: Outcome::Lost, words })
        };
        self.leave(ending, commands);
    }

    pub(super) fn take(&mut self, told: &QueuedEvent, commands: &mpsc::Sender<Command>) {
        let settled = self.is_settled();
        if let Queued::Item(TimedEvent { event, .. }) = told
            && let Some(ending) = self.reconnect.take(event, self.until_dry)
        {
            self.leave(ending, commands);
        }
        match told {
            Queued::LeftOut(left_out) => {
                // Answers may be among it.
                self.answered = None;
                if left_out.logged_in {
                    self.reconnect.logged_in();
                    self.log_in();
                }
                self.received += left_out.to_acknowledge;
                self.acknowledged += left_out.settled;
            }
            Queued::Item(TimedEvent { event: Event::Connecting { .. }, .. }) => {
                (self.queue, self.next, self.answered) = (Queue::Draining, None, None);
            }
            Queued::Item(TimedEvent { event: Event::LoggedIn(_), .. }) => self.log_in(),
            Queued::Item(TimedEvent { event: Event::Devices(_), .. }) => self.listed = true,
            Queued::Item(TimedEvent { event: Event::QueueDry, .. }) => self.queue = Queue::Dry,
            Queued::Item(TimedEvent { event: Event::Reflected(messages), .. }) => {
                self.received += to_acknowledge(messages);
            }
            Queued::Item(TimedEvent { event: Event::Acknowledged { ids, .. }, .. }) => self.acknowledged += ids.len(),
            Queued::Item(TimedEvent { event: Event::Disconnected { cause, next }, .. }) => {
                self.listed = true;
                // Who leaves in good order, as one who is to lead does, has written all before the close.
                if self.is_complete() && matches!(cause, DisconnectCause::LeaderRole | DisconnectCause::VisitOver) {
                    self.leave(Ok(Outcome::Normal), commands);
                }
                // Who leaves is told so by the line of this very end.
                self.next = Some(*next).filter(|_| self.leaving.is_none());
            }
            Queued::Item(TimedEvent { event: Event::RoundTrip { probe: Probe::Ping, .. }, .. }) => {
                if let Some(answered) = &mut self.answered {
                    *answered += 1;
                    if *answered < 2 {
                        let _ = commands.try_send(Command::Ping);
                    }
                }
            }
            Queued::Item(_) => {}
        }
        if !settled {
            self.settled_since = Instant::now();
        }
        self.confirm(commands);
    }

    /// The last word about a session that ended while it waited to come back, of which it tells nothing itself.
    pub(super) fn last_word(&mut self) -> Option<Event> {
        let next = self.next.take();
        let end = || Event::Disconnected { cause: DisconnectCause::ByUser, next: NextStep::End };
        matches!(next, Some(NextStep::RetryAt { .. })).then(end)
    }

    const fn log_in(&mut self) {
        // What was not acknowledged on an earlier connection comes again.
        (self.queue, self.received, self.acknowledged, self.answered) = (Queue::Draining, 0, 0, None);
        self.has_watched = true;
    }
}
