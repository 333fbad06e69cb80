//! A store of maps; and that nothing is told before it is there, and all of it is there after a restart.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{A, B, C, Login, World, reflection, texts};
use crate::mediator::{
    Batch, Change, Fetch, GroupPrefixes, Mediator, MediatorConfig, MediatorInput, StoredGroup, StoredMessage,
    StoredSlot, StoredState, queue_bytes,
};
use crate::protocol::{
    ClientMessage, DeviceGroupId, DeviceId, Dialect, ExpirationPolicy, ReflectedId, Sealed, ServerMessage, SlotState,
};

/// What is stored, and what is on its way there.
#[derive(Debug, Default)]
pub(super) struct Store {
    groups: BTreeMap<DeviceGroupId, StoredGroup>,
    messages: BTreeMap<(DeviceGroupId, DeviceId, u64), StoredMessage>,
    pub(super) is_slow: bool,
    waiting: Vec<Batch>,
    moved: Option<GroupPrefixes>,
}

impl Store {
    /// Takes a batch; the number of the last one that is stored now.
    pub(super) fn take(&mut self, batch: Option<Batch>) -> Option<u64> {
        self.waiting.extend(batch);
        if self.is_slow { None } else { self.commit() }
    }

    fn commit(&mut self) -> Option<u64> {
        let waiting = std::mem::take(&mut self.waiting);
        let last = waiting.last()?.number;
        waiting.into_iter().flat_map(|batch| batch.changes).for_each(|change| self.make(change));
        Some(last)
    }

    pub(super) fn fetch(&self, fetch: Fetch) -> Vec<StoredMessage> {
        let Fetch { group, device, from, messages, bytes, .. } = fetch;
        let mut room = bytes;
        let all = self.messages.range((group, device, from)..=(group, device, u64::MAX)).take(messages);
        let mut taken = Vec::new();
        for (_, message) in all {
            if !taken.is_empty() && message.envelope.len() > room {
                break;
            }
            room = room.saturating_sub(message.envelope.len());
            taken.push(message.clone());
        }
        taken
    }

    fn make(&mut self, change: Change) {
        match change {
            Change::LoggedIn { group, device, device_info, policy, at, next } => {
                let new = StoredGroup { id: group, shared_device_data: Sealed::default(), slots: BTreeMap::new() };
                let slots = &mut self.groups.entry(group).or_insert(new).slots;
                let new = StoredSlot {
                    device_info: Sealed::default(),
                    policy,
                    last_login: at,
                    last_disconnect: None,
                    next,
                    messages: 0,
                    bytes: 0,
                };
                let slot = slots.entry(device).or_insert(new);
                (slot.device_info, slot.policy, slot.last_login) = (device_info, policy, at);
            }
            Change::LoggedOut { group, device, at } => self.slot(group, device).last_disconnect = Some(at),
            Change::SlotRemoved { group, device } => {
                self.groups.get_mut(&group).unwrap().slots.remove(&device).unwrap();
                self.messages.retain(|(of, to, _), _| (*of, *to) != (group, device));
            }
            Change::GroupRemoved { group } => {
                assert_eq!(self.groups.remove(&group).unwrap().slots.len(), 0, "slots are removed before");
            }
            Change::SharedDeviceData { group, data } => {
                self.groups.get_mut(&group).unwrap().shared_device_data = data;
            }
            Change::Message { group, timestamp, envelope, to } => {
                for (device, number) in to {
                    let slot = self.slot(group, device);
                    assert!(number >= slot.next, "a number that is used already");
                    slot.next = number + 1;
                    slot.messages += 1;
                    slot.bytes += queue_bytes(&envelope);
                    let message = StoredMessage { number, timestamp, envelope: envelope.clone() };
                    self.messages.insert((group, device, number), message);
                }
            }
            Change::Acknowledged { group, device, first, last, bytes } => {
                for number in first..=last {
                    assert!(self.messages.remove(&(group, device, number)).is_some(), "it is there");
                    self.slot(group, device).messages -= 1;
                }
                self.slot(group, device).bytes -= bytes;
            }
            Change::Moved(prefixes) => self.moved = Some(prefixes),
        }
    }

    fn slot(&mut self, group: DeviceGroupId, device: DeviceId) -> &mut StoredSlot {
        self.groups.get_mut(&group).unwrap().slots.get_mut(&device).unwrap()
    }
}

impl World {
    /// A world with a store, whatever else is configured.
    fn stored(dialect: Dialect, config: MediatorConfig) -> Self {
        Self::with(dialect, MediatorConfig { stores: true, ..config })
    }

    /// The mediator ends without a word, and starts again with what is stored.
    fn crash(&mut self) {
        self.store.waiting.clear();
        let config = self.mediator.config;
        self.mediator = Mediator::new(config);
        let groups = self.store.groups.values().cloned().collect();
        let moved = self.store.moved.unwrap_or(GroupPrefixes::NONE);
        self.mediator.restore(self.now, StoredState { groups, moved });
        self.peers.clear();
        self.logs.clear();
    }

    fn commit(&mut self) {
        if let Some(batch) = self.store.commit() {
            self.input(MediatorInput::Committed { batch });
        }
    }
}

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

fn info(messages: &[ServerMessage]) -> (SlotState, u32) {
    let [ServerMessage::Info(info), ..] = messages else { panic!("no info comes first: {messages:?}") };
    (info.slot_state, info.reflection_queue_length.unwrap_or_default())
}

fn reflected(messages: &[ServerMessage]) -> Vec<(u32, String)> {
    let text = |message: &ServerMessage| match message {
        ServerMessage::Reflected(reflected) => {
            Some((reflected.id.0, String::from_utf8(reflected.envelope.as_bytes().to_vec()).unwrap()))
        }
        _ => None,
    };
    messages.iter().filter_map(text).collect()
}

#[test]
fn nothing_that_rests_on_a_change_is_told_before_that_is_stored() {
    for dialect in DIALECTS {
        let mut world = World::stored(dialect, MediatorConfig::default());
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.take(a);
        let c = world.connect();
        let hello = world.hello(c);
        world.store.is_slow = true;
        world.reflect(a, 1, "m");
        world.send(b, &ClientMessage::GetDevicesInfo);
        let answer = world.answer(&hello, Login::new(C));
        world.send(c, &ClientMessage::Hello(answer));
        world.send(a, &ClientMessage::DropDevice(B));
        for connection in [a, b, c] {
            assert_eq!(world.take(connection), [], "{dialect}");
        }
        assert_eq!(world.closed(b), None, "the drop is not stored yet");
        world.commit();
        let [to_a, to_b, to_c] = [a, b, c].map(|connection| world.take(connection));
        assert!(matches!(to_a[..], [ServerMessage::ReflectAck { .. }, ServerMessage::DropDeviceAck(B)]), "{to_a:?}");
        assert!(matches!(to_b[..], [ServerMessage::Reflected(_), ServerMessage::DevicesInfo(_)]), "{to_b:?}");
        assert_eq!(world.closed(b), Some(4_113));
        assert_eq!(info(&to_c), (SlotState::New, 0));
        // Only what tells of changes waits; afterwards nothing does.
        world.send(a, &ClientMessage::GetDevicesInfo);
        assert!(matches!(world.take(a)[..], [ServerMessage::DevicesInfo(_)]));
    }
}

#[test]
fn a_crash_costs_nothing_that_was_acknowledged() {
    for dialect in DIALECTS {
        let mut world = World::stored(dialect, MediatorConfig::default());
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.login(Login { expiration: ExpirationPolicy::Volatile, ..Login::new(C) });
        world.send(a, &ClientMessage::SetSharedDeviceData(Sealed::from_wire("shared".into())));
        for (id, text) in (1..).zip(["one", "two", "three", "four"]) {
            world.now.0 += 10;
            world.reflect(a, id, text);
        }
        let before = world.take_reflected(b);
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(2)));
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(1)));
        world.send(a, &ClientMessage::BeginTransaction { scope: Sealed::default(), ttl: None });
        world.reflect(a, 5, "under the lock");
        world.store.is_slow = true;
        world.reflect(b, 6, "not stored");
        world.crash();
        world.store.is_slow = false;
        world.now.0 += 1_000;

        let b = world.try_login(Login::again(B));
        let messages = world.take(b);
        assert_eq!(info(&messages), (SlotState::Existing, 2), "{dialect}");
        assert!(matches!(&messages[0], ServerMessage::Info(info) if info.shared_device_data.as_bytes() == "shared"));
        let after: Vec<_> = messages.iter().filter(|message| matches!(message, ServerMessage::Reflected(_))).collect();
        let expected: Vec<_> = before[2..].iter().cloned().map(ServerMessage::Reflected).collect();
        assert_eq!(after, expected.iter().collect::<Vec<_>>(), "same ids, order and times");
        assert_eq!(messages.last(), Some(&ServerMessage::RolePromotedToLeader));
        assert_eq!(
            info(&{
                let a = world.try_login(Login::again(A));
                world.take(a)
            }),
            (SlotState::Existing, 0),
            "what b reflected was never acknowledged"
        );
        // The lock is free, and numbers go on.
        world.send(b, &ClientMessage::BeginTransaction { scope: Sealed::default(), ttl: None });
        assert_eq!(world.take(b), [ServerMessage::BeginTransactionAck]);
        world.send(b, &ClientMessage::CommitTransaction);
        world.pass(Duration::from_mins(4));
        assert_eq!(world.devices(b).len(), 3, "the grace of the volatile one began anew");
        world.pass(Duration::from_mins(2));
        assert_eq!(world.devices(b).len(), 2);
    }
}

#[test]
fn of_a_long_queue_only_a_window_is_in_memory_and_all_of_it_comes() {
    for dialect in DIALECTS {
        let mut world = World::stored(dialect, MediatorConfig::default());
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.take(b);
        world.leave(b);
        let text = |id: u32| format!("{id} {}", "m".repeat(1_000));
        for id in 1..=3_000 {
            world.reflect(a, id, &text(id));
        }
        world.take(a);
        let idle = world.mediator.held_bytes();
        assert!(idle < 100_000, "{idle} bytes are held for a device that is not there");
        let b = world.try_login(Login::again(B));
        let mut all = reflected(&world.take(b));
        assert_eq!(all.len(), 3_000, "{dialect}");
        assert!(
            world.mediator.held_bytes() - idle < 400_000,
            "{} bytes for what was sent",
            world.mediator.held_bytes()
        );
        // One that reads nothing is sent a window, and what comes meanwhile stays in the store.
        world.set_reads(b, false);
        for id in 3_001..=6_000 {
            world.reflect(a, id, &text(id));
        }
        assert!(world.mediator.held_bytes() - idle < 4_000_000, "{} bytes are held", world.mediator.held_bytes());
        // An ephemeral one keeps its place.
        world.send(a, &reflection(0, "ephemeral", true));
        world.reflect(a, 6_001, &text(6_001));
        world.set_reads(b, true);
        all.extend(reflected(&world.take(b)));
        let expected = (1..=6_000).map(|id| (id, text(id)));
        let expected = expected.chain([(6_001, "ephemeral".to_owned()), (6_002, text(6_001))]).collect::<Vec<_>>();
        assert!(all == expected, "{dialect}: {} of 6002 messages, in order", all.len());
        // In `mk` nothing is ephemeral.
        for (id, _) in all.iter().filter(|(_, text)| text != "ephemeral" || dialect == Dialect::Mk) {
            world.send(b, &ClientMessage::ReflectedAck(ReflectedId(*id)));
        }
        assert!(world.store.messages.is_empty(), "{:?} {:?}", world.store.messages.keys().next(), world.closed(b));
        world.send(b, &ClientMessage::ReflectedAck(ReflectedId(1)));
        assert_eq!(world.closed(b), Some(4_012), "twice");
    }
}

#[test]
fn the_bounds_of_a_queue_hold_for_what_is_stored() {
    for dialect in DIALECTS {
        let config = MediatorConfig { queue_bytes: 1_000, queue_limit: 5, ..MediatorConfig::default() };
        for (text, fits) in [("m", 5), (&*"m".repeat(200), 3)] {
            let mut world = World::stored(dialect, config);
            let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
            world.leave(b);
            (1..=fits).for_each(|id| world.reflect(a, id, text));
            assert_eq!(world.devices(a).len(), 2, "{dialect} {text}");
            world.crash();
            let a = world.login(Login::again(A));
            world.reflect(a, 9, text);
            assert_eq!(world.devices(a).len(), 1, "{dialect} {text}");
            assert!(world.store.messages.is_empty());
        }
    }
}

#[test]
fn a_group_is_forgotten_when_it_was_not_used_for_long_whatever_was_restarted() {
    for dialect in DIALECTS {
        let config = MediatorConfig { forget_after: Duration::from_hours(10), ..MediatorConfig::default() };
        let mut world = World::stored(dialect, config);
        let a = world.login(Login::new(A));
        world.leave(a);
        world.pass(Duration::from_hours(6));
        world.crash();
        world.pass(Duration::from_hours(3));
        assert_eq!(world.store.groups.len(), 1);
        world.crash();
        world.pass(Duration::from_hours(2));
        assert_eq!(world.store.groups.len(), 0, "{dialect}");
    }
}

#[test]
fn the_end_stores_who_left_and_closes_when_that_is_done() {
    for dialect in DIALECTS {
        let mut world = World::stored(dialect, MediatorConfig::default());
        let [a, b] = [A, B].map(|device| world.login(Login::new(device)));
        world.take(b);
        world.store.is_slow = true;
        world.reflect(a, 1, "last");
        world.now.0 += 5;
        world.input(MediatorInput::Shutdown);
        assert_eq!((world.closed(a), world.take_reflected(b).len()), (None, 0));
        world.commit();
        assert_eq!((world.closed(a), world.closed(b)), (Some(1_001), Some(1_001)));
        assert_eq!(texts(&world.take_reflected(b)), ["last"]);
        let group = world.store.groups.values().next().unwrap();
        assert!(group.slots.values().all(|slot| slot.last_disconnect == Some(world.now)), "{group:?}");
    }
}
