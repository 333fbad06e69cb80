//! Transactions: one lock a group, what it holds back, and every way it ends.

use std::time::Duration;

use bytes::Bytes;

use super::{A, B, C, Login, World, in_both_dialects, reflection, texts};
use crate::mediator::{ConnectionId, MediatorConfig, MediatorInput, MediatorOutput, MediatorTime};
use crate::protocol::{
    ClientMessage, CloseCode, DeviceId, Dialect, ExpirationPolicy, ReflectId, Sealed, ServerMessage, TransactionScope,
};

fn scope() -> Sealed<TransactionScope> {
    Sealed::from_wire(Bytes::from_static(b"sealed scope"))
}

pub(super) fn begin(seconds: Option<u64>) -> ClientMessage {
    ClientMessage::BeginTransaction { scope: scope(), ttl: seconds.map(Duration::from_secs) }
}

fn ended_by_a() -> ServerMessage {
    ServerMessage::TransactionEnded { holder: A, scope: scope() }
}

/// Three devices, the first of which holds the lock.
fn locked(world: &mut World) -> [ConnectionId; 3] {
    let connections = [A, B, C].map(|device| world.login(Login::new(device)));
    for connection in connections {
        world.take(connection);
    }
    world.send(connections[0], &begin(None));
    assert_eq!(world.take(connections[0]), [ServerMessage::BeginTransactionAck]);
    connections
}

in_both_dialects! {
    fn the_lock_is_one_and_who_asks_in_vain_learns_who_has_it(world) {
        let [a, b, _] = locked(&mut world);
        let rejected = ServerMessage::TransactionRejected { holder: A, scope: scope() };
        world.send(b, &begin(None));
        assert_eq!(world.take(b), std::slice::from_ref(&rejected));
        world.send(a, &begin(None));
        assert_eq!(world.take(a), [rejected], "a holder's second begin is rejected, too");
        world.send(a, &ClientMessage::CommitTransaction);
        world.take(b);
        world.send(b, &begin(None));
        assert_eq!(world.take(b), [ServerMessage::BeginTransactionAck]);
    }

    fn a_commit_is_acknowledged_to_the_holder_and_told_to_the_others(world) {
        let [a, b, c] = locked(&mut world);
        world.send(a, &ClientMessage::CommitTransaction);
        assert_eq!(world.take(a), [ServerMessage::CommitTransactionAck]);
        assert_eq!([world.take(b), world.take(c)], [[ended_by_a()], [ended_by_a()]]);
        world.pass(Duration::from_mins(2));
        assert_eq!(world.closed(a), None, "the time to live is over with the transaction");
    }

    fn the_holders_reflections_are_acknowledged_at_once_and_delivered_with_the_commit(world) {
        let [a, b, _] = locked(&mut world);
        let stored_at = world.now;
        world.reflect(a, 1, "one");
        world.pass(Duration::from_secs(1));
        world.reflect(a, 2, "two");
        assert_eq!(world.take(a)[0], ServerMessage::ReflectAck { id: ReflectId(1), timestamp: stored_at });
        assert_eq!(world.take(b), []);
        world.pass(Duration::from_secs(1));
        world.send(a, &ClientMessage::CommitTransaction);
        let mut messages = world.take(b);
        assert_eq!(messages.pop(), Some(ended_by_a()));
        let [ServerMessage::Reflected(one), ServerMessage::Reflected(two)] = messages.as_slice() else {
            panic!("{messages:?}")
        };
        assert_eq!(texts(&[one.clone(), two.clone()]), ["one", "two"]);
        assert_eq!((one.timestamp, two.timestamp), (stored_at, stored_at.after(Duration::from_secs(1))));
    }

    fn others_reflections_pass(world) {
        let [a, b, c] = locked(&mut world);
        world.reflect(a, 1, "held back");
        world.reflect(b, 2, "passes");
        assert_eq!(texts(&world.take_reflected(c)), ["passes"]);
        world.take(a);
        world.send(a, &ClientMessage::CommitTransaction);
        assert_eq!(world.take(c).len(), 2);
    }

    fn a_device_that_was_away_gets_what_was_committed(world) {
        let [a, b, _] = locked(&mut world);
        world.leave(b);
        world.reflect(a, 1, "m");
        world.send(a, &ClientMessage::CommitTransaction);
        let b = world.try_login(Login::again(B));
        assert!(matches!(world.take(b)[1], ServerMessage::Reflected(_)));
    }

    fn a_commit_without_begin_is_a_protocol_error(world) {
        let [_, b, _] = locked(&mut world);
        world.send(b, &ClientMessage::CommitTransaction);
        assert_eq!(world.closed(b), Some(4010), "another's transaction");
        let mut world = World::new(world.dialect);
        let a = world.login(Login::new(A));
        world.send(a, &ClientMessage::CommitTransaction);
        assert_eq!(world.closed(a), Some(4010), "no transaction at all");
    }

    fn a_holder_that_leaves_ends_the_transaction_and_discards(world) {
        let [a, b, c] = locked(&mut world);
        world.reflect(a, 1, "never seen");
        world.leave(a);
        assert_eq!(world.take(b)[0], ended_by_a());
        assert_eq!(world.take(c), [ended_by_a()]);
        let again = world.login(Login::again(A));
        world.send(again, &begin(None));
        assert_eq!(world.take(again), [ServerMessage::BeginTransactionAck]);
        world.send(again, &ClientMessage::CommitTransaction);
        assert_eq!(world.take(c), [ended_by_a()], "what was held back is gone");
    }

    fn a_holder_that_is_dropped_ends_the_transaction(world) {
        let [a, b, c] = locked(&mut world);
        world.send(b, &ClientMessage::DropDevice(A));
        assert_eq!(world.closed(a), Some(4113));
        let messages = world.take(b);
        assert_eq!(messages[..2], [ServerMessage::DropDeviceAck(A), ended_by_a()]);
        assert_eq!(world.take(c), [ended_by_a()]);
    }

    fn a_holder_that_connects_again_ends_the_transaction(world) {
        let [_, _, c] = locked(&mut world);
        world.login(Login::again(A));
        assert_eq!(world.take(c), [ended_by_a()]);
    }

    fn the_servers_maximum_ends_a_transaction(world) {
        let [a, b, _] = locked(&mut world);
        world.reflect(a, 1, "never seen");
        world.pass(Duration::from_secs(59));
        assert_eq!(world.closed(a), None);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.closed(a), Some(4011));
        assert_eq!(world.take(b), [ended_by_a(), ServerMessage::RolePromotedToLeader]);
    }

    fn a_commit_behind_the_deadline_is_too_late_even_if_the_timer_is(world) {
        let [a, _, _] = locked(&mut world);
        world.now = world.now.after(Duration::from_mins(1));
        world.send(a, &ClientMessage::CommitTransaction);
        assert_eq!(world.closed(a), Some(4011));
    }

    fn one_transaction_cannot_fill_more_than_a_queue(world) {
        world = World::with(world.dialect, MediatorConfig { queue_limit: 3, ..MediatorConfig::default() });
        let [a, b, _] = locked(&mut world);
        for _ in 0..4 {
            world.reflect(a, 1, "m");
        }
        assert_eq!(world.closed(a), Some(4010));
        assert_eq!(world.closed(b), None);
    }

    fn a_scope_that_cannot_be_passed_on_is_a_protocol_error(world) {
        let a = world.login(Login::new(A));
        let scope = Sealed::from_wire(Bytes::from(vec![1; 65_000]));
        world.send(a, &ClientMessage::BeginTransaction { scope, ttl: None });
        assert_eq!(world.closed(a), Some(4010));
    }

    fn a_commit_that_fills_a_queue_costs_that_slot_only(world) {
        world = World::with(world.dialect, MediatorConfig { queue_limit: 3, ..MediatorConfig::default() });
        let [a, b, c] = locked(&mut world);
        world.leave(c);
        for _ in 0..2 {
            world.reflect(b, 1, "m");
            world.reflect(a, 1, "m");
        }
        world.take(a);
        for id in 1..=2 {
            world.send(a, &ClientMessage::ReflectedAck(crate::protocol::ReflectedId(id)));
        }
        world.send(a, &ClientMessage::CommitTransaction);
        assert_eq!(world.take(a), [ServerMessage::CommitTransactionAck]);
        assert_eq!((world.closed(a), world.closed(b)), (None, None));
        assert!(!world.devices(a).contains_key(&C));
    }
}

#[test]
fn a_shorter_time_is_honoured_and_a_longer_one_is_cut() {
    for (asked, lasts) in [(Some(10), 10), (Some(3_600), 60), (None, 60)] {
        let mut world = World::new(Dialect::Dgk);
        let a = world.login(Login::new(A));
        world.send(a, &begin(asked));
        world.pass(Duration::from_secs(lasts - 1));
        assert_eq!(world.closed(a), None, "asked for {asked:?}");
        world.pass(Duration::from_secs(1));
        assert_eq!(world.closed(a), Some(4011), "asked for {asked:?}");
    }
}

#[test]
fn an_ephemeral_reflection_of_the_holder_keeps_its_place() {
    let mut world = World::new(Dialect::Dgk);
    let [a, b, _] = locked(&mut world);
    world.reflect(a, 1, "one");
    world.send(a, &reflection(2, "typing", true));
    world.reflect(a, 3, "two");
    assert_eq!(world.take(a).len(), 2);
    world.send(a, &ClientMessage::CommitTransaction);
    let mut messages = world.take(b);
    assert_eq!(messages.pop(), Some(ended_by_a()));
    let reflected = messages.into_iter().map(|message| match message {
        ServerMessage::Reflected(reflected) => reflected,
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(texts(&reflected.collect::<Vec<_>>()), ["one", "typing", "two"]);
}

#[test]
fn a_moved_wall_clock_moves_no_deadline() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        for moved in [-40_000_i64, 40_000, 86_400_000] {
            let config = MediatorConfig {
                max_ttl: Duration::from_secs(5),
                idle_timeout: Some(Duration::from_secs(60)),
                ..MediatorConfig::default()
            };
            let mut world = World::with(dialect, config);
            let [a, b, _] = locked(&mut world);
            let late = world.connect();
            let volatile = world.login(Login { expiration: ExpirationPolicy::Volatile, ..Login::new(DeviceId(0xd)) });
            world.leave(volatile);
            let slots = world.mediator.deadline();
            let start = world.now;
            let mut at = |milliseconds: u64| {
                let steady = start.after(Duration::from_millis(milliseconds));
                world.mediator.handle(MediatorTime { wall: steady.offset_by(moved), steady }, MediatorInput::Timer);
                let outputs = std::iter::from_fn(|| world.mediator.poll());
                let closed = outputs.filter_map(|output| match output {
                    MediatorOutput::Close { connection, code, .. } => Some((connection, code)),
                    _ => None,
                });
                closed.collect::<Vec<_>>()
            };
            assert_eq!(slots, Some(start.after(Duration::from_secs(5))), "{dialect}, {moved}");
            assert_eq!(at(4_999), [], "{dialect}, {moved}: neither lock nor login nor silence");
            assert_eq!(at(5_000), [(a, CloseCode::TRANSACTION_EXPIRED)], "{dialect}, {moved}");
            assert_eq!(at(19_999), [], "{dialect}, {moved}");
            assert_eq!(at(20_000), [(late, CloseCode::IDLE)], "{dialect}, {moved}");
            assert_eq!(at(59_999), [], "{dialect}, {moved}");
            assert!(at(60_000).contains(&(b, CloseCode::IDLE)), "{dialect}, {moved}");
        }
    }
}
