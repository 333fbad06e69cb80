//! [`CarriedState`]: what a session takes from one connection to the next, as plain values, so that it can go on elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::chat::ChatClient;
use super::receipt::SeenNonces;
use super::{ChatClientId, LeaderPolicy, Phase, Presence, Session, SessionConfig, SessionTiming, SlotExpectation};
use crate::group::{KnownDevice, KnownDevices};
use crate::protocol::sealed::Sealable as _;
use crate::protocol::{
    DeviceId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy, GroupKeys, Millis, Nonce, NonceFingerprinter,
    ReflectedId, Sealed, SlotState,
};
use crate::text::Clean;

/// What a session takes from one connection to the next; nothing that only the group may read, which is [`CarriedPrivate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, missing_docs, reason = "each is the part of the session of the same name")]
pub struct CarriedState {
    pub device_id: u64,
    /// The state that is expected, and whether the other one is tried, too: in the settings, and now.
    pub expects: [(CarriedSlot, bool); 2],
    pub is_persistent: bool,
    pub drops_least_recent: bool,
    pub stays_leader: bool,
    /// How long it stays away between visits, if it visits.
    pub visits: Option<Duration>,
    pub read_only: bool,
    pub timing: SessionTiming,
    /// When connecting counts as failed, if it connects; before the first input it does not.
    pub connecting_until: Option<u64>,
    pub connection: u64,
    pub failures: u32,
    pub promotions: u32,
    pub promotions_in_company: u32,
    pub slot_state_refused: bool,
    pub own_drop_sent: bool,
    pub finds_unknown_fields: bool,
    /// Devices that are listed, and such as have left.
    pub known: Option<[Vec<CarriedDevice>; 2]>,
    pub attended_until: u64,
    /// Which chat client waits, if one does.
    pub chat_client: Option<u64>,
    pub last_handled: u64,
    pub precise: Duration,
    pub clock_offset: Option<i64>,
    pub clock_moved: i64,
    /// Of what is told of ignored messages: since when, how many were told, and how many were not.
    pub ignored: (Option<u64>, u32, u64),
    pub received: Vec<(u32, u32)>,
    /// The last nonces; [`None`] if a journal has all there ever were.
    pub nonces: Option<Vec<u128>>,
    pub device_infos: Vec<(u64, Vec<u8>)>,
    pub shared: Option<Vec<u8>>,
    pub takes_messages: bool,
}

/// Which state of its slot a session expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the state of the same name")]
pub enum CarriedSlot {
    New,
    Existing,
}

/// A device that is known; what it says of itself is private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the part of a known device of the same name")]
pub struct CarriedDevice {
    pub id: u64,
    pub is_persistent: Option<bool>,
    pub dropped: bool,
}

/// What only the group may read of what a session takes from one connection to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedPrivate {
    /// What the device tells the others of itself.
    pub device_info: Vec<u8>,
    /// The identity that the devices share: as it is set, and as it is known by now.
    pub identities: [Option<String>; 2],
    /// What the known devices say of themselves, in their order.
    pub infos: Vec<Option<Vec<u8>>>,
}

impl Session {
    /// What it takes to the connection that it makes just now; [`None`] in all other states but before the first input.
    #[must_use]
    pub fn carried(&self) -> Option<(CarriedState, CarriedPrivate)> {
        let connecting_until = match self.phase {
            Phase::Idle => None,
            Phase::Connecting { deadline } => Some(deadline.0),
            _ => return None,
        };
        let chat_client = match self.chat_client {
            ChatClient::Waiting(client) => Some(client.0),
            ChatClient::Absent => None,
            ChatClient::Silent | ChatClient::Heard => return None,
        };
        let config = &self.config;
        let (ignored_since, ignored_told, ignored_unsaid) = self.ignored_limit.parts();
        let (device_infos, shared) = self.stored.parts();
        let carried = CarriedState {
            device_id: config.device_id.0,
            expects: [config.expects, self.expects].map(expectation_parts),
            is_persistent: config.expiration_policy == ExpirationPolicy::Persistent,
            drops_least_recent: config.exhausted_policy == ExhaustedPolicy::DropLeastRecent,
            stays_leader: config.leader_policy == LeaderPolicy::Stay,
            visits: match config.presence {
                Presence::Stay => None,
                Presence::Visit(interval) => Some(interval),
            },
            read_only: config.read_only,
            timing: config.timing,
            connecting_until,
            connection: self.connection,
            failures: self.failures,
            promotions: self.promotions,
            promotions_in_company: self.promotions_in_company,
            slot_state_refused: self.slot_state_refused,
            own_drop_sent: self.own_drop_sent,
            finds_unknown_fields: self.reader.finds_unknown_fields,
            known: self.known.as_ref().map(|known| {
                let parts = |(id, known): (DeviceId, &KnownDevice)| CarriedDevice {
                    id: id.0,
                    is_persistent: known.policy.map(|policy| policy == ExpirationPolicy::Persistent),
                    dropped: known.dropped,
                };
                [known.listed().map(parts).collect(), known.left().map(parts).collect()]
            }),
            attended_until: self.attended_until.0,
            chat_client,
            last_handled: self.last_handled.0,
            precise: self.precise,
            clock_offset: self.clock_offset,
            clock_moved: self.clock_moved,
            ignored: (ignored_since.map(|since| since.0), ignored_told, ignored_unsaid),
            received: self.received.ranges(),
            nonces: match &self.nonces {
                SeenNonces::Recent { order, .. } => Some(order.iter().copied().collect()),
                SeenNonces::Ever { .. } => None,
            },
            device_infos: device_infos.map(|(id, info)| (id.0, info.as_bytes().to_vec())).collect(),
            shared: shared.map(|shared| shared.as_bytes().to_vec()),
            takes_messages: self.takes_messages,
        };
        Some((carried, self.carried_private()))
    }

    fn carried_private(&self) -> CarriedPrivate {
        let dialect = self.dialect();
        let text = |text: &Option<Clean>| text.as_ref().map(|text| text.as_str().to_owned());
        let infos = self.known.iter().flat_map(|known| known.listed().chain(known.left()));
        CarriedPrivate {
            device_info: self.config.device_info.encode(dialect),
            identities: [text(&self.config.identity), text(&self.reader.own_identity)],
            infos: infos.map(|(_, known)| known.info.as_ref().map(|info| info.encode(dialect))).collect(),
        }
    }

    /// Goes on with what a session took along. Without its private part, what only the group may read is missing. Of keys of
    /// another group, all that is sealed stays so.
    #[must_use]
    pub fn going_on(keys: Arc<GroupKeys>, carried: CarriedState, private: CarriedPrivate, random: StdRng) -> Self {
        let dialect = keys.dialect();
        let [set, known_identity] = private.identities.map(|text| text.as_deref().map(Clean::new));
        let [expects, expects_now] = carried.expects.map(expectation);
        let config = SessionConfig {
            device_info: read_info(&private.device_info, dialect).unwrap_or_default(),
            expects,
            expiration_policy: expiration(carried.is_persistent),
            exhausted_policy: if carried.drops_least_recent {
                ExhaustedPolicy::DropLeastRecent
            } else {
                ExhaustedPolicy::Reject
            },
            leader_policy: if carried.stays_leader { LeaderPolicy::Stay } else { LeaderPolicy::GiveUp },
            presence: carried.visits.map_or(Presence::Stay, Presence::Visit),
            read_only: carried.read_only,
            identity: set,
            timing: carried.timing,
            ..SessionConfig::of(keys, DeviceId(carried.device_id))
        };
        let mut session = Self::new(config, random);
        session.reader.own_identity = known_identity;
        session.reader.finds_unknown_fields = carried.finds_unknown_fields;
        session.expects = expects_now;
        if let Some(deadline) = carried.connecting_until {
            session.phase = Phase::Connecting { deadline: Millis(deadline) };
        }
        session.connection = carried.connection;
        session.failures = carried.failures;
        session.promotions = carried.promotions;
        session.promotions_in_company = carried.promotions_in_company;
        session.slot_state_refused = carried.slot_state_refused;
        session.own_drop_sent = carried.own_drop_sent;
        let mut infos = private.infos.into_iter();
        session.known = carried.known.map(|[listed, left]| {
            let mut devices = |parts: Vec<CarriedDevice>| -> Vec<(DeviceId, KnownDevice)> {
                let known = |CarriedDevice { id, is_persistent, dropped }| {
                    let info = infos.next().flatten().and_then(|info| read_info(&info, dialect));
                    (DeviceId(id), KnownDevice { info, policy: is_persistent.map(expiration), dropped })
                };
                parts.into_iter().map(known).collect()
            };
            KnownDevices::kept(devices(listed), devices(left))
        });
        session.attended_until = Millis(carried.attended_until);
        session.chat_client =
            carried.chat_client.map_or(ChatClient::Absent, |client| ChatClient::Waiting(ChatClientId(client)));
        session.last_handled = Millis(carried.last_handled);
        session.precise = carried.precise;
        session.clock_offset = carried.clock_offset;
        session.clock_moved = carried.clock_moved;
        let (since, told, unsaid) = carried.ignored;
        session.ignored_limit = super::RateLimit::of_parts(since.map(Millis), told, unsaid);
        session.received = super::IdRanges::of_ranges(carried.received);
        session.nonces = match carried.nonces {
            Some(nonces) => SeenNonces::Recent {
                known: nonces.iter().copied().collect::<HashSet<_>>(),
                order: VecDeque::from(nonces),
            },
            None => SeenNonces::Ever { fingerprinter: NonceFingerprinter::new([0; 16]), known: BTreeSet::new() },
        };
        let infos = carried.device_infos.into_iter();
        session.stored = super::Stored::of_parts(
            infos.map(|(id, info)| (DeviceId(id), Sealed::from_wire(Bytes::from(info)))).collect::<BTreeMap<_, _>>(),
            carried.shared.map(|shared| Sealed::from_wire(Bytes::from(shared))),
        );
        session.takes_messages = carried.takes_messages;
        session
    }

    /// Goes on with other randomness.
    pub fn reseed(&mut self, random: StdRng) {
        self.random = random;
    }

    /// Lets a session that goes on know of a nonce that the journal had, and whether the message with it comes again, since
    /// an earlier run may not have acknowledged it.
    pub fn remember(&mut self, id: ReflectedId, nonce: Nonce, is_redelivery: bool) {
        if let SeenNonces::Ever { fingerprinter, .. } = &self.nonces {
            let fingerprint = fingerprinter.of(&nonce);
            if is_redelivery {
                self.earlier.expect(id, fingerprint);
            }
            self.nonces.repeats(nonce);
        }
    }

    /// Takes it that these devices have spoken, of messages that this session cannot read.
    pub fn heard_of(&mut self, authors: impl IntoIterator<Item = DeviceId>) {
        if self.online().is_some_and(|online| online.dry_at.is_some()) {
            authors.into_iter().for_each(|author| self.refresh_if_missing(author));
        }
    }
}

const fn expectation_parts(expects: SlotExpectation) -> (CarriedSlot, bool) {
    let state = match expects.state() {
        SlotState::New => CarriedSlot::New,
        SlotState::Existing => CarriedSlot::Existing,
    };
    (state, matches!(expects, SlotExpectation::First(_)))
}

const fn expectation((state, tries_other): (CarriedSlot, bool)) -> SlotExpectation {
    let state = match state {
        CarriedSlot::New => SlotState::New,
        CarriedSlot::Existing => SlotState::Existing,
    };
    if tries_other { SlotExpectation::First(state) } else { SlotExpectation::Only(state) }
}

const fn expiration(is_persistent: bool) -> ExpirationPolicy {
    if is_persistent { ExpirationPolicy::Persistent } else { ExpirationPolicy::Volatile }
}

fn read_info(bytes: &[u8], dialect: Dialect) -> Option<DeviceInfo> {
    DeviceInfo::decode(Bytes::copy_from_slice(bytes), dialect).ok()
}
