//! What whoever runs the mediator asks of it.

use std::time::Duration;

use bytes::Bytes;

use super::lock::begin;
use super::{A, B, Login, World, in_both_dialects};
use crate::mediator::{
    GroupPrefixes, GroupRefusal, LogEvent, MediatorConfig, MediatorInput, OperationId, OperatorAnswer, OperatorRefusal,
    OperatorRequest, SlotRemoval,
};
use crate::protocol::{ClientMessage, DeviceGroupId, DeviceId, Dialect, Sealed};

const NONE: GroupPrefixes = GroupPrefixes::NONE;

impl World {
    fn operate(&mut self, request: OperatorRequest) -> OperatorAnswer {
        let operation = OperationId(1);
        self.input(MediatorInput::Operate { operation, request });
        assert_eq!(self.operated.len(), 1, "one answer");
        self.operated.remove(0).1
    }

    fn group(&self) -> DeviceGroupId {
        self.keys.device_group_id()
    }

    fn drop_device(&mut self, device: DeviceId) -> OperatorAnswer {
        self.operate(OperatorRequest::DropDevice { group: self.group(), device })
    }

    fn forget_group(&mut self) -> OperatorAnswer {
        self.operate(OperatorRequest::ForgetGroup { group: self.group() })
    }
}

in_both_dialects! {
    fn a_device_that_the_operator_drops_loses_its_slot_and_no_other_does(world) {
        let (first, second) = (world.login(Login::new(A)), world.login(Login::new(B)));
        assert_eq!(world.drop_device(A), Ok(NONE));
        assert_eq!(world.closed(first), Some(4113));
        assert!(world.logs.contains(&LogEvent::SlotRemoved { group: world.group(), device: A, cause: SlotRemoval::ByOperator }));
        world.take(second);
        assert_eq!(world.devices(second).keys().copied().collect::<Vec<_>>(), [B]);
        assert_eq!(world.drop_device(A), Err(OperatorRefusal::NoSuchDevice));
        assert_eq!(world.drop_device(B), Ok(NONE));
        assert_eq!(world.drop_device(B), Err(OperatorRefusal::NoSuchGroup), "it went with its last device");
        assert_eq!(world.mediator.held_bytes(), 0);
    }

    fn a_group_that_the_operator_forgets_is_gone_with_all_it_had(world) {
        let (first, second) = (world.login(Login::new(A)), world.login(Login::new(B)));
        let data = ClientMessage::SetSharedDeviceData(Sealed::from_wire(Bytes::from_static(b"shared")));
        world.send(first, &begin(None));
        world.send(first, &data);
        let other = world.in_group(8, |world| world.login(Login::new(A)));
        assert_eq!(world.forget_group(), Ok(NONE));
        assert_eq!((world.closed(first), world.closed(second), world.closed(other)), (Some(4113), Some(4113), None));
        assert_eq!(world.forget_group(), Err(OperatorRefusal::NoSuchGroup));
        assert_eq!(world.mediator.status().groups.len(), 1, "the other one stays");
        let again = world.login(Login::new(A));
        assert_eq!(world.devices(again).len(), 1);
    }

    fn the_state_of_groups_tells_who_is_there_what_waits_and_who_holds_the_lock(world) {
        let first = world.login(Login::new(A));
        let second = world.login(Login::new(B));
        world.leave(second);
        world.reflect(first, 1, "waits");
        world.send(first, &begin(None));
        world.reflect(first, 2, "held back");
        world.pass(Duration::from_millis(500));
        world.input(MediatorInput::Timer);
        let [group] = world.mediator.status().groups.try_into().unwrap();
        assert_eq!((group.id, group.leader), (world.group(), Some(A)));
        let lock = group.lock.unwrap();
        assert_eq!((lock.holder, lock.messages, lock.bytes), (A, 1, 128 + "held back".len()));
        assert_eq!(lock.left + Duration::from_millis(500), world.mediator.config.max_ttl);
        let [a, b] = group.devices.try_into().unwrap();
        assert_eq!((a.device, a.connection, a.messages), (A, Some(first), 0));
        assert_eq!((b.device, b.connection, b.messages, b.bytes), (B, None, 1, 128 + "waits".len()));
    }

    fn groups_that_are_given_up_are_refused_until_they_are_taken_back_or_taken_in_again(world) {
        let all = GroupPrefixes::ALL;
        let connection = world.login(Login::new(A));
        let waits = world.connect();
        assert_eq!(world.operate(OperatorRequest::GiveUp(all)), Ok(all));
        assert_eq!((world.closed(connection), world.closed(waits)), (Some(1012), Some(1012)));
        assert_eq!(world.mediator.admits(&world.group()), Err(GroupRefusal::Elsewhere));
        let late = world.try_login(Login::again(A));
        assert_eq!(world.closed(late), Some(1013), "after the request");
        assert_eq!(world.operate(OperatorRequest::GiveUp(all)), Err(OperatorRefusal::Busy(all)));
        assert_eq!(world.operate(OperatorRequest::TakeBack { prefixes: all, served: all }), Ok(NONE));
        let again = world.login(Login::again(A));

        assert_eq!(world.operate(OperatorRequest::GiveUp(all)), Ok(all));
        assert_eq!(world.closed(again), Some(1012));
        assert_eq!(world.operate(OperatorRequest::Discard(all)), Ok(NONE));
        let status = world.mediator.status();
        assert_eq!((status.groups.len(), status.moved, world.mediator.held_bytes()), (0, all, 0));
        assert_eq!(world.mediator.admits(&world.group()), Err(GroupRefusal::Elsewhere), "as another one has it");

        let groups = vec![world.group()];
        assert_eq!(world.operate(OperatorRequest::Expect { prefixes: all, groups: groups.clone() }), Ok(NONE));
        assert_eq!(world.operate(OperatorRequest::Decline(all)), Ok(NONE));
        assert_eq!(world.operate(OperatorRequest::Expect { prefixes: all, groups: groups.clone() }), Ok(NONE));
        assert_eq!(world.mediator.admits(&groups[0]), Err(GroupRefusal::Elsewhere), "it is not here yet");
        assert_eq!(world.operate(OperatorRequest::Take { prefixes: all, groups: Vec::new() }), Ok(NONE));
        world.login(Login::new(A));
        let expected = world.operate(OperatorRequest::Expect { prefixes: all, groups });
        assert!(matches!(expected, Err(OperatorRefusal::Exists(_))), "{expected:?}");
    }
}

/// An operator who is told that it is done can rely on it.
#[test]
fn what_was_done_is_told_once_it_is_stored() {
    let config = MediatorConfig { stores: true, ..Default::default() };
    let mut world = World::with(Dialect::Dgk, config);
    let connection = world.login(Login::new(A));
    world.store.is_slow = true;
    let request = OperatorRequest::DropDevice { group: world.group(), device: A };
    world.input(MediatorInput::Operate { operation: OperationId(7), request });
    assert!(world.operated.is_empty() && world.closed(connection).is_none(), "nothing is told before");
    world.store.is_slow = false;
    world.input(MediatorInput::Timer);
    assert_eq!((world.operated.remove(0), world.closed(connection)), ((OperationId(7), Ok(NONE)), Some(4113)));
    world.input(MediatorInput::Shutdown);
    let request = OperatorRequest::ForgetGroup { group: world.group() };
    assert_eq!(world.operate(request), Err(OperatorRefusal::ShuttingDown));
}
