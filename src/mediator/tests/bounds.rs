//! How much is held, for whom, and who loses it: a connection, a slot, a lock, a group, all together.

use std::time::Duration;

use super::{A, B, C, Login, World, in_both_dialects};
use crate::mediator::{GroupRefusal, LogEvent, MediatorConfig, MediatorInput, SlotRemoval};
use crate::protocol::{ClientMessage, DeviceGroupId, Dialect, ExhaustedPolicy, Sealed, ServerMessage};

const BIG: usize = 60_000;

fn begin(scope: usize) -> ClientMessage {
    ClientMessage::BeginTransaction { scope: Sealed::from_wire(vec![7; scope].into()), ttl: None }
}

fn limited(dialect: Dialect, queue_bytes: usize) -> World {
    World::with(dialect, MediatorConfig { queue_bytes, ..MediatorConfig::default() })
}

fn removals(world: &World) -> Vec<SlotRemoval> {
    let cause = |event: &LogEvent| match event {
        LogEvent::SlotRemoved { cause, .. } => Some(*cause),
        _ => None,
    };
    world.logs.iter().filter_map(cause).collect()
}

in_both_dialects! {
    fn answers_behind_a_full_window_count(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.set_reads(b, false);
        for _ in 0..600 {
            world.reflect(a, 1, "m");
        }
        world.send(a, &begin(4_000));
        world.send(a, &ClientMessage::CommitTransaction);
        world.send(a, &begin(4_000));
        let mut asked = 0;
        while !world.is_paused(b) {
            // Each is refused, with the scope of the lock in the answer.
            world.send(b, &begin(1));
            asked += 1;
            assert!(asked < 2_000, "never paused: {} bytes are held", world.mediator.held_bytes());
        }
        assert!(world.mediator.held_bytes() < 5 * 1024 * 1024, "{} bytes", world.mediator.held_bytes());
        world.set_reads(b, true);
        assert!(!world.is_paused(b), "read from again once it has read");
        let refused = world.take(b).into_iter()
            .filter(|message| matches!(message, ServerMessage::TransactionRejected { .. })).count();
        assert_eq!(refused, asked, "no answer is lost");
    }

    fn answers_behind_a_full_window_count_as_frames_and_as_bytes(world) {
        // Small answers reach the bound of frames, and large ones behind large messages that of bytes.
        for (messages, length, scope, most) in [(600, 1, 1, 520), (20, 60_000, 4_000, 780)] {
            world = World::new(world.dialect);
            let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
            world.set_reads(b, false);
            let text = "m".repeat(length);
            for _ in 0..messages {
                world.reflect(a, 1, &text);
            }
            world.send(a, &begin(scope));
            world.send(a, &ClientMessage::CommitTransaction);
            world.send(a, &begin(scope));
            let mut asked = 0;
            while !world.is_paused(b) && asked < 2_000 {
                world.send(b, &begin(1));
                asked += 1;
            }
            assert!(asked <= most, "{asked} answers of {scope} bytes wait, {} bytes in all", world.mediator.held_bytes());
        }
    }

    fn one_that_takes_nothing_is_closed_after_the_write_timeout(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.set_reads(b, false);
        world.reflect(a, 1, "m");
        world.pass(Duration::from_secs(59));
        assert_eq!(world.closed(b), None);
        // It still says something, but takes nothing.
        world.input(MediatorInput::Alive { connection: b });
        world.pass(Duration::from_secs(20));
        assert_eq!(world.closed(b), Some(4013));
        assert!(world.devices(a).contains_key(&B), "its slot stays");
    }

    fn one_that_takes_nothing_is_not_looked_at_all_the_time(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.pass(Duration::from_secs(14));
        world.set_reads(b, false);
        world.reflect(a, 1, "m");
        let end = world.now.after(Duration::from_secs(40));
        let mut looks = 0;
        while let Some(at) = world.mediator.deadline().filter(|at| *at <= end) {
            world.now = at;
            world.input(MediatorInput::Timer);
            looks += 1;
            assert!(looks < 20, "every {} ms or so", end.since(at).as_millis());
        }
        assert_eq!(world.closed(b), None);
    }

    fn one_that_takes_little_at_a_time_is_not_closed(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        for _ in 0..10 {
            world.set_reads(b, false);
            world.reflect(a, 1, "m");
            world.pass(Duration::from_secs(40));
            world.set_reads(b, true);
        }
        assert_eq!(world.closed(b), None);
    }

    fn a_queue_is_bounded_in_bytes(world) {
        world = limited(world.dialect, 1_000_000);
        let [a, b, c] = [A, B, C].map(|device| world.login(Login::new(device)));
        world.leave(b);
        for _ in 0..16 {
            world.reflect(a, 1, &"x".repeat(BIG));
            for message in world.take_reflected(c) {
                world.send(c, &ClientMessage::ReflectedAck(message.id));
            }
        }
        assert!(world.devices(a).contains_key(&B), "16 of them fit");
        world.reflect(a, 1, &"x".repeat(BIG));
        assert!(!world.devices(a).contains_key(&B), "the slot of the full queue is gone");
        assert_eq!((world.closed(a), world.closed(c)), (None, None), "nobody else loses anything");
        assert_eq!(removals(&world), [SlotRemoval::QueueLimit]);
    }

    fn what_a_lock_holds_back_is_bounded_in_bytes(world) {
        world = limited(world.dialect, 1_000_000);
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.send(a, &begin(1));
        for _ in 0..17 {
            world.reflect(a, 1, &"x".repeat(BIG));
        }
        assert_eq!(world.closed(a), Some(4010));
        world.take(b);
        assert!(world.mediator.held_bytes() < BIG, "it is given back: {}", world.mediator.held_bytes());
    }

    fn alone_in_its_group_a_lock_holds_back_nothing(world) {
        let a = world.login(Login::new(A));
        world.send(a, &begin(1));
        for _ in 0..100 {
            world.reflect(a, 1, &"x".repeat(BIG));
        }
        assert_eq!(world.closed(a), None);
        assert!(world.mediator.held_bytes() < BIG, "{} bytes for nobody", world.mediator.held_bytes());
        world.send(a, &ClientMessage::CommitTransaction);
        assert!(world.take(a).contains(&ServerMessage::CommitTransactionAck));
    }

    fn with_the_last_other_device_goes_what_was_held_back_for_it(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.send(a, &begin(1));
        world.reflect(a, 1, &"x".repeat(BIG));
        assert!(world.mediator.held_bytes() > BIG);
        world.send(a, &ClientMessage::DropDevice(B));
        assert_eq!(world.closed(b), Some(4113));
        assert!(world.mediator.held_bytes() < BIG, "{} bytes", world.mediator.held_bytes());
    }

    fn dropped_slots_give_their_memory_back(world) {
        world = World::new(world.dialect);
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.take(a);
        let before = world.mediator.held_bytes();
        world.leave(b);
        for _ in 0..50 {
            world.reflect(a, 1, &"x".repeat(BIG));
        }
        assert!(world.mediator.held_bytes() > 50 * BIG);
        world.send(a, &ClientMessage::DropDevice(B));
        assert!(world.mediator.held_bytes() < before, "{} bytes", world.mediator.held_bytes());
        world.leave(a);
        let a = world.login(Login::again(A));
        world.send(a, &ClientMessage::DropDevice(A));
        assert_eq!(world.mediator.held_bytes(), 0, "nothing is left of the last");
    }

    fn the_only_slot_of_a_group_changes_hands_and_what_it_shares_stays(world) {
        world = World::with(world.dialect, MediatorConfig { max_slots: 1, ..MediatorConfig::default() });
        let a = world.login(Login::new(A));
        let shared = Sealed::from_wire(b"shared".to_vec().into());
        world.send(a, &ClientMessage::SetSharedDeviceData(shared.clone()));
        let b = world.try_login(Login { exhausted: ExhaustedPolicy::DropLeastRecent, ..Login::new(B) });
        let messages = world.take(b);
        assert!(matches!(&messages[0], ServerMessage::Info(info) if info.shared_device_data == shared), "{messages:?}");
        assert_eq!(world.closed(a), Some(4113));
    }

    fn a_group_is_forgotten_some_time_after_its_last_login(world) {
        let forget_after = Duration::from_hours(24);
        world = World::with(world.dialect, MediatorConfig { forget_after, ..MediatorConfig::default() });
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.leave(b);
        // One that stays connected keeps the group, and answers pings meanwhile.
        for _ in 0..400 {
            world.pass(Duration::from_mins(5));
            world.input(MediatorInput::Alive { connection: a });
        }
        assert_eq!(removals(&world), []);
        world.leave(a);
        world.pass(Duration::from_hours(23));
        let a = world.login(Login::again(A));
        world.leave(a);
        world.pass(Duration::from_hours(23));
        assert_eq!(removals(&world), [], "counted for the group as a whole, from the last login");
        world.pass(Duration::from_hours(2));
        assert_eq!(removals(&world), [SlotRemoval::Forgotten; 2]);
        assert_eq!(world.mediator.held_bytes(), 0);
        assert_eq!(world.mediator.deadline(), None, "no timer is left behind");
    }

    fn a_client_that_answered_a_ping_must_go_on_answering(world) {
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        for _ in 0..10 {
            world.pass(Duration::from_secs(14));
            world.input(MediatorInput::Pong { connection: a });
        }
        assert_eq!(world.closed(a), None);
        world.pass(Duration::from_secs(31));
        assert_eq!(world.closed(a), Some(4013), "it leads no more");
        assert_eq!(world.closed(b), None, "one that never answers is not closed for that");
        assert!(world.take(b).contains(&ServerMessage::RolePromotedToLeader), "the role moves on");
    }

    fn one_that_is_not_read_from_need_not_answer_pings(world) {
        let a = world.login(Login::new(A));
        world.input(MediatorInput::Pong { connection: a });
        world.set_reads(a, false);
        while !world.is_paused(a) {
            world.send(a, &ClientMessage::GetDevicesInfo);
        }
        world.pass(Duration::from_secs(45));
        assert_eq!(world.closed(a), None);
    }
}

#[test]
fn a_group_too_many_is_told_so_and_known_ones_still_come_in() {
    let mut world = World::with(Dialect::Dgk, MediatorConfig { max_groups: 1, ..MediatorConfig::default() });
    world.login(Login::new(A));
    let stranger = DeviceGroupId([0x55; 32]);
    assert_eq!(world.mediator.admits(&stranger), Err(GroupRefusal::TooManyGroups));
    world.login(Login::new(B));
    let mut full = World::with(Dialect::Dgk, MediatorConfig { max_groups: 0, ..MediatorConfig::default() });
    let late = full.try_login(Login::new(A));
    assert_eq!(full.closed(late), Some(1013), "the last place was taken between the path and the login");
}

#[test]
fn where_all_hold_too_much_the_group_that_holds_most_loses() {
    let config = MediatorConfig { max_memory: 3_000_000, ..MediatorConfig::default() };
    let mut world = World::with(Dialect::Dgk, config);
    let small = world.in_group(1, |world| [A, B].map(|device| world.login(Login::new(device))));
    world.leave(small[1]);
    let greedy = world.in_group(2, |world| [A, B].map(|device| world.login(Login::new(device))));
    world.leave(greedy[1]);
    world.reflect(small[0], 1, &"x".repeat(BIG));
    for _ in 0..100 {
        world.reflect(greedy[0], 1, &"x".repeat(BIG));
        assert!(world.mediator.held_bytes() <= 3_000_000, "{} bytes", world.mediator.held_bytes());
    }
    assert!(world.devices(small[0]).contains_key(&B), "the small one keeps its slots");
    assert!(!world.devices(greedy[0]).contains_key(&B), "the greedy one lost the slot that held most");
    assert_eq!(removals(&world), [SlotRemoval::MemoryLimit]);
    assert_eq!((world.closed(small[0]), world.closed(greedy[0])), (None, None));
}

#[test]
fn ephemeral_messages_never_cost_a_slot() {
    let mut world = limited(Dialect::Dgk, 1_000_000);
    let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
    world.set_reads(b, false);
    for _ in 0..100 {
        world.send(a, &super::reflection(1, &"x".repeat(BIG), true));
    }
    world.reflect(a, 2, "this must be kept");
    assert_eq!(removals(&world), []);
    assert!(world.devices(a).contains_key(&B));
    world.set_reads(b, true);
    let kept: Vec<ServerMessage> = world
        .take(b)
        .into_iter()
        .filter(|message| matches!(message, ServerMessage::Reflected(reflected) if !reflected.ephemeral))
        .collect();
    assert_eq!(kept.len(), 1);
}
