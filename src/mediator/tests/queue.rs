//! Reflection: who gets what, in which order, under which id, and what an acknowledgement does.

use std::time::Duration;

use super::{A, B, C, Login, World, in_both_dialects, reflection, texts};
use crate::mediator::{LogEvent, MediatorConfig, SlotRemoval};
use crate::protocol::{ClientMessage, Dialect, ReflectId, Reflected, ReflectedId, ServerMessage};

fn ids(reflected: &[Reflected]) -> Vec<u32> {
    reflected.iter().map(|message| message.id.0).collect()
}

in_both_dialects! {
    fn a_reflection_is_acknowledged_and_goes_to_all_but_its_author(world) {
        let connections = [A, B, C].map(|device| world.login(Login::new(device)));
        let [a, b, c] = connections;
        for connection in connections {
            world.take(connection);
        }
        let now = world.now;
        world.reflect(a, 0xdead_beef, "m");
        assert_eq!(world.take(a), [ServerMessage::ReflectAck { id: ReflectId(0xdead_beef), timestamp: now }]);
        for connection in [b, c] {
            let reflected = world.take_reflected(connection);
            assert_eq!(texts(&reflected), ["m"]);
            assert_eq!((reflected[0].timestamp, reflected[0].ephemeral), (now, false));
        }
    }

    fn alone_in_the_group_a_reflection_is_acknowledged_all_the_same(world) {
        let a = world.login(Login::new(A));
        world.reflect(a, 1, "m");
        assert!(matches!(world.take(a).as_slice(), [ServerMessage::ReflectAck { .. }]));
    }

    fn acknowledgements_come_in_order_of_receipt(world) {
        let a = world.login(Login::new(A));
        for id in [5, 3, 3, 9] {
            world.reflect(a, id, "m");
        }
        let acknowledged: Vec<u32> = world.take(a).iter().map(|message| match message {
            ServerMessage::ReflectAck { id, .. } => id.0,
            other => panic!("unexpected {other:?}"),
        }).collect();
        assert_eq!(acknowledged, [5, 3, 3, 9]);
    }

    fn what_waits_comes_between_info_and_dry(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.leave(b);
        for text in ["one", "two", "three"] {
            world.reflect(a, 1, text);
        }
        let b = world.try_login(Login::again(B));
        let messages = world.take(b);
        let (first, last) = (&messages[0], &messages[4]);
        assert!(matches!(first, ServerMessage::Info(info) if info.reflection_queue_length == Some(3)));
        assert!(messages[1..4].iter().all(|message| matches!(message, ServerMessage::Reflected(_))));
        assert_eq!((last, messages.len()), (&ServerMessage::ReflectionQueueDry, 5));
    }

    fn the_unacknowledged_is_sent_again_with_the_same_id_and_time(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        for text in ["one", "two", "three"] {
            world.reflect(a, 1, text);
            world.pass(Duration::from_secs(1));
        }
        let first = world.take_reflected(b);
        assert_eq!(ids(&first), [1, 2, 3]);
        world.send(b, &ClientMessage::ReflectedAck(first[1].id));
        world.leave(b);
        world.reflect(a, 1, "four");
        let b = world.try_login(Login::again(B));
        let again: Vec<Reflected> = world.take(b).into_iter().filter_map(|message| match message {
            ServerMessage::Reflected(reflected) => Some(reflected),
            _ => None,
        }).collect();
        assert_eq!(texts(&again), ["one", "three", "four"]);
        assert_eq!([&again[0], &again[1]], [&first[0], &first[2]]);
        assert_eq!(again[2].id, ReflectedId(4), "ids rise across connections");
    }

    fn acknowledged_is_gone(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.reflect(a, 1, "m");
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(1)));
        world.leave(b);
        let b = world.try_login(Login::again(B));
        assert!(matches!(world.take(b).as_slice(), [ServerMessage::Info(_), ServerMessage::ReflectionQueueDry]));
    }

    fn an_acknowledgement_of_nothing_outstanding_ends_the_connection(world) {
        let a = world.login(Login::new(A));
        for wrong in [0, 2, u32::MAX] {
            let b = world.login(Login::new(B));
            world.reflect(a, 1, "m");
            world.send(b, &ClientMessage::ReflectedAck(ReflectedId(wrong)));
            assert_eq!(world.closed(b), Some(4012), "acknowledged {wrong}");
            world.send(a, &ClientMessage::DropDevice(B));
        }
        let b = world.login(Login::new(B));
        world.reflect(a, 1, "m");
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(1)));
        assert_eq!(world.closed(b), None);
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(1)));
        assert_eq!(world.closed(b), Some(4012), "acknowledged twice");
    }

    fn what_is_stored_but_not_yet_sent_is_not_outstanding(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.set_reads(b, false);
        for _ in 0..600 {
            world.reflect(a, 1, "m");
        }
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(512)));
        assert_eq!(world.closed(b), None);
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(513)));
        assert_eq!(world.closed(b), Some(4012));
    }

    fn ids_wrap(world) {
        world.mediator.first_reflected = u64::from(u32::MAX) - 1;
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        for _ in 0..4 {
            world.reflect(a, 1, "m");
        }
        let reflected = world.take_reflected(b);
        assert_eq!(ids(&reflected), [u32::MAX - 1, u32::MAX, 0, 1]);
        for message in &reflected {
            world.send(b, &ClientMessage::ReflectedAck(message.id));
        }
        assert_eq!(world.closed(b), None);
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(2)));
        assert_eq!(world.closed(b), Some(4012));
    }

    fn a_queue_past_its_limit_costs_the_slot(world) {
        let limited = MediatorConfig { queue_limit: 3, ..MediatorConfig::default() };
        world = World::with(world.dialect, limited);
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        let c = world.login(Login::new(C));
        world.leave(c);
        for _ in 0..3 {
            world.reflect(a, 1, "m");
        }
        assert_eq!(world.closed(b), None);
        assert_eq!(world.devices(a).len(), 3);
        world.reflect(a, 1, "m");
        assert_eq!(world.closed(b), Some(4114));
        assert_eq!(world.closed(a), None, "the author is not to blame");
        assert_eq!(world.devices(a).len(), 1, "connected or not, those that lag lose their slots");
        let limited = |event: &&LogEvent| matches!(event, LogEvent::SlotRemoved { cause: SlotRemoval::QueueLimit, .. });
        assert_eq!(world.logs.iter().filter(limited).count(), 2);
    }

    fn an_envelope_is_stored_once_for_all(world) {
        world = World::new(world.dialect);
        let connections = [A, B, C].map(|device| world.login(Login::new(device)));
        world.reflect(connections[0], 1, "shared by all queues");
        let group = world.mediator.groups.values().next().unwrap();
        let places: Vec<*const u8> = [B, C].map(|device| group.slots[&device].queue.first_envelope().as_ptr()).to_vec();
        assert_eq!(places[0], places[1]);
    }
}

#[test]
fn ephemeral_messages_go_to_the_connected_in_order_without_acknowledgement() {
    let mut world = World::new(Dialect::Dgk);
    let a = world.login(Login::new(A));
    let b = world.login(Login::new(B));
    let c = world.login(Login::new(C));
    world.leave(c);
    world.take(a);
    world.reflect(a, 1, "one");
    world.send(a, &reflection(2, "typing", true));
    world.reflect(a, 3, "two");
    assert_eq!(world.take(a).len(), 2, "an ephemeral reflection is not acknowledged");
    let reflected = world.take_reflected(b);
    assert_eq!(texts(&reflected), ["one", "typing", "two"]);
    assert_eq!(ids(&reflected), [1, 2, 3]);
    assert_eq!(reflected.iter().map(|message| message.ephemeral).collect::<Vec<_>>(), [false, true, false]);
    for message in [&reflected[1], &reflected[0], &reflected[1]] {
        world.send(b, &ClientMessage::ReflectedAck(message.id));
    }
    assert_eq!(world.closed(b), None, "acknowledging an ephemeral message does nothing");
    world.leave(b);
    for device in [B, C] {
        let connection = world.try_login(Login::again(device));
        let stored =
            world.take(connection).into_iter().filter(|message| matches!(message, ServerMessage::Reflected(_)));
        assert_eq!(stored.count(), if device == B { 1 } else { 2 }, "ephemeral messages are not stored for {device}");
    }
}

#[test]
fn an_ephemeral_message_waits_its_turn_and_is_dropped_when_the_receiver_leaves() {
    let mut world = World::new(Dialect::Dgk);
    let a = world.login(Login::new(A));
    let b = world.login(Login::new(B));
    world.set_reads(b, false);
    for _ in 0..520 {
        world.reflect(a, 1, "m");
    }
    world.send(a, &reflection(2, "typing", true));
    assert_eq!(world.take_reflected(b).len(), 512, "the ephemeral message waits behind the rest");
    world.leave(b);
    let b = world.try_login(Login::again(B));
    let reflected = world.take(b).into_iter().filter_map(|message| match message {
        ServerMessage::Reflected(reflected) => Some(reflected),
        _ => None,
    });
    let reflected: Vec<Reflected> = reflected.collect();
    assert_eq!(reflected.len(), 520);
    assert!(!reflected.iter().any(|message| message.ephemeral));
}

#[test]
fn the_seeds_dialect_knows_no_ephemeral_messages() {
    let mut world = World::new(Dialect::Mk);
    let a = world.login(Login::new(A));
    let b = world.login(Login::new(B));
    world.take(a);
    let flagged = reflection(1, "m", true).encode(Dialect::Dgk);
    world.input(crate::mediator::MediatorInput::Frame { connection: a, bytes: flagged });
    assert_eq!(world.take(a).len(), 1, "acknowledged as any other");
    assert!(!world.take_reflected(b)[0].ephemeral);
}

#[test]
fn ephemeral_ids_are_remembered_up_to_a_bound() {
    let mut world = World::new(Dialect::Dgk);
    let a = world.login(Login::new(A));
    let b = world.login(Login::new(B));
    for _ in 0..=65_536 {
        world.send(a, &reflection(1, "t", true));
        world.take(b);
    }
    for (id, closed) in [(65_537, None), (2, None), (1, Some(4012))] {
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(id)));
        assert_eq!(world.closed(b), closed, "acknowledged {id}");
    }
}
