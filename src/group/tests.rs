use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::protocol::d2d::{Conversation, Kind, MessageType, Summary, SyncAction};
use crate::protocol::{
    Activity, CloseCode, DeviceInfo, Dialect, ExpirationPolicy, OpenError, SlotState, TransactionScope,
};
use crate::protocol::{DecodeError, MessageId, Nonce, ReflectedHeader, Sealed};

const PHONE: DeviceId = DeviceId(1);
const OWN: DeviceId = DeviceId(2);
const CONTACT_SYNC: Scope = Some(TransactionScope::ContactSync);

const WAITED: Duration = Duration::from_micros(400);

fn acknowledged(ids: &[u32]) -> Event {
    Event::Acknowledged { ids: ids.iter().copied().map(ReflectedId).collect(), waited: WAITED }
}

fn login() -> Event {
    Event::LoggedIn(Login {
        own: OWN,
        dialect: Dialect::Dgk,
        max_device_slots: 5,
        slot_state: SlotState::Existing,
        clock_offset: Some(200),
        reflection_queue_length: Some(3),
        shared_version: None,
    })
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
        envelope: Sealed::default(),
        content: Ok(Summary { author: Some(PHONE), body_length: 2, ..Summary::blank(Kind::SettingsSync) }),
    }
}

fn redelivered(id: u32) -> ReflectedMessage {
    ReflectedMessage { redelivered: true, received_at: Millis(9_000), ..message(id) }
}

fn device(label: &'static str, activity: Activity) -> ListedDevice {
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
        (vec![], Connection::Idle),
        (vec![Event::Connecting { attempt: 2 }], Connection::Connecting { attempt: 2 }),
        (vec![Event::Connecting { attempt: 1 }, Event::Handshaking], Connection::Handshaking),
        (vec![login()], Connection::Draining { since: Millis(1_000), received: 0, of: Some(3) }),
        (
            vec![login(), Event::Reflected(vec![message(1), message(2), ephemeral])],
            Connection::Draining { since: Millis(1_000), received: 2, of: Some(3) },
        ),
        (vec![login(), Event::QueueDry], Connection::Live { since: Millis(2_000) }),
        (vec![Event::QueueDry], Connection::Idle),
        (
            vec![login(), Event::QueueDry, Event::Disconnected { cause: dropped.clone(), next: NextStep::WaitForUser }],
            Connection::Waiting { since: Millis(3_000), cause: dropped, next: NextStep::WaitForUser },
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
fn acknowledgements_find_their_rows() {
    let group =
        after(&[login(), Event::Reflected(vec![message(1), message(2), message(3)]), acknowledged(&[1, 2, 77])]);
    let acknowledged: Vec<_> = group.feed().rows_from(0, 9).map(|(_, row)| row.acknowledged_after).collect();
    assert_eq!(acknowledged, [Some(WAITED), Some(WAITED), None]);
    assert_eq!(group.feed().outstanding(), 1);
    assert_eq!(group.latency().acknowledgement.count(), 2);
    let p50 = group.latency().acknowledgement.quantile(0.5).unwrap();
    assert!(p50.abs_diff(WAITED) < Duration::from_micros(10), "{p50:?}");
}

#[test]
fn a_redelivered_message_keeps_its_row() {
    let group = after(&[
        login(),
        Event::Reflected(vec![message(1), message(2)]),
        acknowledged(&[1]),
        broken(),
        login(),
        Event::Reflected(vec![redelivered(1), redelivered(2)]),
        acknowledged(&[1, 2]),
    ]);
    let rows: Vec<_> = group.feed().rows_from(0, 9).map(|(_, row)| (row.id.0, row.marks.redelivered)).collect();
    assert_eq!(rows, [(1, false), (2, true), (1, true)], "the acknowledgement of 1 was lost; 2 is the same row");
    let counts = group.feed().counts();
    assert_eq!((counts.received, counts.acknowledged, counts.redelivered), (3, 3, 2));
    assert_eq!(group.feed().outstanding(), 0);
}

#[test]
fn the_ring_forgets_the_oldest_and_counts_them() {
    let mut group = Group::with_feed_rows(2);
    group.apply(Millis(1), &Event::Reflected((1..=5).map(message).collect()));
    let numbers: Vec<_> = group.feed().rows_from(0, 9).map(|(number, row)| (number, row.id.0)).collect();
    assert_eq!(numbers, [(3, 4), (4, 5)]);
    assert_eq!((group.feed().len(), group.feed().fell_out(), group.feed().end()), (2, 3, 5));
    assert_eq!(group.feed().get(2), None);
}

#[test]
fn a_row_says_what_the_message_said() {
    let full = Summary {
        author: Some(PHONE),
        protocol_version: 3,
        kind: Kind::ContactSync,
        conversation: Some(Conversation::Group { id: MessageId(7), creator: Clean::literal("ECHOECHO") }),
        message_type: Some(MessageType::GROUP_TEXT),
        message_id: Some(MessageId(u64::MAX)),
        created_at: Some(Millis(1_700_000_000_000)),
        action: Some(SyncAction::Delete),
        body_length: 65_000,
        count: 12,
        sender: Some(Clean::literal("SENDER01")),
        nickname: Some(Clean::literal("")),
        name: Some(Clean::literal("a name that is longer than what is kept in place")),
        detail: Some(Clean::literal("nickname")),
    };
    let errors = [
        OpenError::TooShort,
        OpenError::DoesNotDecrypt,
        OpenError::Undecodable(DecodeError::Malformed("envelope")),
        OpenError::Undecodable(DecodeError::TooLong(70_000)),
    ];
    let kinds = Kind::ALL.map(|kind| Ok(Summary::blank(kind)));
    let contents = kinds.into_iter().chain(errors.map(Err)).chain([Ok(full)]);
    let header = ReflectedHeader { length: 24, flags: 0xbeef };
    for content in contents {
        for nonce in [None, Some(Nonce([9; 24]))] {
            let message = ReflectedMessage { content: content.clone(), nonce, header, ..message(u32::MAX) };
            let group = after(&[Event::Reflected(vec![message.clone()])]);
            assert_eq!(group.feed().get(0), Some(Row::new(&message)));
        }
    }
}

#[test]
fn what_fell_out_leaves_nothing_behind() {
    let mut group = Group::with_feed_rows(10);
    for number in 0..1_000 {
        let mut message = message(number);
        if number % 7 == 0 {
            message.content = Err(OpenError::Undecodable(DecodeError::TooLong(number as usize)));
        } else if let Ok(summary) = &mut message.content {
            summary.author = Some(DeviceId(u64::from(number)));
            summary.conversation = Some(Conversation::DistributionList(MessageId(u64::from(number))));
            summary.detail = Some(Clean::new(&number.to_string()));
        }
        group.apply(Millis(1), &Event::Reflected(vec![message]));
    }
    let tables = group.feed().tables();
    let kept = [tables.authors.len(), tables.parties.len(), tables.details.len()];
    assert!(kept.iter().all(|kept| *kept <= 10), "{kept:?}");
    let last = group.feed().get(999).unwrap();
    assert_eq!(last.conversation(), Some(&Conversation::DistributionList(MessageId(999))));
}

#[test]
fn missing_ids_are_told_at_the_row_after_them() {
    let new_slot = || {
        let Event::LoggedIn(login) = login() else { unreachable!() };
        Event::LoggedIn(Login { slot_state: SlotState::New, ..login })
    };
    let ephemeral = ReflectedMessage { ephemeral: true, ..message(900) };
    let group = after(&[
        login(),
        Event::Reflected(vec![message(7), message(8), ephemeral, message(12), redelivered(12)]),
        broken(),
        login(),
        Event::Reflected(vec![message(14)]),
        new_slot(),
        Event::Reflected(vec![message(1), message(2)]),
    ]);
    let gaps: Vec<_> = group.feed().rows_from(0, 9).map(|(_, row)| (row.id.0, row.marks.gap)).collect();
    let expected = [(7, None), (8, None), (900, None), (12, Some(3)), (14, Some(1)), (1, None), (2, None)];
    assert_eq!(gaps, expected);
    assert_eq!((group.feed().counts().gaps, group.feed().counts().missing), (2, 4));
}

#[test]
fn a_replay_is_no_new_message_and_alarms_without_noise() {
    let replay = |id| ReflectedMessage { repeated_nonce: true, ..message(id) };
    let group = after(&[
        login(),
        Event::Reflected(vec![message(1), replay(2)]),
        Event::Reflected((3..40).map(replay).collect()),
        acknowledged(&[1, 2]),
    ]);
    let counts = group.feed().counts();
    assert_eq!((counts.received, counts.replays, counts.acknowledged), (1, 38, 2));
    assert!(group.feed().get(1).unwrap().marks.repeated_nonce);
    assert_eq!((group.latency().age.count(), group.notices().alarms(), group.notices().count()), (1, 1, 1));
}

#[test]
fn the_newest_envelopes_are_kept_within_their_budget() {
    let sealed = |byte: u8| Sealed::from_wire(bytes::Bytes::from(vec![byte; 100]));
    let message = |id: u8| ReflectedMessage { envelope: sealed(id), ..message(u32::from(id)) };
    let fill = |mut group: Group| {
        group.apply(Millis(1), &Event::Reflected((0..10).map(message).collect()));
        (0..10).filter(|number| group.feed().envelope(*number).is_some()).collect::<Vec<_>>()
    };
    assert!(fill(Group::default()).is_empty());
    assert_eq!(fill(Group::default().with_envelopes(470)), [7, 8, 9]);
    assert_eq!(fill(Group::with_feed_rows(2).with_envelopes(470)), [8, 9], "no longer than their rows");
    let mut group = Group::default().with_envelopes(470);
    group.apply(Millis(1), &Event::Reflected(vec![message(5)]));
    assert_eq!(group.feed().envelope(0), Some(&sealed(5)));
}

#[test]
fn a_time_leads_to_its_row() {
    let at = |id: u32, received_at| ReflectedMessage { received_at: Millis(received_at), ..message(id) };
    let group = after(&[Event::Reflected(vec![at(1, 10), at(2, 20), at(3, 20), at(4, 50), at(5, 30), at(6, 60)])]);
    let feed = group.feed();
    for (time, number) in [(0, 0), (10, 0), (11, 1), (20, 1), (21, 3), (55, 5), (60, 5), (61, 6)] {
        assert_eq!(feed.number_at(Millis(time)), number, "for {time}");
    }
}

#[test]
fn figures_are_told_by_device_and_by_kind() {
    let group = after(&[login(), Event::Reflected(vec![message(1), message(2)]), acknowledged(&[1])]);
    let (author, waits) = group.latency().devices().next().unwrap();
    assert_eq!(author, latency::Author::Device(PHONE));
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
    let mut devices = BTreeMap::from([(PHONE, device("iPad", Activity::Unknown))]);
    devices.insert(OWN, device("", Activity::ConnectedSince(Millis(5))));
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
            activity: Activity::Unknown,
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

fn any_message() -> impl Strategy<Value = ReflectedMessage> {
    (0_u32..6, any::<[bool; 4]>(), any::<u64>(), any::<u64>()).prop_map(
        |(id, [ephemeral, redelivered, repeated_nonce, unreadable], stored_at, received_at)| {
            let content = if unreadable { Err(OpenError::DoesNotDecrypt) } else { message(id).content };
            let (stored_at, received_at) = (Millis(stored_at), Millis(received_at));
            ReflectedMessage { stored_at, received_at, ephemeral, redelivered, repeated_nonce, content, ..message(id) }
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    let scope = || prop_oneof![Just(None), Just(CONTACT_SYNC)];
    let holder = || (1_u64..3).prop_map(DeviceId);
    let lock = prop_oneof![
        scope().prop_map(LockEvent::Requested),
        (holder(), scope()).prop_map(|(holder, scope)| LockEvent::HeldBy { holder, scope }),
        (scope(), any::<u64>()).prop_map(|(scope, at)| LockEvent::Acquired { scope, expires_at: Some(Millis(at)) }),
        scope().prop_map(LockEvent::Released),
        Just(LockEvent::Abandoned),
        scope().prop_map(LockEvent::Lost),
        (holder(), scope()).prop_map(|(holder, scope)| LockEvent::Ended { holder, scope }),
    ];
    prop_oneof![
        4 => prop::collection::vec(any_message(), 0..6).prop_map(Event::Reflected),
        4 => prop::collection::vec(0_u32..6, 0..6).prop_map(|ids| acknowledged(&ids)),
        2 => lock.prop_map(Event::Lock),
        1 => prop_oneof![
            Just(Event::Connecting { attempt: u32::MAX }),
            Just(Event::Handshaking),
            Just(login()),
            Just(Event::QueueDry),
            Just(Event::Promoted),
            Just(Event::RoleGivenUp { back_at: Millis(7), promotions_in_a_row: 1 }),
            Just(Event::Following),
            Just(broken()),
            Just(Event::DeviceDropped(PHONE)),
            Just(Event::Devices(BTreeMap::from([(PHONE, device("x", Activity::Unknown))]))),
            any::<u64>().prop_map(|micros| Event::ReflectionStored { round_trip: Duration::from_micros(micros) }),
            Just(Event::RoundTrip { probe: Probe::Ping, elapsed: Duration::MAX }),
            Just(Event::Refused(Refusal::Busy)),
            Just(Event::Ignored(Clean::literal("?"))),
        ],
    ]
}

proptest! {
    #[test]
    fn any_order_of_events_keeps_the_books(
        events in prop::collection::vec((any::<u64>(), any_event()), 0..60),
        capacity in 0_usize..8,
    ) {
        let mut group = Group::with_feed_rows(capacity);
        for (at, event) in &events {
            group.apply(Millis(*at), event);
            let (feed, counts) = (group.feed(), group.feed().counts());
            prop_assert!(feed.len() <= capacity.max(1));
            prop_assert_eq!(feed.len() as u64 + feed.fell_out(), counts.received + counts.replays);
            prop_assert!(counts.acknowledged + counts.ephemeral <= counts.received + counts.replays);
            prop_assert!(feed.outstanding() as u64 + counts.acknowledged <= counts.received + counts.replays);
            prop_assert!(counts.undecryptable <= counts.received && counts.gaps <= counts.missing);
            prop_assert_eq!(group.latency().acknowledgement.count(), counts.acknowledged);
            prop_assert!(group.lock().ended().len() <= 16);
            prop_assert_eq!(group.latency().course(Millis(*at), 500).len(), latency::SECONDS);
        }
    }
}
