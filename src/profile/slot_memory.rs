//! [`SlotMemory`]: what was last known of a profile's slot at the mediator, kept between two runs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::ProfileName;
use crate::group::{DisconnectCause, Event, NextStep};
use crate::os::private_files;
use crate::protocol::{CloseCode, DeviceId, ExpirationPolicy, Millis, SlotState};
use crate::session::SlotExpectation;

/// After how long away a volatile slot must have expired. No server says how long it keeps one.
pub const VOLATILE_GONE_AFTER: Duration = Duration::from_mins(10);

/// In the directory of what the machine learns of a profile.
const FILE: &str = "slot.json";

/// How often at most being there is noted.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// What is known of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Whose slot: the device id as people read it.
    device: String,
    /// Where: the mediator's URL template.
    mediator: String,
    /// Whether it was there.
    pub slot: Knowledge,
    /// Whether it was to be kept, as the last login said.
    #[serde(default)]
    persistent: Option<bool>,
    /// Since when that is known, in milliseconds since 1970.
    pub since: u64,
    /// When we were last connected, likewise.
    pub seen: u64,
}

/// Whether the mediator has a slot for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Knowledge {
    /// It took a login.
    Registered,
    /// It was volatile, and is not there any more, as may be.
    Expired,
    /// The mediator dropped it, or has none although it should: somebody wanted it so.
    Gone,
}

/// Remembers the slot of one profile.
#[derive(Clone, Debug)]
pub struct SlotMemory {
    path: PathBuf,
    device: DeviceId,
    mediator: String,
    known: Option<Known>,
    /// Whether this device had a slot when it was last seen, at another address.
    elsewhere: bool,
    /// For how long the running session wants it kept.
    policy: ExpirationPolicy,
    /// Whether it is logged in.
    online: bool,
}

impl SlotMemory {
    /// What is remembered of this profile's device at this mediator.
    #[must_use]
    pub fn read(name: &ProfileName, device: DeviceId, mediator: &str) -> Option<Self> {
        Some(Self::read_at(super::place::profile_state(name)?.join(FILE), device, mediator))
    }

    fn read_at(path: PathBuf, device: DeviceId, mediator: &str) -> Self {
        // What cannot be read is as good as forgotten: the mediator knows better anyway.
        let known =
            private_files::read(&path).ok().flatten().and_then(|text| serde_json::from_str::<Known>(&text).ok());
        let ours = known.filter(|known| known.device == device.to_string());
        let elsewhere = |known: &Known| known.mediator != mediator && known.slot == Knowledge::Registered;
        let elsewhere = ours.as_ref().is_some_and(elsewhere);
        let known = ours.filter(|known| known.mediator == mediator);
        Self {
            path,
            device,
            mediator: mediator.to_owned(),
            known,
            elsewhere,
            policy: ExpirationPolicy::Persistent,
            online: false,
        }
    }

    /// What is known; [`None`] if this device was never there.
    #[must_use]
    pub const fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Whether the mediator should know this device now. When a volatile slot expires nobody tells; nor whether another
    /// address is the same mediator's. A persistent one that is not there was dropped, which is not ours to undo.
    #[must_use]
    pub fn expects(&self, now: Millis) -> SlotExpectation {
        let policy = self.kept();
        let is_kept = |seen| policy == ExpirationPolicy::Persistent || now.since(Millis(seen)) < VOLATILE_GONE_AFTER;
        match &self.known {
            Some(Known { slot: Knowledge::Registered, seen, .. }) if is_kept(*seen) => {
                SlotExpectation::after_login(policy)
            }
            Some(Known { slot: Knowledge::Registered | Knowledge::Expired, .. }) => {
                SlotExpectation::First(SlotState::New)
            }
            None if self.elsewhere => SlotExpectation::First(SlotState::New),
            None | Some(Known { slot: Knowledge::Gone, .. }) => SlotExpectation::Only(SlotState::New),
        }
    }

    /// Whether somebody has dropped this device from the group: to come back is for a person to decide.
    #[must_use]
    pub fn was_dropped(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.slot == Knowledge::Gone)
    }

    /// For how long the session that starts now wants its slot kept.
    pub const fn starts_with(&mut self, policy: ExpirationPolicy) {
        self.policy = policy;
    }

    /// Notes that a login took the slot at this time, or found it.
    pub fn registered(&mut self, at: Millis) {
        self.set(Knowledge::Registered, at);
        if let Some(known) = &mut self.known {
            known.persistent = Some(self.policy == ExpirationPolicy::Persistent);
        }
    }

    /// Learns from what happens; true if that should be written.
    pub fn learn(&mut self, at: Millis, event: &Event) -> bool {
        match event {
            Event::LoggedIn(_) => {
                self.online = true;
                self.registered(at);
                true
            }
            Event::Disconnected { cause, next } => {
                let refreshed = self.refresh(at, Duration::ZERO);
                self.online = false;
                match cause {
                    DisconnectCause::ClosedByServer { code, expected, .. } => {
                        self.learn_from_close(at, *code, *expected, *next) || refreshed
                    }
                    _ => refreshed,
                }
            }
            // We left the group.
            Event::DeviceDropped(device) if *device == self.device => {
                self.online = false;
                self.set(Knowledge::Gone, at)
            }
            _ => self.refresh(at, SEEN_EVERY),
        }
    }

    fn learn_from_close(&mut self, at: Millis, code: CloseCode, expected: SlotState, next: NextStep) -> bool {
        match (code, expected) {
            // The session itself tries the other state where that is harmless.
            (CloseCode::SLOT_STATE_MISMATCH, _) if next != NextStep::WaitForUser => false,
            // Ours after all, if it ever was; else the id is another device's, and not ours to take.
            (CloseCode::SLOT_STATE_MISMATCH, SlotState::New) => {
                let was_ours = self.known.as_ref().is_some_and(|known| known.slot == Knowledge::Registered);
                was_ours && self.set(Knowledge::Registered, at)
            }
            (CloseCode::SLOT_STATE_MISMATCH, _) if self.kept() == ExpirationPolicy::Volatile => {
                self.set(Knowledge::Expired, at)
            }
            (CloseCode::SLOT_STATE_MISMATCH | CloseCode::DROPPED_BY_DEVICE | CloseCode::REFLECTION_QUEUE_LIMIT, _) => {
                self.set(Knowledge::Gone, at)
            }
            _ => false,
        }
    }

    fn set(&mut self, slot: Knowledge, at: Millis) -> bool {
        let since = self.known.as_ref().filter(|known| known.slot == slot).map_or(at.0, |known| known.since);
        let persistent = Some(self.kept() == ExpirationPolicy::Persistent);
        let (device, mediator) = (self.device.to_string(), self.mediator.clone());
        self.known = Some(Known { device, mediator, slot, persistent, since, seen: at.0 });
        true
    }

    /// For how long the slot is kept: as the login that took it said; else as this session would.
    fn kept(&self) -> ExpirationPolicy {
        match self.known.as_ref().and_then(|known| known.persistent) {
            Some(true) => ExpirationPolicy::Persistent,
            Some(false) => ExpirationPolicy::Volatile,
            None => self.policy,
        }
    }

    /// The mediator counts from the end of the connection, which may come without a word.
    fn refresh(&mut self, at: Millis, every: Duration) -> bool {
        match &mut self.known {
            Some(known) if self.online && at.since(Millis(known.seen)) > every => {
                known.seen = at.0;
                true
            }
            _ => false,
        }
    }

    /// Writes what is known.
    ///
    /// # Errors
    /// If the file system does not take it.
    pub fn write(&self) -> io::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        private_files::replace(&self.path, serde_json::to_string(known)?.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::SlotExpectation::{First, Only};
    use super::*;
    use crate::group::Login;
    use crate::protocol::Dialect;
    use crate::text::Clean;

    const URL: &str = "wss://mediator.example/";
    const DEVICE: DeviceId = DeviceId(7);
    const LOGIN: Millis = Millis(1_000_000);

    fn memory(home: &tempfile::TempDir) -> SlotMemory {
        SlotMemory::read_at(home.path().join("home/slot.json"), DEVICE, URL)
    }

    fn logged_in() -> Event {
        Event::LoggedIn(Login {
            own: DEVICE,
            dialect: Dialect::Dgk,
            max_device_slots: 5,
            slot_state: SlotState::New,
            clock_offset: None,
            reflection_queue_length: None,
            shared_version: None,
        })
    }

    fn closed(code: CloseCode, next: NextStep) -> Event {
        closed_to(SlotState::Existing, code, next)
    }

    fn closed_to(expected: SlotState, code: CloseCode, next: NextStep) -> Event {
        Event::Disconnected {
            cause: DisconnectCause::ClosedByServer { code, reason: Clean::default(), expected },
            next,
        }
    }

    #[test]
    fn the_next_start_expects_what_the_last_one_learned() {
        use ExpirationPolicy::{Persistent, Volatile};
        use SlotState::{Existing, New};
        const WAIT: NextStep = NextStep::WaitForUser;
        let soon = LOGIN.after(Duration::from_mins(9));
        let late = LOGIN.after(Duration::from_mins(11));
        let in_a_year = LOGIN.after(Duration::from_hours(24 * 365));
        let retry = NextStep::RetryAt { at: LOGIN, attempt: 1 };
        let login = logged_in;
        let left = || Event::Disconnected { cause: DisconnectCause::LeftGroup, next: NextStep::End };
        for (events, policy, now, expected) in [
            (vec![], Volatile, soon, Only(New)),
            (vec![login()], Volatile, soon, First(Existing)),
            (vec![login()], Volatile, late, First(New)),
            (vec![login()], Persistent, in_a_year, Only(Existing)),
            (vec![login(), closed(CloseCode::GOING_AWAY, retry)], Volatile, soon, First(Existing)),
            (vec![login(), closed(CloseCode::SLOT_STATE_MISMATCH, WAIT)], Volatile, soon, First(New)),
            (vec![login(), closed(CloseCode::DROPPED_BY_DEVICE, WAIT)], Volatile, soon, Only(New)),
            (vec![login(), closed(CloseCode::DROPPED_BY_DEVICE, WAIT)], Persistent, soon, Only(New)),
            (vec![login(), closed(CloseCode::REFLECTION_QUEUE_LIMIT, WAIT)], Persistent, soon, Only(New)),
            (vec![login(), closed(CloseCode::SLOT_STATE_MISMATCH, WAIT)], Persistent, soon, Only(New)),
            (vec![login(), closed(CloseCode::SLOT_STATE_MISMATCH, retry)], Persistent, soon, Only(Existing)),
            (vec![login(), closed(CloseCode::DROPPED_BY_DEVICE, WAIT), login()], Persistent, soon, Only(Existing)),
            (vec![login(), Event::DeviceDropped(DEVICE), left()], Persistent, soon, Only(New)),
            (vec![login(), Event::DeviceDropped(DeviceId(8))], Persistent, soon, Only(Existing)),
            // An id that was never ours is another device's.
            (vec![closed_to(New, CloseCode::SLOT_STATE_MISMATCH, WAIT)], Persistent, soon, Only(New)),
            (vec![closed(CloseCode::DEVICE_LIMIT_REACHED, WAIT)], Persistent, soon, Only(New)),
        ] {
            let home = tempfile::tempdir().unwrap();
            let mut first = memory(&home);
            first.starts_with(policy);
            for event in &events {
                if first.learn(LOGIN, event) {
                    first.write().unwrap();
                }
            }
            assert_eq!(memory(&home).expects(now), expected, "{events:?} {policy:?}");
        }
    }

    /// What the next session is to say counts from its login on.
    #[test]
    fn a_slot_is_missed_as_the_login_that_took_it_wanted_it_kept() {
        use ExpirationPolicy::{Persistent, Volatile};
        for (taken, next, dropped) in [(Volatile, Persistent, false), (Persistent, Volatile, true)] {
            let home = tempfile::tempdir().unwrap();
            let mut first = memory(&home);
            first.starts_with(taken);
            first.learn(LOGIN, &logged_in());
            first.write().unwrap();
            let mut second = memory(&home);
            second.starts_with(next);
            let expected = if dropped { Only(SlotState::Existing) } else { First(SlotState::Existing) };
            assert_eq!(second.expects(LOGIN), expected, "{taken:?} and then {next:?}");
            second.learn(LOGIN, &closed(CloseCode::SLOT_STATE_MISMATCH, NextStep::WaitForUser));
            assert_eq!(second.was_dropped(), dropped, "{taken:?} and then {next:?}");
            second.learn(LOGIN, &logged_in());
            second.learn(LOGIN, &closed(CloseCode::SLOT_STATE_MISMATCH, NextStep::WaitForUser));
            assert_eq!(second.was_dropped(), !dropped, "{next:?}, since the login");
        }
    }

    #[test]
    fn who_was_dropped_is_told_from_who_was_away_for_too_long() {
        use ExpirationPolicy::{Persistent, Volatile};
        for (code, policy, dropped) in [
            (CloseCode::DROPPED_BY_DEVICE, Volatile, true),
            (CloseCode::REFLECTION_QUEUE_LIMIT, Volatile, true),
            (CloseCode::SLOT_STATE_MISMATCH, Volatile, false),
            (CloseCode::SLOT_STATE_MISMATCH, Persistent, true),
            (CloseCode::DUPLICATE_CONNECTION, Persistent, false),
        ] {
            let home = tempfile::tempdir().unwrap();
            let mut first = memory(&home);
            first.starts_with(policy);
            first.learn(LOGIN, &logged_in());
            first.learn(LOGIN, &closed(code, NextStep::WaitForUser));
            first.write().unwrap();
            assert_eq!(memory(&home).was_dropped(), dropped, "{code} {policy:?}");
        }
    }

    #[test]
    fn a_slot_that_was_thought_expired_and_is_there_is_ours() {
        let home = tempfile::tempdir().unwrap();
        let mut first = memory(&home);
        first.starts_with(ExpirationPolicy::Volatile);
        assert!(first.learn(LOGIN, &logged_in()));
        first.write().unwrap();
        let late = LOGIN.after(Duration::from_hours(1));
        let mut second = memory(&home);
        second.starts_with(ExpirationPolicy::Volatile);
        assert_eq!(second.expects(late), First(SlotState::New));
        let is_there = closed_to(SlotState::New, CloseCode::SLOT_STATE_MISMATCH, NextStep::WaitForUser);
        assert!(second.learn(late, &is_there));
        assert_eq!(second.expects(late), First(SlotState::Existing));
        assert_eq!(second.known().map(|known| known.since), Some(LOGIN.0));
    }

    #[test]
    fn being_there_is_noted_once_a_minute_and_being_away_never() {
        let home = tempfile::tempdir().unwrap();
        let mut memory = memory(&home);
        assert!(!memory.learn(LOGIN, &Event::QueueDry), "nothing is known yet");
        memory.learn(LOGIN, &logged_in());
        assert!(!memory.learn(LOGIN.after(Duration::from_secs(59)), &Event::QueueDry));
        assert!(memory.learn(LOGIN.after(Duration::from_secs(61)), &Event::QueueDry));
        let gone = Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::WaitForUser };
        assert!(memory.learn(LOGIN.after(Duration::from_secs(62)), &gone));
        for event in [Event::Connecting { attempt: 1 }, gone] {
            assert!(!memory.learn(LOGIN.after(Duration::from_hours(1)), &event), "{event:?}");
        }
        memory.starts_with(ExpirationPolicy::Volatile);
        assert!(!memory.learn(LOGIN.after(Duration::from_hours(2)), &Event::Handshaking));
    }

    #[test]
    fn another_device_or_mediator_or_a_broken_file_is_no_memory() {
        let home = tempfile::tempdir().unwrap();
        let mut first = memory(&home);
        first.learn(LOGIN, &logged_in());
        first.write().unwrap();
        let path = home.path().join("home/slot.json");
        let is_uncertain = |memory: &SlotMemory| memory.expects(LOGIN) == First(SlotState::New);
        assert!(SlotMemory::read_at(path.clone(), DEVICE, URL).known().is_some());
        assert!(SlotMemory::read_at(path.clone(), DeviceId(8), URL).known().is_none());
        let elsewhere = SlotMemory::read_at(path.clone(), DEVICE, "wss://other.example/");
        assert!(elsewhere.known().is_none() && is_uncertain(&elsewhere), "the id is ours there, too");
        assert!(!is_uncertain(&SlotMemory::read_at(path.clone(), DEVICE, URL)));
        assert!(!is_uncertain(&SlotMemory::read_at(path.clone(), DeviceId(8), "wss://other.example/")));
        private_files::replace(&path, b"{\"device\":").unwrap();
        assert!(SlotMemory::read_at(path, DEVICE, URL).known().is_none());
    }
}
