//! [`WatchProgress`]: decides when a watch ends.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::events::{StreamItem, TimedEvent};
use crate::group::to_acknowledge;
use crate::group::{DisconnectCause, Event, NextStep};
use crate::headless::connection::{Ending, Reconnect};
use crate::output::Failure;
use crate::output::Outcome;
use crate::session::Command;

/// The reflection queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueState {
    /// Messages may still wait.
    Draining,
    /// The mediator has sent all that waited.
    Dry,
}

/// What counts for the end of a watch.
pub(super) struct WatchProgress {
    until_dry: bool,
    reconnect: Reconnect,
    queue: QueueState,
    /// There was a login on any connection.
    has_watched: bool,
    received: usize,
    acknowledged: usize,
    /// The next step, if the last event was the end of a connection.
    next: Option<NextStep>,
    /// The device list came, or will not come any more.
    listed: bool,
    /// Since when the queue is dry and everything acknowledged, if it is.
    pub(super) settled_since: Instant,
    pub(super) leaving: Option<Ending>,
}

impl WatchProgress {
    pub(super) fn new(until_dry: bool, reconnect: Reconnect) -> Self {
        Self {
            until_dry,
            reconnect,
            queue: QueueState::Draining,
            has_watched: false,
            received: 0,
            acknowledged: 0,
            next: None,
            listed: false,
            settled_since: Instant::now(),
            leaving: None,
        }
    }

    const fn is_settled(&self) -> bool {
        matches!(self.queue, QueueState::Dry) && self.received == self.acknowledged
    }

    pub(super) const fn awaits_list(&self) -> bool {
        self.until_dry && self.is_settled() && self.leaving.is_none()
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

    pub(super) fn take(&mut self, item: &StreamItem, commands: &mpsc::Sender<Command>) {
        let settled = self.is_settled();
        match item {
            StreamItem::Item(TimedEvent { event, .. }) => {
                if let Some(ending) = self.reconnect.take(event, self.until_dry) {
                    self.leave(ending, commands);
                }
                self.take_event(event);
            }
            StreamItem::LeftOut(left_out) => {
                if left_out.logged_in {
                    self.reconnect.logged_in();
                    self.log_in();
                }
                self.received += left_out.to_acknowledge;
                self.acknowledged += left_out.settled;
            }
        }
        if !settled {
            self.settled_since = Instant::now();
        }
        if self.awaits_list() && self.listed {
            self.leave(Ok(Outcome::Normal), commands);
        }
    }

    fn take_event(&mut self, event: &Event) {
        match event {
            Event::Connecting { .. } => (self.queue, self.next) = (QueueState::Draining, None),
            Event::LoggedIn(_) => self.log_in(),
            Event::Devices(_) => self.listed = true,
            Event::QueueDry => self.queue = QueueState::Dry,
            Event::Reflected(messages) => self.received += to_acknowledge(messages),
            Event::Acknowledged { ids, .. } => self.acknowledged += ids.len(),
            Event::Disconnected { next, .. } => {
                self.listed = true;
                // Who leaves is told so by the line of this very end.
                self.next = Some(*next).filter(|_| self.leaving.is_none());
            }
            _ => {}
        }
    }

    /// A session that ends while it waits to reconnect says nothing of its end: this event does.
    pub(super) fn last_word(&mut self) -> Option<Event> {
        let next = self.next.take();
        let end = || Event::Disconnected { cause: DisconnectCause::ByUser, next: NextStep::End };
        matches!(next, Some(NextStep::RetryAt { .. })).then(end)
    }

    const fn log_in(&mut self) {
        // What was not acknowledged on an earlier connection comes again.
        (self.queue, self.received, self.acknowledged) = (QueueState::Draining, 0, 0);
        self.has_watched = true;
    }
}
