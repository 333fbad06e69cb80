mod feed_rows;
mod properties;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::protocol::d2d::{ContentKind, Conversation, EnvelopeSummary, MessageType, SyncAction};
use crate::protocol::{
    CloseCode, DeviceActivity, DeviceInfo, ExpirationPolicy, OpenError, SlotState, TransactionScope,
};
use crate::protocol::{DecodeError, MessageId, Nonce, ReflectedHeader, Sealed};

const PHONE: DeviceId = DeviceId(1);
const OWN: DeviceId = DeviceId(2);
const CONTACT_SYNC: LockScope = Some(TransactionScope::ContactSync);

const WAITED: Duration = Duration::from_micros(400);

fn acknowledged(ids: &[u32]) -> Event {
    Event::Acknowledged { ids: ids.iter().copied().map(ReflectedId).collect(), waited: WAITED }
}

fn login() -> Event {
    Event::LoggedIn(Login { own: OWN, clock_offset: Some(200), reflection_queue_length: Some(3), ..Login::example() })
}

fn message(id: u32) -> ReflectedMessage {
    ReflectedMessage {
        id: ReflectedId(id),
        stored_at: Millis(1_000),
        received_at: Millis(2_000),
        size: 212,
        ephemeral: false,
        redelivered: false,
        repeated_nonce: false,
        nonce: None,
        header: ReflectedHeader::default(),
        unknown_fields: Vec::new(),
        envelope: Sealed::default(),
        content: Ok(EnvelopeSummary {
            author: Some(PHONE),
            body_length: 2,
            ..EnvelopeSummary::blank(ContentKind::SettingsSync)
        }),
    }
}

fn redelivered(id: u32) -> ReflectedMessage {
    ReflectedMessage { redelivered: true, received_at: Millis(9_000), ..message(id) }
}

fn device(label: &'static str, activity: DeviceActivity) -> ListedDevice {
    ListedDevice {
        info: Ok(DeviceInfo { label: Clean::literal(label), ..DeviceInfo::default() }),
        activity,
        expiration_policy: Some(ExpirationPolicy::Persistent),
    }
}

fn broken() -> Event {
    Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::RetryAt { at: Millis(50_000), attempt: 1 } }
}

/// Each event one second after the one before, from second 1 on.
fn after(events: &[Event]) -> Group {
    let mut group = Group::default();
    for (second, event) in (1..).zip(events) {
        group.apply(Millis(second * 1_000), event);
    }
    group
}

#[test]
fn the_connection_follows_the_session() {
    let dropped = DisconnectCause::closed(CloseCode::DROPPED_BY_DEVICE);
    let ephemeral = ReflectedMessage { ephemeral: true, ..message(9) };
    let cases = [
        (vec![], ConnectionState::Idle),
        (vec![Event::Connecting { attempt: 2 }], ConnectionState::Connecting { attempt: 2 }),
        (vec![Event::Connecting { attempt: 1 }, Event::Handshaking], ConnectionState::Handshaking),
        (vec![login()], ConnectionState::Draining { since: Millis(1_000), received: 0, of: Some(3) }),
        (
            vec![login(), Event::Reflected(vec![message(1), message(2), ephemeral])],
            ConnectionState::Draining { since: Millis(1_000), received: 2, of: Some(3) },
        ),
        (vec![login(), Event::QueueDry], ConnectionState::Live { since: Millis(2_000) }),
        (vec![Event::QueueDry], ConnectionState::Idle),
        (
            vec![login(), Event::QueueDry, Event::Disconnected { cause: dropped.clone(), next: NextStep::WaitForUser }],
            ConnectionState::Waiting { since: Millis(3_000), cause: dropped, next: NextStep::WaitForUser },
        ),
    ];
    for (events, connection) in cases {
        assert_eq!(*after(&events).connection(), connection, "after {events:?}");
    }
}

#[test]
fn the_lock_is_free_held_or_ours() {
    let held = LockEvent::HeldBy { holder: PHONE, scope: CONTACT_SYNC };
    let ended = LockEvent::Ended { holder: PHONE, scope: CONTACT_SYNC };
    let wanted = Some(TransactionScope::DropDevice);
    let at = Millis;
    let held_state = |since, wanted| LockState::Held { holder: PHONE, scope: CONTACT_SYNC, since, wanted };
    let cases = [
        (vec![LockEvent::Requested(wanted)], LockState::Requested { scope: wanted, since: at(1_000) }),
        (vec![LockEvent::Requested(wanted), held.clone()], held_state(at(2_000), Some(wanted))),
        (vec![LockEvent::Requested(wanted), held.clone(), held.clone()], held_state(at(2_000), Some(wanted))),
        (vec![LockEvent::Requested(wanted), held.clone(), LockEvent::Abandoned], held_state(at(2_000), None)),
        (
            vec![LockEvent::Requested(wanted), held.clone(), ended.clone()],
            LockState::Requested { scope: wanted, since: at(3_000) },
        ),
        (vec![held, ended.clone()], LockState::Free),
        (vec![ended], LockState::Free),
        (
            vec![LockEvent::Acquired { scope: wanted, expires_at: Some(at(9_000)) }],
            LockState::Ours { scope: wanted, since: at(1_000), expires_at: Some(at(9_000)) },
        ),
        (vec![LockEvent::Acquired { scope: wanted, expires_at: None }, LockEvent::Released(wanted)], LockState::Free),
        (vec![LockEvent::Acquired { scope: wanted, expires_at: None }, LockEvent::Lost(wanted)], LockState::Free),
    ];
    for (events, state) in cases {
        let events: Vec<Event> = events.into_iter().map(Event::Lock).collect();
        assert_eq!(*after(&events).lock().state(), state, "after {events:?}");
    }
}

#[test]
fn ended_locks_are_remembered_with_what_is_known_of_their_duration() {
    let group = after(&[
        Event::Lock(LockEvent::Ended { holder: PHONE, scope: CONTACT_SYNC }),
        Event::Lock(LockEvent::HeldBy { holder: PHONE, scope: CONTACT_SYNC }),
        Event::Lock(LockEvent::Ended { holder: PHONE, scope: CONTACT_SYNC }),
        Event::Lock(LockEvent::Acquired { scope: None, expires_at: None }),
        broken(),
    ]);
    let ended: Vec<_> = group.lock().ended().map(|ended| (ended.holder, ended.held, ended.lost)).collect();
    let second = Some(Duration::from_secs(1));
    assert_eq!(ended, [(None, second, true), (Some(PHONE), second, false), (Some(PHONE), None, false)]);
}

#[test]
fn the_role_belongs_to_a_connection_but_its_history_does_not() {
    let given_up = || Event::RoleGivenUp { back_at: Millis(60_000), promotions_in_a_row: 2 };
    let left = || Event::Disconnected {
        cause: DisconnectCause::LeaderRole,
        next: NextStep::RetryAt { at: Millis(60_000), attempt: 1 },
    };
    let cases = [
        (vec![login()], RoleState::Unknown, 0),
        (vec![login(), Event::Promoted], RoleState::Leader { since: Millis(2_000) }, 0),
        (vec![login(), Event::Following], RoleState::Follower { since: Millis(2_000) }, 0),
        (vec![login(), Event::Following, broken()], RoleState::Unknown, 0),
        (
            vec![login(), Event::Promoted, given_up(), left()],
            RoleState::GivenUp { since: Millis(3_000), back_at: Millis(60_000) },
            2,
        ),
        // Who does not come back as was told is no longer on the way.
        (vec![login(), Event::Promoted, given_up(), left(), broken()], RoleState::Unknown, 2),
        (vec![given_up(), login()], RoleState::Unknown, 2),
        (vec![given_up(), login(), Event::Following], RoleState::Follower { since: Millis(3_000) }, 0),
    ];
    for (events, state, in_a_row) in cases {
        let group = after(&events);
        assert_eq!((group.role().state(), group.role().promotions_in_a_row()), (state, in_a_row), "after {events:?}");
    }
}

#[test]
fn figures_are_told_by_device_and_by_kind() {
    let group = after(&[login(), Event::Reflected(vec![message(1), message(2)]), acknowledged(&[1])]);
    let (author, waits) = group.latency().devices().next().unwrap();
    assert_eq!(author, latency::LatencyAuthor::Device(PHONE));
    assert_eq!((waits.age.count(), waits.acknowledgement.count()), (2, 1));
    let (sort, waits) = group.latency().kinds().next().unwrap();
    assert_eq!(sort.words(), "settings sync");
    assert_eq!((waits.age.count(), waits.acknowledgement.count()), (2, 1));
    let slow = group.latency().slowest().first().copied();
    assert_eq!(slow.map(|slow| (slow.number, slow.id, slow.waited)), Some((0, ReflectedId(1), WAITED)));
}

#[test]
fn age_is_told_by_one_clock() {
    let group = after(&[login()]);
    // The server is 200 ms ahead, so what it stored at 10.0 was stored at 9.8 by our clock.
    assert_eq!(group.age(Millis(10_000), Millis(10_031)), Duration::from_millis(231));
    assert_eq!(group.age(Millis(90_000), Millis(10_000)), Duration::ZERO);
}

#[test]
fn the_course_of_seconds_ends_now() {
    let mut group = Group::default();
    group.apply(Millis(10_500), &Event::Reflected(vec![message(1), message(2)]));
    group.apply(Millis(12_100), &Event::Reflected(vec![message(3)]));
    let received =
        |now| group.latency().course(Millis(now), 4).iter().map(|second| second.received).collect::<Vec<_>>();
    assert_eq!(received(12_900), [0, 2, 0, 1]);
    assert_eq!(received(14_000), [0, 1, 0, 0]);
    assert_eq!(received(99_000), [0, 0, 0, 0]);
    assert_eq!(received(11_000), [0, 0, 2, 0], "a clock that went back");
    assert_eq!(group.latency().newest(), Millis(12_000));
}

#[test]
fn what_a_person_should_read_is_a_notice() {
    let mut devices = BTreeMap::from([(PHONE, device("iPad", DeviceActivity::Unknown))]);
    devices.insert(OWN, device("", DeviceActivity::ConnectedSince(Millis(5))));
    let group = after(&[
        Event::Devices(devices),
        Event::DeviceDropped(PHONE),
        Event::Ignored(Clean::literal("payload type 0x99")),
        Event::Refused(Refusal::NoLock),
    ]);
    let texts: Vec<_> = group.notices().iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "nothing to release: this device does not hold the lock",
            "ignored from the mediator: payload type 0x99",
            "dropped: iPad"
        ]
    );
    assert_eq!((group.notices().count(), group.notices().ignored()), (3, 1));
    assert_eq!((group.devices().len(), group.devices().connected()), (1, 1));
    assert_eq!(group.devices().label(OWN).as_str(), "0200000000000000");
}

#[test]
fn devices_that_are_gone_are_remembered_and_a_name_that_cannot_be_read_is_not_used() {
    let listed = |ids: std::ops::Range<u64>| -> BTreeMap<DeviceId, ListedDevice> {
        let device = |id: u64| ListedDevice {
            info: Ok(DeviceInfo { label: crate::text::Clean::new(&format!("device {id}")), ..DeviceInfo::default() }),
            activity: DeviceActivity::Unknown,
            expiration_policy: None,
        };
        ids.map(|id| (DeviceId(id), device(id))).collect()
    };
    let mut group = after(&[login(), Event::Devices(listed(10..13)), Event::DeviceDropped(DeviceId(12))]);
    group.apply(Millis(9_000), &Event::Devices(listed(11..12)));
    let label = |group: &Group, id| group.devices().label(DeviceId(id)).to_string();
    assert_eq!([10, 11, 12].map(|id| label(&group, id)), ["device 10", "device 11", "device 12"]);
    assert_eq!([10, 11, 12].map(|id| group.devices().is_gone(DeviceId(id))), [true, false, true]);
    let mut unreadable = listed(10..12);
    unreadable.get_mut(&DeviceId(10)).unwrap().info = Err(OpenError::DoesNotDecrypt);
    group.apply(Millis(10_000), &Event::Devices(unreadable));
    assert_eq!(label(&group, 10), DeviceId(10).to_string(), "somebody else may have written it");
    group.apply(Millis(11_000), &Event::Devices(listed(1_000..1_200)));
    group.apply(Millis(12_000), &Event::Devices(BTreeMap::new()));
    let former: Vec<u64> = group.devices().former().map(|(id, _)| id.0).collect();
    assert_eq!(former, (1_100..1_200).collect::<Vec<_>>(), "a flood of devices stays bounded");
}

#[test]
fn ages_and_the_warning_follow_a_clock_that_is_moved() {
    let mut group = Group::default();
    group.apply(Millis(1_000), &login());
    let stored = Millis(10_000_000);
    let age = group.age(stored, stored.after(Duration::from_secs(5)));
    // Set forward by an hour: so is the time of receipt.
    group.apply(Millis(3_601_000), &Event::ClockMoved { by: 3_600_000, clock_offset: Some(200 - 3_600_000) });
    assert_eq!(group.age(stored, stored.after(Duration::from_secs(3_605))), age);
    assert_eq!(group.login().unwrap().clock_apart(), Some(200 - 3_600_000));
    assert!(group.clock_was_moved());
    group.apply(Millis(3_602_000), &login());
    assert!(!group.clock_was_moved(), "measured anew");
}

/// In the first dialect the mediator does not tell the time, and what is shown follows all the same.
#[test]
fn what_is_shown_is_as_long_ago_whatever_the_wall_clock_says() {
    let in_mk = Event::LoggedIn(Login { own: OWN, clock_offset: None, ..Login::example() });
    for (login, by) in [(login(), 7_200_000), (login(), -480_000), (in_mk.clone(), 7_200_000), (in_mk, -480_000)] {
        let start = 1_000_000;
        let mut group = Group::default();
        group.apply(Millis(start), &login);
        let waited = ReflectedMessage { stored_at: Millis(start - 3_000), received_at: Millis(start), ..message(1) };
        group.apply(Millis(start), &Event::Reflected(vec![waited]));
        group.apply(Millis(start + 500), &Event::Devices(BTreeMap::new()));
        group.apply(Millis(start + 900), &Event::LastHeard { at: Millis(start + 700) });
        group.apply(Millis(start + 900), &broken());
        let activity = group.activity().of(PHONE, Millis(start));
        let row = group.feed().get(0).unwrap();
        let age = group.age(row.stored_at, row.received_at);
        let offset = group.login().unwrap().clock_offset;
        let clock_offset = offset.map(|offset| offset - by);
        group.apply(Millis(start + 1_000).offset_by(by), &Event::ClockMoved { by, clock_offset });
        let moved = |at: u64| Millis(at).offset_by(by);
        assert_eq!(group.last_word(), Some(moved(start + 700)));
        assert_eq!(group.devices().as_of(), Some(moved(start + 500)));
        let ConnectionState::Waiting { since, next, .. } = group.connection() else { panic!("it ended") };
        assert_eq!((*since, *next), (moved(start + 900), NextStep::RetryAt { at: moved(50_000), attempt: 1 }));
        let row = group.feed().get(0).unwrap();
        assert_eq!(row.received_at, moved(start));
        assert_eq!(group.age(row.stored_at, row.received_at), age, "{by}");
        assert_eq!(group.activity().of(PHONE, moved(start)), activity, "{by}");
        assert_eq!(group.clock_was_moved(), offset.is_some());
    }
}

#[test]
fn the_last_word_of_the_server_does_not_move_with_failed_attempts() {
    let mut group = Group::default();
    assert_eq!(group.last_word(), None);
    group.apply(Millis(1_000), &login());
    let ping = Event::RoundTrip { probe: Probe::Ping, elapsed: Duration::from_millis(3) };
    group.apply(Millis(5_000), &ping);
    for at in [9_000, 20_000, 60_000] {
        group.apply(Millis(at), &broken());
        group.apply(Millis(at + 1), &Event::Connecting { attempt: 2 });
        assert_eq!(group.last_word(), Some(Millis(5_000)));
    }
    // What refuses a login is no newer state; what ends a good one is the last word of it, as is what is skipped.
    let closed = |code| Event::Disconnected {
        cause: DisconnectCause::ClosedByServer { code, reason: Clean::default(), expected: SlotState::New },
        next: NextStep::WaitForUser,
    };
    group.apply(Millis(70_000), &Event::Handshaking);
    group.apply(Millis(70_001), &closed(CloseCode::DROPPED_BY_DEVICE));
    assert_eq!(group.last_word(), Some(Millis(5_000)));
    group.apply(Millis(80_000), &login());
    group.apply(Millis(81_000), &Event::Ignored(Clean::literal("a message of an unknown type")));
    assert_eq!(group.last_word(), Some(Millis(81_000)));
    group.apply(Millis(82_000), &closed(CloseCode::DROPPED_BY_DEVICE));
    assert_eq!(group.last_word(), Some(Millis(82_000)));
}
