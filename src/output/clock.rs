//! The time of a frame. Whatever text depends on it is made here, so that it is known when the frame becomes wrong by the
//! passing of time alone: the loop sleeps until then, and an idle screen costs nothing.

use std::cell::Cell;
use std::time::Duration;

use super::figures;
use super::times::Zone;
use crate::protocol::Millis;

/// The time of a frame, and when its text becomes wrong.
#[derive(Debug)]
pub struct Clock {
    now: Millis,
    zone: Zone,
    wrong_at: Cell<Option<Millis>>,
}

impl Clock {
    #[must_use]
    pub const fn new(now: Millis, zone: Zone) -> Self {
        Self { now, zone, wrong_at: Cell::new(None) }
    }

    /// When something on the frame becomes wrong.
    pub const fn wrong_at(&self) -> Option<Millis> {
        self.wrong_at.get()
    }

    pub const fn now(&self) -> Millis {
        self.now
    }

    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// How long since, coarse, and nothing for the first minute: `2 min`, `3 h`.
    pub fn lasting(&self, since: Millis) -> Option<String> {
        self.becomes_wrong(figures::lasting_changes_at(since, self.now));
        figures::lasting(since, self.now)
    }

    /// How old, coarse, from that age on.
    pub fn overdue(&self, at: Millis, age: Duration) -> Option<String> {
        let due = at.after(age);
        if self.now < due {
            self.becomes_wrong(due);
            return None;
        }
        self.lasting(at)
    }

    /// For how long something is held, in steps of ten seconds at first, and nothing for the first of them.
    pub fn held(&self, since: Millis) -> Option<String> {
        self.becomes_wrong(figures::held_changes_at(since, self.now));
        figures::held(since, self.now)
    }

    /// How long ago: `just now`, `12 s ago`, `3 min ago`.
    pub fn ago(&self, at: Millis) -> String {
        self.becomes_wrong(figures::ago_changes_at(at, self.now));
        figures::ago(at, self.now)
    }

    /// How long until: `4 s`, `3 min`.
    pub fn until(&self, at: Millis) -> String {
        if let Some(change) = figures::until_changes_at(at, self.now) {
            self.becomes_wrong(change);
        }
        figures::until(at, self.now)
    }

    /// The minute that it is, for a chart that moves on with it; that of `newest` once an hour has passed since, so that an
    /// empty chart stands still.
    pub fn this_minute(&self, newest: Millis) -> Millis {
        const MINUTE: u64 = 60_000;
        let minute = self.now.0 / MINUTE * MINUTE;
        // Nothing has come yet, and nothing would move.
        if newest == Millis(0) {
            return Millis(minute);
        }
        if self.now < newest.after(Duration::from_mins(62)) {
            self.becomes_wrong(Millis(minute + MINUTE));
            return Millis(minute);
        }
        Millis(newest.0.saturating_add(62 * MINUTE) / MINUTE * MINUTE)
    }

    /// `14:02`, or with the day if that is not today.
    pub fn minute(&self, at: Millis) -> String {
        self.zone.minute_or_day(at, self.now)
    }

    /// The time here, and that of a clock so many milliseconds ahead.
    pub fn both(&self, ahead: i64) -> (String, String) {
        const MINUTE: u64 = 60_000;
        let there = self.now.offset_by(ahead);
        for time in [self.now, there] {
            self.becomes_wrong(Millis(self.now.0.saturating_add(MINUTE - time.0 % MINUTE)));
        }
        (self.minute(self.now), self.minute(there))
    }

    /// Something else on the frame becomes wrong at that time.
    pub fn becomes_wrong(&self, at: Millis) {
        let earlier = self.wrong_at.get().map_or(at, |known| known.min(at));
        self.wrong_at.set(Some(earlier));
    }
}
