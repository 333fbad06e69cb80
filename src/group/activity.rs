//! How much each device reflected in the last hour, minute by minute.

use crate::protocol::{DeviceId, Millis};

/// How many minutes are kept.
pub const MINUTES: usize = 60;

/// How many devices are told apart; all others are counted together.
const MOST: usize = 16;

const MINUTE: u64 = 60_000;

/// Who reflected how much, minute by minute.
#[derive(Debug, Default)]
pub struct Activity {
    devices: Vec<(DeviceId, Hour)>,
    others: Hour,
    newest: u64,
}

/// The last hour of one device: a ring of minutes.
#[derive(Debug)]
struct Hour {
    newest: u64,
    counts: [u32; MINUTES],
}

impl Default for Hour {
    fn default() -> Self {
        Self { newest: 0, counts: [0; MINUTES] }
    }
}

impl Activity {
    /// Takes in that so many messages of a device were stored at that time, by our clock.
    pub(super) fn reflected(&mut self, author: Option<DeviceId>, at: Millis, count: u32) {
        let minute = at.0 / MINUTE;
        self.newest = self.newest.max(minute);
        self.hour(author).add(minute, count);
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shift = |minute: &mut u64| *minute = Millis(minute.saturating_mul(MINUTE)).offset_by(by).0 / MINUTE;
        shift(&mut self.newest);
        for hour in self.devices.iter_mut().map(|(_, hour)| hour).chain([&mut self.others]) {
            let before = Hour::place(hour.newest);
            shift(&mut hour.newest);
            hour.counts.rotate_right((Hour::place(hour.newest) + MINUTES - before) % MINUTES);
        }
    }

    fn hour(&mut self, author: Option<DeviceId>) -> &mut Hour {
        let Some(author) = author else { return &mut self.others };
        match self.devices.iter().position(|(device, _)| *device == author) {
            Some(index) => self.devices.get_mut(index).map_or(&mut self.others, |(_, hour)| hour),
            None if self.devices.len() < MOST => {
                self.devices.push((author, Hour::default()));
                self.devices.last_mut().map_or(&mut self.others, |(_, hour)| hour)
            }
            None => &mut self.others,
        }
    }

    /// The minute in which the newest message was stored.
    #[must_use]
    pub const fn newest(&self) -> Millis {
        Millis(self.newest.saturating_mul(MINUTE))
    }

    /// The messages of a device in each minute of the hour up to now, the oldest minute first.
    #[must_use]
    pub fn of(&self, device: DeviceId, now: Millis) -> [u32; MINUTES] {
        self.devices.iter().find(|(known, _)| *known == device).map_or([0; MINUTES], |(_, hour)| hour.until(now))
    }

    /// The same of all messages whose author is not told, or is one of too many.
    #[must_use]
    pub fn others(&self, now: Millis) -> [u32; MINUTES] {
        self.others.until(now)
    }
}

impl Hour {
    fn add(&mut self, minute: u64, count: u32) {
        // What lies between is empty now; as many minutes as the ring has are all of it.
        for passed in (self.newest + 1..=minute).take(MINUTES) {
            self.clear(passed);
        }
        self.newest = self.newest.max(minute);
        let is_kept = minute + MINUTES as u64 > self.newest;
        if let Some(place) = self.counts.get_mut(Self::place(minute)).filter(|_| is_kept) {
            *place = place.saturating_add(count);
        }
    }

    fn clear(&mut self, minute: u64) {
        if let Some(place) = self.counts.get_mut(Self::place(minute)) {
            *place = 0;
        }
    }

    fn place(minute: u64) -> usize {
        usize::try_from(minute % MINUTES as u64).unwrap_or(0)
    }

    fn until(&self, now: Millis) -> [u32; MINUTES] {
        let last = now.0 / MINUTE;
        let mut hour = [0; MINUTES];
        for (back, cell) in (0_u64..).zip(hour.iter_mut().rev()) {
            let Some(minute) = last.checked_sub(back) else { break };
            // What was stored in the future, by a clock that is off, is not of this hour.
            if minute <= self.newest && minute + MINUTES as u64 > self.newest {
                *cell = self.counts.get(Self::place(minute)).copied().unwrap_or(0);
            }
        }
        hour
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 24 * 60 * MINUTE;

    #[test]
    fn the_hour_moves_on_and_forgets() {
        let mut activity = Activity::default();
        let at = |minute: u64| Millis(DAY + minute * MINUTE + 1);
        let (one, other) = (DeviceId(1), DeviceId(2));
        activity.reflected(Some(one), at(0), 3);
        activity.reflected(Some(one), at(59), 5);
        activity.reflected(None, at(59), 7);
        let of = |activity: &Activity, minute| (activity.of(one, at(minute))[0], activity.of(one, at(minute))[59]);
        assert_eq!(of(&activity, 59), (3, 5));
        assert_eq!(of(&activity, 60), (0, 0), "a minute later");
        assert_eq!((activity.others(at(59))[59], activity.of(other, at(59))), (7, [0; MINUTES]));
        // What comes late, out of the queue, counts where it belongs, and what is older than an hour nowhere.
        activity.reflected(Some(one), at(30), 2);
        activity.reflected(Some(one), Millis(1), 9);
        assert_eq!(activity.of(one, at(59)).iter().sum::<u32>(), 10);
        for device in 0..1_000 {
            activity.reflected(Some(DeviceId(device)), at(61), 1);
        }
        assert!(activity.devices.len() <= MOST);
    }

    proptest! {
        #[test]
        fn every_message_of_the_hour_is_counted_once(minutes in prop::collection::vec(0_u64..200, 1..80)) {
            let mut activity = Activity::default();
            for minute in &minutes {
                activity.reflected(Some(DeviceId(1)), Millis(DAY + minute * MINUTE), 1);
            }
            let last = *minutes.iter().max().unwrap();
            let expected = minutes.iter().filter(|minute| **minute + 60 > last).count();
            let counted = activity.of(DeviceId(1), Millis(DAY + last * MINUTE)).iter().sum::<u32>();
            // What came while it was older than the hour, and what has become so, is gone.
            prop_assert_eq!(counted as usize, expected);
        }
    }
}
