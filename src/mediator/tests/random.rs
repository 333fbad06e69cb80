//! Anything at all, from several connections, with time passing at random: what must hold, holds.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Login, World, reflection};
use crate::mediator::group::HostedGroup;
use crate::mediator::{ConnectionId, MediatorConfig, MediatorInput};
use crate::protocol::{
    ClientMessage, DeviceId, Dialect, ExhaustedPolicy, ExpirationPolicy, ReflectedId, Sealed, ServerMessage, SlotState,
};

const SLOTS: usize = 3;
const LIMIT: usize = 8;
const QUEUE_BYTES: usize = 1_000;
const MEMORY: usize = 12_000;

#[derive(Clone, Debug)]
enum Step {
    Login { device: u64, pushing: bool, volatile: bool },
    Message(usize, ClientMessage),
    AckOldest(usize),
    Bytes(usize, Vec<u8>),
    Text(usize),
    Leave(usize),
    Reads(usize, bool),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..6_usize;
    let message = prop_oneof![
        4 => (any::<bool>(), 0..4_u32).prop_map(|(ephemeral, id)| reflection(id, &"m".repeat(40 * id as usize), ephemeral)),
        1 => (0..20_u32).prop_map(|id| ClientMessage::ReflectedAck(ReflectedId(id))),
        2 => Just(ClientMessage::GetDevicesInfo),
        1 => (1..6_u64).prop_map(|device| ClientMessage::DropDevice(DeviceId(device))),
        2 => Just(ClientMessage::BeginTransaction { scope: Sealed::default(), ttl: Some(Duration::from_secs(7)) }),
        2 => Just(ClientMessage::CommitTransaction),
        1 => Just(ClientMessage::SetSharedDeviceData(Sealed::default())),
        1 => Just(ClientMessage::Proxy(Bytes::new())),
    ];
    prop_oneof![
        6 => (1..6_u64, any::<bool>(), any::<bool>())
            .prop_map(|(device, pushing, volatile)| Step::Login { device, pushing, volatile }),
        12 => (who.clone(), message).prop_map(|(who, message)| Step::Message(who, message)),
        6 => who.clone().prop_map(Step::AckOldest),
        1 => (who.clone(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(who, bytes)| Step::Bytes(who, bytes)),
        1 => who.clone().prop_map(Step::Text),
        2 => who.clone().prop_map(Step::Leave),
        2 => (who, any::<bool>()).prop_map(|(who, reads)| Step::Reads(who, reads)),
        2 => (0..400_000_u64).prop_map(Step::Pass),
    ]
}

/// One connection as a client sees it, from the login on.
#[derive(Default)]
struct Seen {
    outstanding: Vec<ReflectedId>,
    last: Option<ReflectedId>,
    dry: bool,
    leader: bool,
}

struct Play {
    world: World,
    connections: Vec<(ConnectionId, Seen)>,
}

impl Play {
    fn new(dialect: Dialect, stores: bool) -> Self {
        let config = MediatorConfig {
            stores,
            max_slots: SLOTS,
            queue_limit: LIMIT,
            queue_bytes: QUEUE_BYTES,
            max_memory: MEMORY,
            ..MediatorConfig::default()
        };
        Self { world: World::with(dialect, config), connections: Vec::new() }
    }

    fn pick(&self, who: usize) -> Option<ConnectionId> {
        let open: Vec<_> = self.connections.iter().filter(|(id, _)| self.world.closed(*id).is_none()).collect();
        open.get(who % open.len().max(1)).map(|(id, _)| *id)
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Login { device, pushing, volatile } => {
                let device = DeviceId(device);
                let known = self.world.mediator.groups.values().any(|group| group.slots.contains_key(&device));
                let login = Login {
                    expect: if known { SlotState::Existing } else { SlotState::New },
                    exhausted: if pushing { ExhaustedPolicy::DropLeastRecent } else { ExhaustedPolicy::Reject },
                    expiration: if volatile { ExpirationPolicy::Volatile } else { ExpirationPolicy::Persistent },
                    ..Login::new(device)
                };
                let connection = self.world.try_login(login);
                self.connections.push((connection, Seen::default()));
            }
            Step::Pass(milliseconds) => self.world.pass(Duration::from_millis(milliseconds)),
            Step::Message(who, message) => {
                if let ClientMessage::ReflectedAck(acknowledged) = &message {
                    self.forget(who, *acknowledged);
                }
                self.with(who, |world, id| world.send(id, &message));
            }
            Step::Bytes(who, bytes) => {
                self.with(who, |world, connection| {
                    world.input(MediatorInput::Frame { connection, bytes: bytes.into() });
                });
            }
            Step::Text(who) => self.with(who, |world, connection| world.input(MediatorInput::Text { connection })),
            Step::Leave(who) => self.with(who, World::leave),
            Step::Reads(who, reads) => self.with(who, |world, id| world.set_reads(id, reads)),
            Step::AckOldest(who) => {
                let Some(id) = self.pick(who) else { return };
                let seen = self.connections.iter_mut().find(|(connection, _)| *connection == id);
                let Some((_, seen)) = seen.filter(|(_, seen)| !seen.outstanding.is_empty()) else { return };
                let oldest = seen.outstanding.remove(0);
                self.world.send(id, &ClientMessage::ReflectedAck(oldest));
                assert_ne!(self.world.closed(id), Some(4012), "what was sent may be acknowledged");
            }
        }
    }

    /// What is acknowledged by chance must not be acknowledged again.
    fn forget(&mut self, who: usize, acknowledged: ReflectedId) {
        let id = self.pick(who);
        let seen = self.connections.iter_mut().find(|(connection, _)| Some(*connection) == id);
        if let Some((_, seen)) = seen {
            seen.outstanding.retain(|outstanding| *outstanding != acknowledged);
        }
    }

    fn with(&mut self, who: usize, act: impl FnOnce(&mut World, ConnectionId)) {
        if let Some(id) = self.pick(who) {
            act(&mut self.world, id);
        }
    }

    /// What clients see: ids rise, Dry comes once and before the role.
    fn observe(&mut self) {
        for (id, seen) in &mut self.connections {
            for message in self.world.take(*id) {
                match message {
                    ServerMessage::Reflected(reflected) => {
                        assert!(seen.last.is_none_or(|last| last < reflected.id), "ids must rise");
                        seen.last = Some(reflected.id);
                        if !reflected.ephemeral {
                            seen.outstanding.push(reflected.id);
                        }
                    }
                    ServerMessage::ReflectionQueueDry => {
                        assert!(!seen.dry, "dry twice");
                        seen.dry = true;
                    }
                    ServerMessage::RolePromotedToLeader => {
                        assert!(seen.dry && !seen.leader, "promoted before dry, or twice");
                        seen.leader = true;
                    }
                    _ => {}
                }
            }
        }
    }

    fn check(&self) {
        let mediator = &self.world.mediator;
        assert!(mediator.held_bytes() <= MEMORY, "{} bytes are held", mediator.held_bytes());
        let counted: usize = mediator.groups.values().map(HostedGroup::bytes).sum();
        assert_eq!(mediator.counted, counted, "the groups' bytes as counted, and as they are");
        let open = || self.connections.iter().filter(|(id, _)| self.world.closed(*id).is_none());
        let leaders = open().filter(|(_, seen)| seen.leader).count();
        let dry = open().filter(|(_, seen)| seen.dry).count();
        assert_eq!(leaders, usize::from(dry > 0), "{dry} devices are dry, {leaders} lead");
        for group in self.world.mediator.groups.values() {
            assert!((1..=SLOTS).contains(&group.slots.len()), "{} slots", group.slots.len());
            for slot in group.slots.values() {
                assert!(slot.queue.waiting() <= LIMIT, "a queue is over the limit");
                assert!(slot.queue.bytes() <= QUEUE_BYTES, "{} bytes are in a queue", slot.queue.bytes());
                let connection = slot.connection();
                assert!(connection.is_none_or(|id| self.world.closed(id).is_none()), "a slot with a dead connection");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happens_the_rules_hold(mk in any::<bool>(), stores in any::<bool>(), steps in prop::collection::vec(step(), 1..80)) {
        let mut play = Play::new(if mk { Dialect::Mk } else { Dialect::Dgk }, stores);
        for step in steps {
            play.act(step);
            play.observe();
            play.check();
        }
    }
}
