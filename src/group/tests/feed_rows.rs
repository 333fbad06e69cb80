use super::*;
use crate::protocol::d2d::{Detail, NameChange};

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
fn an_acknowledgement_that_left_before_the_connection_ended_counts() {
    let group = after(&[login(), Event::Reflected(vec![message(1)]), broken(), acknowledged(&[1])]);
    let rows: Vec<_> = group.feed().rows_from(0, 9).map(|(_, row)| row.acknowledged_after).collect();
    assert_eq!((rows, group.feed().outstanding()), (vec![Some(WAITED)], 0));
}

#[test]
fn nothing_of_an_old_slot_is_awaited_in_a_new_one() {
    let new_slot = || Event::LoggedIn(Login { own: OWN, slot_state: SlotState::New, ..Login::example() });
    for end in [vec![broken()], vec![]] {
        let first = [login(), Event::Reflected(vec![message(10)])];
        let events: Vec<Event> = first.into_iter().chain(end).chain([new_slot()]).collect();
        assert_eq!(after(&events).feed().outstanding(), 0, "after {events:?}");
        let more = [Event::Reflected(vec![message(20)]), Event::Reflected(vec![message(21)])];
        let group = after(&events.into_iter().chain(more).collect::<Vec<_>>());
        assert_eq!(group.feed().counts().gaps, 0, "its ids begin anew");
        assert_eq!(group.feed().outstanding(), 2);
    }
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
    let full = EnvelopeSummary {
        author: Some(PHONE),
        protocol_version: 3,
        kind: ContentKind::ContactSync,
        conversation: Some(Conversation::Group { id: MessageId(7), creator: Clean::literal("ECHOECHO") }),
        message_type: Some(MessageType::GROUP_TEXT),
        message_id: Some(MessageId(u64::MAX)),
        created_at: Some(Millis(1_700_000_000_000)),
        action: Some(SyncAction::Delete),
        body_length: 65_000,
        count: 12,
        sender: Some(Clean::literal("SENDER01")),
        nickname: Some(Clean::literal("")),
        name: Some(NameChange::Whole(Clean::literal("a name that is longer than what is kept in place"))),
        detail: Some(Detail::Words(Clean::literal("nickname"))),
    };
    let errors = [
        OpenError::TooShort,
        OpenError::DoesNotDecrypt,
        OpenError::Undecodable(DecodeError::Malformed("envelope")),
        OpenError::Undecodable(DecodeError::TooLong(70_000)),
    ];
    let kinds = ContentKind::ALL.map(|kind| Ok(EnvelopeSummary::blank(kind)));
    let contents = kinds.into_iter().chain(errors.map(Err)).chain([Ok(full)]);
    let header = ReflectedHeader { length: 24, flags: 0xbeef };
    for content in contents {
        for nonce in [None, Some(Nonce([9; 24]))] {
            let message = ReflectedMessage { content: content.clone(), nonce, header, ..message(u32::MAX) };
            let group = after(&[Event::Reflected(vec![message.clone()])]);
            assert_eq!(group.feed().get(0), Some(FeedRow::new(&message)));
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
            summary.detail = Some(Detail::Words(Clean::new(&number.to_string())));
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
fn redelivery_in_any_order_takes_work_that_grows_with_the_messages_only() {
    const COUNT: u32 = 50_000;
    let orders: [(&str, Vec<u32>); 3] = [
        ("as before", (0..COUNT).collect()),
        ("in reverse", (0..COUNT).rev().collect()),
        ("mixed", (0..COUNT).map(|id| id * 7_919 % COUNT).collect()),
    ];
    for (words, order) in orders {
        let mut group = after(&[login(), Event::Reflected((0..COUNT).map(message).collect())]);
        // Each connection brings all of them again, and ends before anything is acknowledged, but for the last.
        for connection in 0..3 {
            group.apply(Millis(2), &broken());
            group.apply(Millis(2), &login());
            let before = group.feed().touched();
            for id in &order {
                group.apply(Millis(3), &Event::Reflected(vec![redelivered(*id)]));
            }
            let touched = group.feed().touched() - before;
            assert!(touched < u64::from(COUNT) * 6, "{words}, connection {connection}: {touched}");
        }
        let before = group.feed().touched();
        for id in &order {
            group.apply(Millis(4), &acknowledged(&[*id]));
        }
        let touched = group.feed().touched() - before;
        assert!(touched < u64::from(COUNT) * 6, "{words}, acknowledged: {touched}");
        assert_eq!((group.feed().outstanding(), group.feed().counts().acknowledged), (0, u64::from(COUNT)), "{words}");
    }
}
