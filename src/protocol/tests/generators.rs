//! Arbitrary values, as far as a dialect can carry them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::protocol::d2d::{ContentKind, Conversation, MessageDraft, MessageType, Platform, SyncAction};
use crate::protocol::proto::{common, d2d_sync};
use crate::protocol::*;
use crate::text::Clean;

pub(super) fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Mk), Just(Dialect::Dgk)]
}

pub(super) fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..=most).prop_map(Bytes::from)
}

pub(super) fn nonce() -> impl Strategy<Value = Nonce> {
    any::<[u8; 24]>().prop_map(Nonce)
}

fn clean() -> impl Strategy<Value = Clean> {
    "\\PC{0,20}|[\u{0}-\u{ff}]{0,8}".prop_map(|text| Clean::new(&text))
}

fn device_id() -> impl Strategy<Value = DeviceId> {
    any::<u64>().prop_map(DeviceId)
}

fn millis() -> impl Strategy<Value = Millis> {
    any::<u64>().prop_map(Millis)
}

fn message_id() -> impl Strategy<Value = MessageId> {
    any::<u64>().prop_map(MessageId)
}

fn sealed<T: std::fmt::Debug>() -> impl Strategy<Value = Sealed<T>> {
    bytes(200).prop_map(Sealed::from_wire)
}

fn policy() -> impl Strategy<Value = ExpirationPolicy> {
    prop_oneof![Just(ExpirationPolicy::Volatile), Just(ExpirationPolicy::Persistent)]
}

fn slot_state() -> impl Strategy<Value = SlotState> {
    prop_oneof![Just(SlotState::New), Just(SlotState::Existing)]
}

/// 72 bytes, for which there is no ready-made strategy.
fn response() -> impl Strategy<Value = ChallengeResponse> {
    vec(any::<u8>(), 72).prop_map(|bytes| ChallengeResponse(bytes.try_into().unwrap()))
}

fn client_hello(dialect: Dialect) -> impl Strategy<Value = ClientHello> {
    let exhausted = prop_oneof![Just(ExhaustedPolicy::Reject), Just(ExhaustedPolicy::DropLeastRecent)];
    (any::<u32>(), response(), device_id(), exhausted, policy(), slot_state(), sealed()).prop_map(
        move |(version, response, device_id, exhausted_policy, expiration_policy, expected, device_info)| ClientHello {
            version,
            response,
            device_id,
            exhausted_policy,
            expiration_policy,
            expected_slot_state: if dialect == Dialect::Dgk { expected } else { SlotState::New },
            device_info,
        },
    )
}

pub(super) fn client_message(dialect: Dialect) -> impl Strategy<Value = ClientMessage> {
    let today = dialect == Dialect::Dgk;
    let ttl = option::of((1..=u32::MAX).prop_map(|seconds| Duration::from_secs(seconds.into())));
    prop_oneof![
        bytes(300).prop_map(ClientMessage::Proxy),
        client_hello(dialect).prop_map(ClientMessage::Hello),
        Just(ClientMessage::GetDevicesInfo),
        device_id().prop_map(ClientMessage::DropDevice),
        sealed().prop_map(ClientMessage::SetSharedDeviceData),
        (sealed(), ttl)
            .prop_map(move |(scope, ttl)| { ClientMessage::BeginTransaction { scope, ttl: ttl.filter(|_| today) } }),
        Just(ClientMessage::CommitTransaction),
        (any::<u32>(), any::<bool>(), sealed()).prop_map(move |(id, ephemeral, envelope)| {
            ClientMessage::Reflect(Reflect { id: ReflectId(id), ephemeral: ephemeral && today, envelope })
        }),
        any::<u32>().prop_map(|id| ClientMessage::ReflectedAck(ReflectedId(id))),
    ]
}

fn server_info() -> impl Strategy<Value = ServerInfo> {
    let time = option::of((1..=u64::MAX).prop_map(Millis));
    (any::<u32>(), slot_state(), sealed(), time, option::of(any::<u32>())).prop_map(
        |(max_device_slots, slot_state, shared_device_data, current_time, reflection_queue_length)| ServerInfo {
            max_device_slots,
            slot_state,
            shared_device_data,
            current_time,
            reflection_queue_length,
        },
    )
}

fn devices(dialect: Dialect) -> impl Strategy<Value = BTreeMap<DeviceId, DeviceEntry>> {
    let activity = (0_u8..3, millis()).prop_map(move |(choice, at)| match (choice, dialect) {
        (0, Dialect::Mk) => DeviceActivity::LastLogin(at),
        (0, Dialect::Dgk) => DeviceActivity::ConnectedSince(at),
        (1, _) => DeviceActivity::LastDisconnect(at),
        _ => DeviceActivity::Unknown,
    });
    let entry = (sealed(), activity, policy()).prop_map(|(device_info, activity, policy)| DeviceEntry {
        device_info,
        activity,
        expiration_policy: Some(policy),
    });
    btree_map(device_id(), entry, 0..8)
}

pub(super) fn server_message(dialect: Dialect) -> impl Strategy<Value = ServerMessage> {
    let today = dialect == Dialect::Dgk;
    prop_oneof![
        bytes(300).prop_map(ServerMessage::Proxy),
        (any::<u32>(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(version, ephemeral_key, challenge)| {
            ServerMessage::Hello(ServerHello { version, ephemeral_key, challenge: Challenge(challenge) })
        }),
        server_info().prop_map(ServerMessage::Info),
        Just(ServerMessage::ReflectionQueueDry),
        Just(ServerMessage::RolePromotedToLeader),
        devices(dialect).prop_map(ServerMessage::DevicesInfo),
        device_id().prop_map(ServerMessage::DropDeviceAck),
        Just(ServerMessage::BeginTransactionAck),
        Just(ServerMessage::CommitTransactionAck),
        (device_id(), sealed()).prop_map(|(holder, scope)| ServerMessage::TransactionRejected { holder, scope }),
        (device_id(), sealed()).prop_map(|(holder, scope)| ServerMessage::TransactionEnded { holder, scope }),
        (any::<u32>(), millis()).prop_map(|(id, timestamp)| ServerMessage::ReflectAck { id: ReflectId(id), timestamp }),
        (any::<u32>(), any::<bool>(), millis(), sealed()).prop_map(move |(id, ephemeral, timestamp, envelope)| {
            let ephemeral = ephemeral && today;
            let header = ReflectedHeader::of(ephemeral, dialect);
            ServerMessage::Reflected(Reflected { id: ReflectedId(id), ephemeral, timestamp, header, envelope })
        }),
    ]
}

pub(super) fn device_info(dialect: Dialect) -> impl Strategy<Value = DeviceInfo> {
    let platforms = match dialect {
        Dialect::Mk => vec![Platform::Unspecified, Platform::Android, Platform::Ios, Platform::Web],
        Dialect::Dgk => {
            vec![Platform::Unspecified, Platform::Android, Platform::Ios, Platform::Desktop, Platform::Web]
        }
    };
    (proptest::sample::select(platforms), clean(), clean(), clean()).prop_map(
        move |(platform, platform_details, app_version, label)| DeviceInfo {
            platform,
            platform_details: if dialect == Dialect::Dgk { platform_details } else { Clean::default() },
            app_version,
            label,
        },
    )
}

pub(super) fn scope() -> impl Strategy<Value = TransactionScope> {
    prop_oneof![
        proptest::sample::select(TransactionScope::ALL.to_vec()),
        prop_oneof![9..=i32::MAX, i32::MIN..0].prop_map(TransactionScope::Unknown),
    ]
}

pub(super) fn shared_device_data(dialect: Dialect) -> impl Strategy<Value = SharedDeviceData> {
    (any::<u32>(), bytes(100)).prop_map(move |(version, mdm_parameters)| match dialect {
        Dialect::Mk => SharedDeviceData { version: 0, mdm_parameters },
        Dialect::Dgk => SharedDeviceData { version, mdm_parameters: Bytes::new() },
    })
}

fn conversation() -> impl Strategy<Value = Conversation> {
    prop_oneof![
        clean().prop_map(Conversation::Contact),
        (message_id(), clean()).prop_map(|(id, creator)| Conversation::Group { id, creator }),
        message_id().prop_map(Conversation::DistributionList),
    ]
}

fn draft() -> impl Strategy<Value = MessageDraft> {
    (message_id(), millis(), any::<u8>(), bytes(100)).prop_map(|(id, created_at, byte, body)| MessageDraft {
        id,
        created_at,
        message_type: MessageType(byte),
        body,
    })
}

/// Something to compose, if the dialect can carry it.
#[derive(Clone, Debug)]
pub(super) enum ExpectedText {
    Incoming(MessageDraft),
    Outgoing(Conversation, MessageDraft, Vec<Nonce>),
    Sent(Vec<(Conversation, MessageId)>),
    Read(Vec<(Conversation, MessageId)>, Millis),
    Contact(Option<String>, Option<u64>),
    Group(SyncAction, u64, Option<String>),
    Settings(Option<i32>, Vec<String>),
    Profile(Option<String>),
    Opaque(ContentKind, Bytes),
}

pub(super) fn told() -> impl Strategy<Value = ExpectedText> {
    let name = || option::of("\\PC{0,20}");
    let updates = || vec((conversation(), message_id()), 0..5);
    let action = prop_oneof![Just(SyncAction::Create), Just(SyncAction::Update), Just(SyncAction::Delete)];
    prop_oneof![
        draft().prop_map(ExpectedText::Incoming),
        (conversation(), draft(), vec(nonce(), 0..4))
            .prop_map(|(to, draft, nonces)| ExpectedText::Outgoing(to, draft, nonces)),
        updates().prop_map(ExpectedText::Sent),
        (updates(), millis()).prop_map(|(updates, at)| ExpectedText::Read(updates, at)),
        (name(), option::of(any::<u64>())).prop_map(|(nickname, mask)| ExpectedText::Contact(nickname, mask)),
        (action, any::<u64>(), name()).prop_map(|(action, id, name)| ExpectedText::Group(action, id, name)),
        (option::of(any::<i32>()), vec("[0-9A-Z]{8}", 0..4))
            .prop_map(|(policy, blocked)| ExpectedText::Settings(policy, blocked)),
        name().prop_map(ExpectedText::Profile),
        (proptest::sample::select(ContentKind::ALL.to_vec()), bytes(50))
            .prop_map(|(kind, body)| ExpectedText::Opaque(kind, body)),
    ]
}

impl ExpectedText {
    pub(super) fn compose(self, composer: &Composer) -> Option<Envelope> {
        match self {
            Self::Incoming(draft) => Some(composer.incoming("ECHOECHO", draft, Nonce([7; 24]))),
            Self::Outgoing(to, draft, nonces) => composer.outgoing(&to, draft, &nonces),
            Self::Sent(messages) => composer.sent(&messages),
            Self::Read(messages, at) => composer.read(&messages, at),
            Self::Contact(nickname, feature_mask) => {
                let identity = "ECHOECHO".to_owned();
                let contact = d2d_sync::Contact { identity, nickname, feature_mask, ..Default::default() };
                composer.contact_sync(SyncAction::Update, contact)
            }
            Self::Group(action, group_id, name) => {
                let identity = common::GroupIdentity { group_id, creator_identity: "ECHOECHO".to_owned() };
                let group = d2d_sync::Group { group_identity: Some(identity), name, ..Default::default() };
                composer.group_sync(action, group)
            }
            Self::Settings(read_receipt_policy, identities) => {
                let blocked_identities = Some(common::Identities { identities });
                let settings = d2d_sync::Settings { read_receipt_policy, blocked_identities, ..Default::default() };
                composer.settings_sync(settings)
            }
            Self::Profile(nickname) => {
                composer.user_profile_sync(d2d_sync::UserProfile { nickname, ..Default::default() })
            }
            Self::Opaque(kind, body) => composer.opaque_sync(kind, body),
        }
    }
}
