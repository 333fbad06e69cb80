//! How far a watch is, and what ends it.

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::group::to_acknowledge;
use crate::group::{DisconnectCause, Event, NextStep, Probe};
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::{Queued, QueuedEvent, TimedEvent};
use crate::runtime::reconnect::{Ending, Reconnect};
use crate::session::Command;

/// How many pings have to be answered until all that was sent before has arrived: the first answer may be to one that was
/// under way before.
const ANSWERS: u8 = 2;

/// How far the reflection queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueProgress {
    /// Messages may still wait.
    Draining,
    /// All that waited has been sent to us.
    Dry,
}

/// How the last connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastEnd {
    /// We are not to lead, or the visit was over.
    InGoodOrder,
    /// For another reason, or it has not ended.
    Otherwise,
}

/// Coming back early, to see at once whether anything comes again. That is done once: who is sent the same again and again
/// comes back as always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EarlyReturn {
    Open,
    Taken,
}

/// What was reached on the way to the end.
pub(super) struct Progress {
    until_dry: bool,
    reconnect: Reconnect,
    queue: QueueProgress,
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
    /// What was acknowledged on a connection may be told after its end.
    last_end: LastEnd,
    early_return: EarlyReturn,
    /// Since when the queue is dry and everything acknowledged, if it is.
    pub(super) settled_since: Instant,
    pub(super) leaving: Option<Ending>,
}

impl Progress {
    pub(super) fn new(until_dry: bool, reconnect: Reconnect) -> Self {
        Self {
            until_dry,
            reconnect,
            queue: QueueProgress::Draining,
            has_watched: false,
            received: 0,
            acknowledged: 0,
            next: None,
            listed: false,
            answered: None,
            last_end: LastEnd::Otherwise,
            early_return: EarlyReturn::Open,
            settled_since: Instant::now(),
            leaving: None,
        }
    }

    const fn is_settled(&self) -> bool {
        matches!(self.queue, QueueProgress::Dry) && self.received == self.acknowledged
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

    /// Whether the mediator has what was acknowledged: there was nothing, or it has answered what was sent after it.
    fn is_confirmed(&self) -> bool {
        self.received == 0 || self.answered.is_some_and(|answered| answered >= ANSWERS)
    }

    /// Leaves once the mediator has what was acknowledged.
    fn confirm(&mut self, commands: &mpsc::Sender<Command>) {
        // Who leaves in good order, as one who is to lead does, has written all before the close. That is no proof that it
        // arrived: who comes back anyway sees then whether anything is sent again.
        let comes_back = self.next.is_some_and(|next| self.reconnect.tries_again(next));
        if !self.is_complete() {
            self.answered = None;
        } else if self.last_end == LastEnd::InGoodOrder && (self.is_confirmed() || !comes_back)
            || self.listed && self.answered.is_some_and(|answered| answered >= ANSWERS)
        {
            self.leave(Ok(Outcome::Normal), commands);
        } else if self.last_end == LastEnd::InGoodOrder && comes_back && self.early_return == EarlyReturn::Open {
            if commands.try_send(Command::Reconnect { expect: None }).is_ok() {
                self.early_return = EarlyReturn::Taken;
            }
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
                (self.queue, self.next, self.answered) = (QueueProgress::Draining, None, None);
                self.last_end = LastEnd::Otherwise;
            }
            Queued::Item(TimedEvent { event: Event::LoggedIn(_), .. }) => self.log_in(),
            Queued::Item(TimedEvent { event: Event::Devices(_), .. }) => self.listed = true,
            Queued::Item(TimedEvent { event: Event::QueueDry, .. }) => self.queue = QueueProgress::Dry,
            Queued::Item(TimedEvent { event: Event::Reflected(messages), .. }) => {
                self.received += to_acknowledge(messages);
            }
            Queued::Item(TimedEvent { event: Event::Acknowledged { ids, .. }, .. }) => self.acknowledged += ids.len(),
            Queued::Item(TimedEvent { event: Event::Disconnected { cause, next }, .. }) => {
                self.listed = true;
                self.last_end = match cause {
                    DisconnectCause::LeaderRole | DisconnectCause::VisitOver => LastEnd::InGoodOrder,
                    _ => LastEnd::Otherwise,
                };
                self.next = Some(*next);
                self.confirm(commands);
                // Who leaves is told so by the line of this very end.
                self.next = self.next.filter(|_| self.leaving.is_none());
            }
            Queued::Item(TimedEvent { event: Event::RoundTrip { probe: Probe::Ping, .. }, .. }) => {
                if let Some(answered) = &mut self.answered {
                    *answered += 1;
                    if *answered < ANSWERS {
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
        (self.queue, self.received, self.acknowledged, self.answered) = (QueueProgress::Draining, 0, 0, None);
        self.has_watched = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Millis;

    /// Whether a watch ends that has taken in so many messages, has had so many pings answered, and is made leader.
    fn ends_when_made_leader(reconnect: &str, received: usize, answered: u8) -> bool {
        let (commands, _receiver) = mpsc::channel(16);
        let mut progress = Progress::new(true, Reconnect::parse(reconnect).unwrap());
        progress.log_in();
        (progress.queue, progress.listed) = (QueueProgress::Dry, true);
        (progress.received, progress.acknowledged, progress.answered) = (received, received, Some(answered));
        let next = NextStep::RetryAt { at: Millis(1), attempt: 1 };
        let event = Event::Disconnected { cause: DisconnectCause::LeaderRole, next };
        progress.take(&Queued::Item(TimedEvent { at: Millis(1), event }), &commands);
        progress.leaving.is_some()
    }

    #[test]
    fn one_that_is_made_leader_ends_when_the_mediator_has_its_acknowledgements() {
        assert!(ends_when_made_leader("always", 0, 0), "there was nothing to acknowledge");
        assert!(ends_when_made_leader("always", 3, 2), "it answered what was sent after them");
        assert!(!ends_when_made_leader("always", 3, 1), "that answer may be an earlier one's");
        assert!(!ends_when_made_leader("always", 3, 0), "it comes back, and sees whether anything comes again");
        assert!(ends_when_made_leader("never", 3, 0), "it does not come back");
    }

    #[test]
    fn one_that_comes_back_for_a_proof_does_so_at_once_and_only_the_first_time() {
        let (commands, mut receiver) = mpsc::channel(16);
        let mut progress = Progress::new(true, Reconnect::parse("always").unwrap());
        for early in [true, false] {
            progress.log_in();
            (progress.queue, progress.listed, progress.received, progress.acknowledged) =
                (QueueProgress::Dry, true, 3, 3);
            let next = NextStep::RetryAt { at: Millis(1), attempt: 1 };
            let event = Event::Disconnected { cause: DisconnectCause::LeaderRole, next };
            progress.take(&Queued::Item(TimedEvent { at: Millis(1), event }), &commands);
            let asked = std::iter::from_fn(|| receiver.try_recv().ok());
            assert_eq!(asked.filter(|it| matches!(it, Command::Reconnect { .. })).count(), usize::from(early));
        }
        assert!(progress.leaving.is_none());
    }

    #[test]
    fn acknowledgements_that_are_told_after_the_end_of_the_connection_count() {
        let (commands, _receiver) = mpsc::channel(16);
        let mut progress = Progress::new(true, Reconnect::default());
        progress.log_in();
        (progress.queue, progress.received) = (QueueProgress::Dry, 1);
        let next = NextStep::RetryAt { at: Millis(1), attempt: 1 };
        let ids = vec![crate::protocol::ReflectedId(1)];
        let end = Event::Disconnected { cause: DisconnectCause::LeaderRole, next };
        let acknowledged = Event::Acknowledged { ids, waited: std::time::Duration::ZERO };
        let mut take = |event| {
            progress.take(&Queued::Item(TimedEvent { at: Millis(1), event }), &commands);
            progress.leaving.is_some()
        };
        assert!(!take(end), "a message may come again");
        assert!(take(acknowledged), "nothing is left to wait for");
    }
}
