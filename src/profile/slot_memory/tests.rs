//! What is remembered of a slot, from one start to the next.

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
    Event::Disconnected { cause: DisconnectCause::ClosedByServer { code, reason: Clean::default(), expected }, next }
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
        first.set_expiration_policy(policy);
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
        first.set_expiration_policy(taken);
        first.learn(LOGIN, &logged_in());
        first.write().unwrap();
        let mut second = memory(&home);
        second.set_expiration_policy(next);
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
        first.set_expiration_policy(policy);
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
    first.set_expiration_policy(ExpirationPolicy::Volatile);
    assert!(first.learn(LOGIN, &logged_in()));
    first.write().unwrap();
    let late = LOGIN.after(Duration::from_hours(1));
    let mut second = memory(&home);
    second.set_expiration_policy(ExpirationPolicy::Volatile);
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
    memory.set_expiration_policy(ExpirationPolicy::Volatile);
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
