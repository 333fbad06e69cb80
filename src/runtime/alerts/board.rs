//! Where sessions leave what happened, and the alerts' own thread takes it from. Nobody waits for anybody here, and
//! however much happens, it holds a few cases of each rule and session, and a number.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use super::desk::Desk;
use super::rule::Rule;
use crate::runtime::held_lock::HeldLock;
use crate::session::Now;
use crate::text::Clean;

/// How many commands run at once.
const MOST_RUNNING: usize = 4;

/// Something that a rule waits for has happened.
#[derive(Clone, Debug)]
pub struct Case {
    /// As the line of NDJSON.
    pub line: Value,
    /// In words.
    pub words: Clean,
}

/// A case that is due now.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) desk: usize,
    pub(super) rule: usize,
    pub(super) profile: String,
    pub(super) case: Case,
    /// How many more there were of the same that are not told one by one.
    pub(super) suppressed: u64,
}

/// What became of cases: alert and outcome, and how many.
pub type Outcomes = BTreeMap<(&'static str, &'static str), u64>;

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    state: Mutex<State>,
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    desks: Vec<Desk>,
    locks: Vec<Option<HeldLock>>,
    outcomes: Outcomes,
    ending: bool,
}

impl Board {
    /// Desks for one more session; returns its number, and that of its first desk. The next session of a profile takes
    /// those of the last one, with what waits there and with its pace.
    pub(super) fn add_session(&self, profile: &str, rules: &[Rule]) -> (usize, usize) {
        let mut state = self.state();
        let first = state.desks.iter().position(|desk| desk.profile == profile);
        if let Some((first, session)) = first.and_then(|first| Some((first, state.desks.get(first)?.session))) {
            drop(state);
            self.set_lock(session, None);
            return (session, first);
        }
        let (session, first) = (state.locks.len(), state.desks.len());
        state.locks.push(None);
        state.desks.extend(rules.iter().enumerate().map(|rule| Desk::new(rule, session, profile)));
        for rule in rules {
            // A counter whose first value is 1 has not risen, for who watches it.
            for outcome in rule.reaction.outcomes() {
                state.outcomes.entry((rule.trigger.name(), *outcome)).or_default();
            }
        }
        (session, first)
    }

    /// Leaves a case, and how many more there were; it is made only if it is kept.
    pub(super) fn leave(&self, desk: usize, at: Duration, more: u64, case: impl FnOnce() -> Case) {
        let mut state = self.state();
        let is_kept = state.desks.get_mut(desk).is_some_and(|desk| desk.leave(at, more, case));
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
            state.desks.iter_mut().filter(|desk| desk.session == session).for_each(Desk::forget_lock);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Takes what is due; what has waited longest is first where not all commands can run at once.
    pub(super) fn take(&self, now: Now) -> Vec<Due> {
        let State { desks, locks, ending, .. } = &mut *self.state();
        for desk in desks.iter_mut() {
            desk.look_at_lock(now, locks);
        }
        let ready = desks.iter().enumerate().filter_map(|(number, desk)| Some((desk.due_at()?, number)));
        // The last ones do not wait for their turn.
        let mut ready: Vec<_> = ready.filter(|(at, _)| *at <= now.precise || *ending).collect();
        ready.sort_unstable();
        let mut room = MOST_RUNNING.saturating_sub(running(desks));
        let mut due = Vec::new();
        for (_, number) in ready {
            let Some(desk) = desks.get_mut(number) else { continue };
            if desk.runs_command {
                let Some(less) = room.checked_sub(1) else { continue };
                room = less;
            }
            due.extend(desk.take(now.precise, number));
        }
        due
    }

    /// A case that was taken is done with.
    pub(super) fn done(&self, desk: usize) {
        if let Some(desk) = self.state().desks.get_mut(desk) {
            desk.is_running = false;
        }
    }

    /// When something is due next, by the clock that is never set, unless something changes before; [`None`] if nothing
    /// waits for time to pass.
    pub(super) fn due_at(&self) -> Option<Duration> {
        let State { desks, locks, .. } = &*self.state();
        let is_full = running(desks) >= MOST_RUNNING;
        let cases = desks.iter().filter(|desk| !(is_full && desk.runs_command)).filter_map(Desk::due_at);
        let stuck = desks.iter().filter_map(|desk| desk.stuck_at(locks).map(|(at, _)| at));
        cases.chain(stuck).min()
    }

    pub(super) fn count(&self, alert: &'static str, outcome: &'static str, count: u64) {
        if count > 0 {
            *self.state().outcomes.entry((alert, outcome)).or_default() += count;
        }
    }

    /// What became of all cases so far.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        self.state().outcomes.clone()
    }

    /// No more will come.
    pub(super) fn end(&self) {
        self.state().ending = true;
        self.changed.notify_one();
    }

    /// How many cases wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().desks.iter().map(Desk::waiting).sum()
    }

    pub(super) fn is_ending(&self) -> bool {
        self.state().ending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many commands run.
fn running(desks: &[Desk]) -> usize {
    desks.iter().filter(|desk| desk.is_running && desk.runs_command).count()
}
