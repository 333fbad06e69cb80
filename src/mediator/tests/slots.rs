//! Who has a slot, who loses it, and what the device list says.

use std::time::Duration;

use super::{A, B, C, Login, World, in_both_dialects, info_of};
use crate::mediator::{LogEvent, MediatorConfig, MediatorInput, SlotRemoval};
use crate::protocol::{
    ClientMessage, DeviceActivity, DeviceId, Dialect, ExhaustedPolicy, ExpirationPolicy, Sealed, ServerMessage,
    SlotState,
};

fn fill(world: &mut World) -> Vec<crate::mediator::ConnectionId> {
    (1..=5)
        .map(|device| {
            world.pass(Duration::from_secs(1));
            world.login(Login::new(DeviceId(device)))
        })
        .collect()
}

const fn pushing(device: DeviceId) -> Login {
    Login { exhausted: ExhaustedPolicy::DropLeastRecent, ..Login::new(device) }
}

in_both_dialects! {
    fn a_sixth_device_is_refused(world) {
        let connections = fill(&mut world);
        let sixth = world.try_login(Login::new(DeviceId(6)));
        assert_eq!(world.closed(sixth), Some(4111));
        assert_eq!(world.devices(connections[0]).len(), 5);
        assert!(!world.devices(connections[0]).contains_key(&DeviceId(6)));
    }

    fn a_pushing_device_takes_the_slot_of_the_one_that_left_first(world) {
        let connections = fill(&mut world);
        world.leave(connections[3]);
        world.pass(Duration::from_secs(1));
        world.leave(connections[1]);
        let sixth = world.login(pushing(DeviceId(6)));
        let devices: Vec<u64> = world.devices(sixth).keys().map(|id| id.0).collect();
        assert_eq!(devices, [1, 2, 3, 5, 6]);
    }

    fn a_pushing_device_takes_the_oldest_login_if_all_are_connected(world) {
        let connections = fill(&mut world);
        let sixth = world.login(pushing(DeviceId(6)));
        assert_eq!(world.closed(connections[0]), Some(4113));
        let devices: Vec<u64> = world.devices(sixth).keys().map(|id| id.0).collect();
        assert_eq!(devices, [2, 3, 4, 5, 6]);
        assert_eq!(world.take(connections[1]).last(), Some(&ServerMessage::RolePromotedToLeader));
    }

    fn the_younger_of_two_connections_of_a_device_stays(world) {
        let older = world.login(Login::new(A));
        let younger = world.try_login(Login::again(A));
        assert_eq!(world.closed(older), Some(4112));
        let messages = world.take(younger);
        assert!(matches!(&messages[0], ServerMessage::Info(info) if info.slot_state == SlotState::Existing));
        assert_eq!(messages.last(), Some(&ServerMessage::RolePromotedToLeader));
        assert_eq!(world.devices(younger).len(), 1);
    }

    fn a_failed_second_login_leaves_the_first_alone(world) {
        let first = world.login(Login::new(A));
        let second = world.try_login(Login { version: 9, ..Login::again(A) });
        assert_eq!((world.closed(first), world.closed(second)), (None, Some(4110)));
    }

    fn a_volatile_slot_outlives_its_connection_by_the_grace(world) {
        let a = world.login(Login::new(A));
        let volatile = Login { expiration: ExpirationPolicy::Volatile, ..Login::new(B) };
        let b = world.login(volatile);
        world.leave(b);
        world.pass(Duration::from_secs(299));
        let b = world.login(Login { expect: SlotState::Existing, ..volatile });
        world.input(MediatorInput::Alive { connection: a });
        world.pass(Duration::from_mins(5));
        assert!(world.devices(a).contains_key(&B), "a connected volatile device keeps its slot");
        world.leave(b);
        world.input(MediatorInput::Alive { connection: a });
        world.pass(Duration::from_secs(299));
        assert!(world.devices(a).contains_key(&B));
        world.pass(Duration::from_secs(1));
        assert!(!world.devices(a).contains_key(&B));
        let expired = |event: &LogEvent| matches!(event, LogEvent::SlotRemoved { device: B, cause: SlotRemoval::Expired, .. });
        assert!(world.logs.iter().any(expired));
    }

    fn a_volatile_device_that_comes_back_to_stay_stays(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login { expiration: ExpirationPolicy::Volatile, ..Login::new(B) });
        world.leave(b);
        let b = world.login(Login::again(B));
        world.leave(b);
        world.send(a, &ClientMessage::Proxy(bytes::Bytes::new()));
        world.pass(Duration::from_secs(599));
        assert!(world.devices(a).contains_key(&B));
    }

    fn a_group_without_slots_is_forgotten(world) {
        let b = world.login(Login { expiration: ExpirationPolicy::Volatile, ..Login::new(B) });
        world.leave(b);
        world.pass(Duration::from_mins(5));
        assert!(world.mediator.groups.is_empty());
        assert_eq!(world.mediator.deadline(), None);
    }

    fn the_list_has_every_slot_as_it_was_told(world) {
        let login_a = world.now;
        let a = world.login(Login::new(A));
        world.pass(Duration::from_secs(5));
        let login_b = world.now;
        let b = world.login(Login { expiration: ExpirationPolicy::Volatile, ..Login::new(B) });
        world.pass(Duration::from_secs(5));
        let left_b = world.now;
        world.leave(b);
        let devices = world.devices(a);
        assert_eq!(devices.len(), 2);
        assert_eq!(devices[&B].device_info.as_bytes(), &info_of(B));
        assert_eq!(devices[&A].expiration_policy, Some(ExpirationPolicy::Persistent));
        assert_eq!(devices[&B].expiration_policy, Some(ExpirationPolicy::Volatile));
        let expected = match world.dialect {
            Dialect::Mk => [DeviceActivity::LastLogin(login_a), DeviceActivity::LastLogin(login_b)],
            Dialect::Dgk => [DeviceActivity::ConnectedSince(login_a), DeviceActivity::LastDisconnect(left_b)],
        };
        assert_eq!([devices[&A].activity, devices[&B].activity], expected);
    }

    fn shared_device_data_comes_with_every_later_login(world) {
        let a = world.login(Login::new(A));
        let data = crate::protocol::Sealed::from_wire(bytes::Bytes::from_static(b"sealed shared data"));
        world.send(a, &ClientMessage::SetSharedDeviceData(data.clone()));
        assert_eq!(world.take(a), [], "there is no acknowledgement");
        let b = world.try_login(Login::new(B));
        assert!(matches!(&world.take(b)[0], ServerMessage::Info(info) if info.shared_device_data == data));
    }

    fn the_largest_shared_device_data_fits_into_a_login_and_larger_is_refused(world) {
        let largest = 65_536 - 64;
        let share = |length| ClientMessage::SetSharedDeviceData(Sealed::from_wire(bytes::Bytes::from(vec![1; length])));
        let a = world.login(Login::new(A));
        world.send(a, &share(largest));
        assert_eq!(world.closed(a), None);
        let b = world.try_login(Login::new(B));
        let first = world.take(b).swap_remove(0);
        assert!(matches!(first, ServerMessage::Info(info) if info.shared_device_data.len() == largest));
        world.send(b, &share(largest + 1));
        assert_eq!(world.closed(b), Some(4010), "no login could hand it out");
    }

    fn a_drop_is_acknowledged_before_the_device_is_thrown_out(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.take(a);
        world.send(a, &ClientMessage::DropDevice(B));
        assert_eq!(world.take(a), [ServerMessage::DropDeviceAck(B)]);
        assert_eq!(world.closed(b), Some(4113));
        assert_eq!(world.devices(a).len(), 1);
        let b = world.try_login(Login::again(B));
        match world.dialect {
            Dialect::Dgk => assert_eq!(world.closed(b), Some(4115)),
            Dialect::Mk => assert_eq!(world.closed(b), None),
        }
    }

    fn a_dropped_offline_device_loses_its_queue(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.leave(b);
        world.reflect(a, 1, "for b");
        world.send(a, &ClientMessage::DropDevice(B));
        let b = world.try_login(Login::new(B));
        assert!(matches!(world.take(b).as_slice(), [ServerMessage::Info(_), ServerMessage::ReflectionQueueDry]));
    }

    fn a_device_may_drop_itself(world) {
        let a = world.login(Login::new(A));
        let b = world.login(Login::new(B));
        world.take(a);
        world.send(a, &ClientMessage::DropDevice(A));
        assert_eq!(world.take(a), [ServerMessage::DropDeviceAck(A)]);
        assert_eq!(world.closed(a), Some(4113));
        assert_eq!(world.devices(b).len(), 1);
        world.send(b, &ClientMessage::DropDevice(B));
        assert!(world.mediator.groups.is_empty());
    }

    fn an_unknown_device_is_dropped_with_an_acknowledgement(world) {
        let a = world.login(Login::new(A));
        world.take(a);
        world.send(a, &ClientMessage::DropDevice(C));
        assert_eq!(world.take(a), [ServerMessage::DropDeviceAck(C)]);
    }
}

#[test]
fn the_expected_slot_state_is_checked_before_anything_is_registered() {
    let mut world = World::new(Dialect::Dgk);
    let unknown = world.try_login(Login::again(A));
    assert_eq!(world.closed(unknown), Some(4115));
    assert!(world.mediator.groups.is_empty());
    let first = world.login(Login::new(A));
    let second = world.try_login(Login::new(A));
    assert_eq!((world.closed(first), world.closed(second)), (None, Some(4115)));
}

#[test]
fn the_seeds_clients_need_not_know_their_slot_state() {
    let mut world = World::new(Dialect::Mk);
    let first = world.login(Login::new(A));
    world.leave(first);
    let second = world.try_login(Login::new(A));
    assert_eq!(world.closed(second), None);
}

#[test]
fn both_dialects_meet_in_one_group() {
    let mut world = World::new(Dialect::Dgk);
    let today = world.login(Login::new(A));
    let seed = world.connect_as(Dialect::Mk);
    let hello = world.hello(seed);
    let answer = world.answer(&hello, Login::new(B));
    world.send(seed, &ClientMessage::Hello(answer));
    assert!(matches!(world.devices(today)[&B].activity, DeviceActivity::ConnectedSince(_)));
    assert!(matches!(world.devices(seed)[&A].activity, DeviceActivity::LastLogin(_)));
    world.take(seed);
    world.reflect(today, 1, "across");
    assert_eq!(super::texts(&world.take_reflected(seed)), ["across"]);
}

#[test]
fn no_slots_at_all_means_that_nobody_logs_in() {
    let mut world = World::with(Dialect::Dgk, MediatorConfig { max_slots: 0, ..MediatorConfig::default() });
    let a = world.try_login(pushing(A));
    assert_eq!(world.closed(a), Some(4111));
}
