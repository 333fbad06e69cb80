//! Where sessions leave what happened, and the alerts' own thread takes it from. Nobody waits for anybody here, and
//! however much happens, it holds one case of each rule and session, and a number.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use super::rule::Rule;
use super::spot;
use crate::protocol::Millis;
use crate::runtime::held_lock::HeldLock;
use crate::text::Clean;

/// How often one rule reacts to one session at most.
const NOT_SOONER: Duration = Duration::from_secs(1);

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
    /// How many more there were of the same.
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

/// One rule and one session.
#[derive(Debug)]
struct Desk {
    rule: usize,
    session: usize,
    profile: String,
    waiting: Option<Case>,
    suppressed: u64,
    not_before: Millis,
    running: bool,
    /// For how long a lock may be held, and whether the one that is held now was told already.
    lock_stuck: Option<(Duration, bool)>,
}

impl Desk {
    fn stuck_at(&self, locks: &[Option<HeldLock>]) -> Option<(Millis, HeldLock)> {
        let (patience, false) = self.lock_stuck? else { return None };
        let held = locks.get(self.session).copied().flatten()?;
        Some((held.since.after(patience), held))
    }

    /// When its case may be taken.
    fn due_at(&self) -> Option<Millis> {
        self.waiting.as_ref().filter(|_| !self.running).map(|_| self.not_before)
    }
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
        state.desks.extend(rules.iter().enumerate().map(|(index, rule)| Desk {
            rule: index,
            session,
            profile: profile.to_owned(),
            waiting: None,
            suppressed: 0,
            not_before: Millis(0),
            running: false,
            lock_stuck: match rule.trigger {
                super::Trigger::LockStuck(patience) => Some((patience, false)),
                _ => None,
            },
        }));
        (session, first)
    }

    /// Leaves a case, and how many more there were; it is made only if it is kept.
    pub(super) fn leave(&self, desk: usize, more: u64, case: impl FnOnce() -> Case) {
        let mut state = self.state();
        let Some(desk) = state.desks.get_mut(desk) else { return };
        if desk.waiting.is_some() {
            desk.suppressed += more + 1;
            return;
        }
        desk.waiting = Some(case());
        desk.suppressed += more;
        drop(state);
        self.changed.notify_one();
    }

    /// Who holds the lock of a session's group now.
    pub(super) fn set_lock(&self, session: usize, held: Option<HeldLock>) {
        let mut state = self.state();
        let Some(lock) = state.locks.get_mut(session) else { return };
        let is_other = lock.map(|lock| (lock.holder, lock.since)) != held.map(|lock| (lock.holder, lock.since));
        *lock = held;
        if is_other {
            let stuck = state.desks.iter_mut().filter(|desk| desk.session == session);
            stuck.filter_map(|desk| desk.lock_stuck.as_mut()).for_each(|(_, told)| *told = false);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Takes what is due.
    pub(super) fn take(&self, now: Millis) -> Vec<Due> {
        let state = &mut *self.state();
        for desk in &mut state.desks {
            if let Some((at, held)) = desk.stuck_at(&state.locks)
                && at <= now
            {
                desk.lock_stuck = desk.lock_stuck.map(|(patience, _)| (patience, true));
                desk.waiting.get_or_insert_with(|| spot::lock_stuck(now, held));
            }
        }
        let mut running = state.desks.iter().filter(|desk| desk.running).count();
        let mut due = Vec::new();
        for (number, desk) in state.desks.iter_mut().enumerate() {
            // The last ones do not wait for their turn.
            let is_due = desk.due_at().is_some_and(|at| at <= now || state.ending);
            if running >= MOST_RUNNING || !is_due {
                continue;
            }
            if let Some(case) = desk.waiting.take() {
                desk.not_before = now.after(NOT_SOONER);
                desk.running = true;
                running += 1;
                let suppressed = std::mem::take(&mut desk.suppressed);
                let profile = desk.profile.clone();
                due.push(Due { desk: number, rule: desk.rule, profile, case, suppressed });
            }
        }
        due
    }

    /// A case that was taken is done with.
    pub(super) fn done(&self, desk: usize) {
        if let Some(desk) = self.state().desks.get_mut(desk) {
            desk.running = false;
        }
    }

    /// When something is due next, unless something changes before; [`None`] if nothing waits for time to pass.
    pub(super) fn due_at(&self) -> Option<Millis> {
        let state = self.state();
        let full = state.desks.iter().filter(|desk| desk.running).count() >= MOST_RUNNING;
        let cases = state.desks.iter().filter(|_| !full).filter_map(Desk::due_at);
        let locks = state.desks.iter().filter_map(|desk| desk.stuck_at(&state.locks).map(|(at, _)| at));
        cases.chain(locks).min()
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

    /// Whether no case waits.
    pub(super) fn is_clear(&self) -> bool {
        self.state().desks.iter().all(|desk| desk.waiting.is_none())
    }

    pub(super) fn is_ending(&self) -> bool {
        self.state().ending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::DeviceId;
    use crate::runtime::alerts::{Reaction, Trigger};

    fn rules(trigger: Trigger) -> Vec<Rule> {
        vec![Rule { trigger, reaction: Reaction::Tell }]
    }

    fn case() -> Case {
        Case { line: Value::Null, words: Clean::default() }
    }

    #[test]
    fn a_flood_is_one_case_at_once_and_one_a_second_later() {
        let board = Board::default();
        let (_, desk) = board.add_session("", &rules(Trigger::Replay));
        board.leave(desk, 0, case);
        let first = board.take(Millis(10));
        assert_eq!((first.len(), first[0].suppressed), (1, 0));
        board.done(desk);
        for _ in 0..1_000 {
            board.leave(desk, 2, case);
        }
        assert!(board.take(Millis(500)).is_empty(), "not sooner than a second");
        assert_eq!(board.due_at(), Some(Millis(1_010)));
        let second = board.take(Millis(1_010));
        assert_eq!((second.len(), second[0].suppressed), (1, 2_999));
        assert!(board.take(Millis(9_999)).is_empty());
    }

    #[test]
    fn the_next_session_of_a_profile_keeps_its_pace() {
        let board = Board::default();
        let first = board.add_session("home", &rules(Trigger::Replay));
        board.leave(first.1, 0, case);
        assert_eq!(board.take(Millis(10)).len(), 1);
        board.done(first.1);
        assert_eq!(board.add_session("home", &rules(Trigger::Replay)), first);
        board.leave(first.1, 0, case);
        assert!(board.take(Millis(500)).is_empty(), "not sooner than a second");
        assert_ne!(board.add_session("work", &rules(Trigger::Replay)), first);
    }

    #[test]
    fn a_command_that_runs_keeps_only_its_own_rule_waiting() {
        let board = Board::default();
        let (_, slow) = board.add_session("slow", &rules(Trigger::Lost));
        let (_, other) = board.add_session("other", &rules(Trigger::Lost));
        board.leave(slow, 0, case);
        assert_eq!(board.take(Millis(1)).len(), 1);
        board.leave(slow, 0, case);
        board.leave(other, 0, case);
        let due = board.take(Millis(5_000));
        assert_eq!(due.iter().map(|due| due.profile.as_str()).collect::<Vec<_>>(), ["other"]);
        assert_eq!(board.due_at(), None, "nothing to wake up for");
        board.done(slow);
        assert_eq!(board.take(Millis(5_000)).len(), 1);
    }

    #[test]
    fn a_stuck_lock_is_told_once_each_time_it_is_held() {
        let board = Board::default();
        let (session, _) = board.add_session("", &rules(Trigger::LockStuck(Duration::from_secs(60))));
        assert_eq!(board.due_at(), None, "a free lock costs nothing");
        let held = |since| Some(HeldLock { holder: Some(DeviceId(1)), scope: None, since: Millis(since) });
        board.set_lock(session, held(0));
        assert_eq!(board.due_at(), Some(Millis(60_000)));
        assert!(board.take(Millis(59_999)).is_empty());
        let due = board.take(Millis(60_000));
        assert_eq!(due[0].case.line["held_ms"], 60_000);
        board.done(due[0].desk);
        assert!(board.take(Millis(600_000)).is_empty(), "once");
        board.set_lock(session, None);
        board.set_lock(session, held(700_000));
        assert_eq!(board.take(Millis(800_000)).len(), 1);
    }

    #[test]
    fn no_more_than_four_commands_run_at_once() {
        let board = Board::default();
        let desks: Vec<usize> =
            (0..6).map(|number| board.add_session(&number.to_string(), &rules(Trigger::Promoted)).1).collect();
        for desk in desks {
            board.leave(desk, 0, case);
        }
        let due = board.take(Millis(1));
        assert_eq!(due.len(), 4);
        assert_eq!(board.due_at(), None);
        board.done(due[0].desk);
        assert_eq!(board.take(Millis(2)).len(), 1);
    }
}
