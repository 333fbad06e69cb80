use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::alert::Due;
use super::super::{EventMatcher, Rule, Trigger};
use crate::group::{
    DeviceChange, DisconnectCause, Event, JournalState, ListedDevice, LockEvent, Login, NextStep, ReflectedMessage,
};
use crate::protocol::d2d::{ContentKind, EnvelopeSummary};
use crate::protocol::{CloseCode, DeviceId, Millis, OpenError, ReflectedId, SlotState};
use crate::text::Clean;

const PHONE: DeviceId = DeviceId(7);

fn message(repeated_nonce: bool, content: Result<EnvelopeSummary, OpenError>) -> ReflectedMessage {
    ReflectedMessage {
        id: ReflectedId(1),
        stored_at: Millis(1),
        received_at: Millis(2),
        size: 3,
        repeated_nonce,
        content,
        ..ReflectedMessage::example()
    }
}

fn read(repeated_nonce: bool) -> ReflectedMessage {
    message(repeated_nonce, Ok(EnvelopeSummary::blank(ContentKind::GroupSync)))
}

fn login(clock_offset: i64) -> Event {
    Event::LoggedIn(Login { slot_state: SlotState::New, clock_offset: Some(clock_offset), ..Login::example() })
}

fn ended(cause: DisconnectCause) -> Event {
    Event::Disconnected { cause, next: NextStep::WaitForUser }
}

fn changed(change: DeviceChange) -> Event {
    Event::DeviceChanged { device: PHONE, change }
}

/// What the commands of all rules would be run for, by name.
fn spotted(events: Vec<Event>) -> Vec<(&'static str, Due)> {
    let written = Trigger::LIST.replace("DURATION", "1m").replace("CODE", "4113");
    let rules: Arc<[Rule]> = written.split(", ").map(|name| Rule::parse(&format!("{name}=true")).unwrap()).collect();
    let alerts = Arc::new(super::alert_queue());
    let mut matcher = EventMatcher::new(Arc::clone(&alerts), Arc::clone(&rules), "home");
    let mut due = Vec::new();
    for (at, event) in (1..).zip(events) {
        matcher.take(Millis(at).into(), &event);
    }
    // No more than four are taken at once.
    loop {
        let taken = alerts.take(Millis(90_000).into());
        if taken.is_empty() {
            return due;
        }
        for alert in taken {
            alerts.done(alert.queue);
            due.push((rules[alert.rule].trigger.name(), alert));
        }
    }
}

fn names(events: Vec<Event>) -> Vec<&'static str> {
    spotted(events).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn each_event_is_what_its_rules_wait_for_and_nothing_else() {
    let closed = |code| ended(DisconnectCause::closed(CloseCode(code)));
    let alerts: [(Event, &[&str]); 18] = [
        (changed(DeviceChange::New { returned: false, now: None }), &["new-device"]),
        (changed(DeviceChange::Gone { before: None }), &["device-dropped"]),
        (Event::DeviceDropped(PHONE), &["device-dropped"]),
        (
            changed(DeviceChange::Changed { before: None, now: crate::protocol::DeviceInfo::default() }),
            &["device-info-changed"],
        ),
        (
            changed(DeviceChange::Undecryptable { before: crate::protocol::DeviceInfo::default() }),
            &["device-info-changed", "undecryptable"],
        ),
        (Event::Reflected(vec![read(false)]), &[]),
        (Event::Reflected(vec![read(false), read(true)]), &["replay"]),
        (Event::Reflected(vec![message(false, Err(OpenError::DoesNotDecrypt))]), &["undecryptable"]),
        (Event::Promoted, &["promoted"]),
        (Event::Devices(BTreeMap::<DeviceId, ListedDevice>::new()), &[]),
        (login(20 * 60_000), &[]),
        (login(-20 * 60_000 - 1), &["clock-skew"]),
        (ended(DisconnectCause::NoAnswer), &["lost"]),
        (closed(4113), &["lost", "close"]),
        (closed(4115), &["lost"]),
        (ended(DisconnectCause::VisitOver), &[]),
        (failed(), &["journal-failed"]),
        (Event::Journal(JournalState::Keeps), &[]),
    ];
    for (event, expected) in alerts {
        assert_eq!(names(vec![event.clone()]), expected, "{event:?}");
    }
}

#[test]
fn a_loss_is_news_once_until_the_next_login() {
    let lost = || ended(DisconnectCause::NoAnswer);
    let told = |events| spotted(events).iter().map(|(_, due)| due.suppressed + 1).sum::<u64>();
    assert_eq!(told(vec![lost(), lost(), lost()]), 1);
    assert_eq!(told(vec![lost(), login(0), lost(), lost()]), 2);
}

fn failed() -> Event {
    Event::Journal(JournalState::Failed(Clean::literal("the disk is full")))
}

#[test]
fn a_journal_that_cannot_be_written_is_news_once_until_it_can_be_again() {
    let told = |events| spotted(events).iter().map(|(_, due)| due.suppressed + 1).sum::<u64>();
    assert_eq!(told(vec![failed(), failed()]), 1);
    assert_eq!(told(vec![failed(), Event::Journal(JournalState::Keeps), failed()]), 2);
    let alert = &spotted(vec![failed()])[0].1.alert;
    assert_eq!((&alert.line["event"], &alert.line["state"]), (&"journal".into(), &"failed".into()));
}

#[test]
fn many_replays_of_a_batch_are_one_case_and_a_number() {
    let found = spotted(vec![Event::Reflected(vec![read(true), read(false), read(true), read(true)])]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1.suppressed, 2);
    assert_eq!(found[0].1.alert.line["repeated_nonce"], true);
}

#[test]
fn a_lock_is_stuck_only_while_it_is_held() {
    let held = || Event::Lock(LockEvent::HeldBy { holder: PHONE, scope: None });
    let stuck = spotted(vec![held(), held()]);
    assert_eq!(stuck.len(), 1);
    assert_eq!(stuck[0].1.alert.line["event"], "lock_stuck");
    assert_eq!(stuck[0].1.alert.line["held_ms"], 90_000 - 1);
    assert!(names(vec![held(), Event::Lock(LockEvent::Ended { holder: PHONE, scope: None })]).is_empty());
    assert_eq!(names(vec![held(), ended(DisconnectCause::LeaderRole)]), Vec::<&str>::new(), "nobody knows any more");
}
