//! Where sessions leave what happened, and the alerts' own thread takes it from. Nobody waits for anybody here, and
//! however much happens, it holds a few alerts of each rule and session, and a number.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::alert::{Alert, Due, Encoder};
use super::rule::Rule;
use super::rule_queue::RuleQueue;
use crate::group::HeldLock;
use crate::session::Now;

/// How many commands run at once.
const MOST_RUNNING: usize = 4;

/// How many alerts ended so, by alert and outcome.
pub type Outcomes = BTreeMap<(&'static str, &'static str), u64>;

/// What happened in all sessions and waits to be told.
#[derive(Debug)]
pub struct AlertQueue {
    state: Mutex<AlertQueueState>,
    pub(super) changed: Notify,
    pub(super) encoder: Encoder,
}

#[derive(Debug, Default)]
struct AlertQueueState {
    queues: Vec<RuleQueue>,
    locks: Vec<Option<HeldLock>>,
    outcomes: Outcomes,
    ending: bool,
}

impl AlertQueue {
    /// A queue in which nothing waits.
    #[must_use]
    pub fn new(encoder: Encoder) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), encoder }
    }

    /// Queues for one more session; returns its number, and that of its first queue. The next session of a profile takes
    /// those of the last one, with what waits there and with its pace.
    pub(super) fn add_session(&self, profile: &str, rules: &[Rule]) -> (usize, usize) {
        let mut state = self.state();
        let first = state.queues.iter().position(|queue| queue.profile == profile);
        if let Some((first, session)) = first.and_then(|first| Some((first, state.queues.get(first)?.session))) {
            drop(state);
            self.set_lock(session, None);
            return (session, first);
        }
        let (session, first) = (state.locks.len(), state.queues.len());
        state.locks.push(None);
        state.queues.extend(rules.iter().enumerate().map(|rule| RuleQueue::new(rule, session, profile)));
        for rule in rules {
            // A counter whose first value is 1 has not risen, for who watches it.
            for outcome in rule.reaction.outcomes() {
                state.outcomes.entry((rule.trigger.name(), *outcome)).or_default();
            }
        }
        (session, first)
    }

    /// Leaves a alert, and how many more there were; it is made only if it is kept.
    pub(super) fn leave(&self, queue: usize, at: Duration, more: u64, alert: impl FnOnce() -> Alert) {
        let mut state = self.state();
        let is_kept = state.queues.get_mut(queue).is_some_and(|queue| queue.leave(at, more, alert));
        drop(state);
        if is_kept {
            self.changed.notify_one();
        }
    }

    /// Who holds the lock of a session's group now.
    pub(super) fn set_lock(&self, session: usize, held: Option<HeldLock>) {
        let mut state = self.state();
        let Some(lock) = state.locks.get_mut(session) else { return };
        let is_other = lock.map(|lock| (lock.holder, lock.since)) != held.map(|lock| (lock.holder, lock.since));
        *lock = held;
        if is_other {
            state.queues.iter_mut().filter(|queue| queue.session == session).for_each(RuleQueue::forget_lock);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Takes what is due; what has waited longest is first where not all commands can run at once.
    pub(super) fn take(&self, now: Now) -> Vec<Due> {
        let AlertQueueState { queues, locks, ending, .. } = &mut *self.state();
        for queue in queues.iter_mut() {
            queue.look_at_lock(now, locks, self.encoder);
        }
        let ready = queues.iter().enumerate().filter_map(|(number, queue)| Some((queue.due_at()?, number)));
        // The last ones do not wait for their turn.
        let mut ready: Vec<_> = ready.filter(|(at, _)| *at <= now.precise || *ending).collect();
        ready.sort_unstable();
        let mut room = MOST_RUNNING.saturating_sub(running(queues));
        let mut due = Vec::new();
        for (_, number) in ready {
            let Some(queue) = queues.get_mut(number) else { continue };
            if queue.runs_command {
                let Some(less) = room.checked_sub(1) else { continue };
                room = less;
            }
            due.extend(queue.take(now.precise, number));
        }
        due
    }

    /// A alert that was taken is done with.
    pub(super) fn done(&self, queue: usize) {
        if let Some(queue) = self.state().queues.get_mut(queue) {
            queue.is_running = false;
        }
    }

    /// When something is due next, by the clock that is never set, unless something changes before; [`None`] if nothing
    /// waits for time to pass.
    pub(super) fn due_at(&self) -> Option<Duration> {
        let AlertQueueState { queues, locks, .. } = &*self.state();
        let is_full = running(queues) >= MOST_RUNNING;
        let alerts = queues.iter().filter(|queue| !(is_full && queue.runs_command)).filter_map(RuleQueue::due_at);
        let stuck = queues.iter().filter_map(|queue| queue.stuck_at(locks).map(|(at, _)| at));
        alerts.chain(stuck).min()
    }

    pub(super) fn count(&self, alert: &'static str, outcome: &'static str, count: u64) {
        if count > 0 {
            *self.state().outcomes.entry((alert, outcome)).or_default() += count;
        }
    }

    /// What became of all alerts so far.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        self.state().outcomes.clone()
    }

    /// No more will come.
    pub(super) fn end(&self) {
        self.state().ending = true;
        self.changed.notify_one();
    }

    /// How many alerts wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().queues.iter().map(RuleQueue::waiting).sum()
    }

    pub(super) fn is_ending(&self) -> bool {
        self.state().ending
    }

    fn state(&self) -> MutexGuard<'_, AlertQueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many commands run.
fn running(queues: &[RuleQueue]) -> usize {
    queues.iter().filter(|queue| queue.is_running && queue.runs_command).count()
}
