use proptest::prelude::*;

use super::*;

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
            Just(Event::Devices(BTreeMap::from([(PHONE, device("x", DeviceActivity::Unknown))]))),
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
            prop_assert!(group.lock().ended().len() <= 128);
            prop_assert_eq!(group.latency().course(Millis(*at), 500).len(), latency::SECONDS);
        }
    }
}
