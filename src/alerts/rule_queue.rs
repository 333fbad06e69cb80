//! One rule and one session: what waits there for the rule's command, and when it may be taken.

use std::collections::VecDeque;
use std::time::Duration;

use super::alert::{self, Alert, Due, Encoder};
use super::rule::{Rule, RuleAction, Trigger};
use crate::group::HeldLock;
use crate::session::Now;

/// How often one rule reacts to one session at most.
const NOT_SOONER: Duration = Duration::from_secs(1);

/// See the module. Its times are of the clock that is never set: a clock that is set back must not mute anything.
#[derive(Debug)]
pub(super) struct RuleQueue {
    rule: usize,
    pub(super) session: usize,
    pub(super) profile: String,
    /// Each with the time since which it waits.
    waiting: VecDeque<(Duration, Alert)>,
    /// How many may wait; what comes when it is full is only counted.
    room: usize,
    suppressed: u64,
    not_before: Duration,
    pub(super) is_running: bool,
    /// Telling somebody takes no time.
    pub(super) runs_command: bool,
    /// For how long a lock may be held, and whether the one that is held now was told already.
    lock_stuck: Option<(Duration, bool)>,
}

impl RuleQueue {
    pub(super) fn new(rule: (usize, &Rule), session: usize, profile: &str) -> Self {
        let (number, rule) = rule;
        Self {
            rule: number,
            session,
            profile: profile.to_owned(),
            waiting: VecDeque::new(),
            room: rule.trigger.room(),
            suppressed: 0,
            not_before: Duration::ZERO,
            is_running: false,
            runs_command: matches!(rule.reaction, RuleAction::Run(_)),
            lock_stuck: match rule.trigger {
                Trigger::LockStuck(patience) => Some((patience, false)),
                _ => None,
            },
        }
    }

    /// Leaves a alert, and how many more there were of the same; returns whether it is kept. Only then it is made.
    pub(super) fn leave(&mut self, at: Duration, more: u64, alert: impl FnOnce() -> Alert) -> bool {
        self.suppressed += more;
        let is_kept = self.waiting.len() < self.room;
        if is_kept {
            self.waiting.push_back((at, alert()));
        } else {
            self.suppressed += 1;
        }
        is_kept
    }

    /// Another lock is held, or none.
    pub(super) const fn forget_lock(&mut self) {
        if let Some((_, told)) = &mut self.lock_stuck {
            *told = false;
        }
    }

    /// When the lock counts as stuck, unless that was told.
    pub(super) fn stuck_at(&self, locks: &[Option<HeldLock>]) -> Option<(Duration, HeldLock)> {
        let (patience, false) = self.lock_stuck? else { return None };
        let held = locks.get(self.session).copied().flatten()?;
        Some((held.since.saturating_add(patience), held))
    }

    /// Leaves the alert of a lock that has been held for too long.
    pub(super) fn look_at_lock(&mut self, now: Now, locks: &[Option<HeldLock>], encoder: Encoder) {
        if let Some((at, held)) = self.stuck_at(locks)
            && at <= now.precise
        {
            self.lock_stuck = self.lock_stuck.map(|(patience, _)| (patience, true));
            self.leave(now.precise, 0, || alert::lock_stuck(encoder, now, held));
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Since when its first alert might have been taken, or from when on it may be.
    pub(super) fn due_at(&self) -> Option<Duration> {
        let first = self.waiting.front().filter(|_| !self.is_running);
        first.map(|(since, _)| self.not_before.max(*since))
    }

    /// Takes the first alert, for the queue of that number.
    pub(super) fn take(&mut self, now: Duration, number: usize) -> Option<Due> {
        let (_, alert) = self.waiting.pop_front()?;
        self.not_before = now + NOT_SOONER;
        self.is_running = true;
        let suppressed = std::mem::take(&mut self.suppressed);
        Some(Due { queue: number, rule: self.rule, profile: self.profile.clone(), alert, suppressed })
    }
}
