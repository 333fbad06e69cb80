//! The published and own test vectors of `tests/vectors.json`.
//!
//! Its `rendezvous` belongs to the room of that name, its `desktop_keystorage` belongs to importing a profile.

use bytes::Bytes;
use serde_json::Value;

use crate::protocol::d2d::{ContentKind, Conversation, MessageType, Platform};
use crate::protocol::sealed::Sealable;
use crate::protocol::*;
use crate::text::Clean;

struct Vectors(Value);

impl Vectors {
    fn load() -> Self {
        Self(serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap())
    }

    fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("no vector {pointer}"))
    }

    fn text(&self, pointer: &str) -> &str {
        text(self.at(pointer))
    }

    fn bytes(&self, pointer: &str) -> Bytes {
        hex::decode(self.text(pointer)).unwrap().into()
    }

    fn array<const N: usize>(&self, pointer: &str) -> [u8; N] {
        self.bytes(pointer).as_ref().try_into().unwrap()
    }

    fn secret(&self, pointer: &str) -> GroupSecret {
        GroupSecret::from_hex(self.text(pointer)).unwrap()
    }

    /// The keys that the frames are made with.
    fn keys(&self, dialect: Dialect) -> GroupKeys {
        let secret = match dialect {
            Dialect::Dgk => self.secret("/kdf_current/3/dgk"),
            Dialect::Mk => GroupSecret::mediator_key_from_client_key(&self.secret("/kdf_seed/4/client_key")),
        };
        GroupKeys::derive(dialect, &secret)
    }

    /// What a server reads of the frame, which it must write the same way.
    fn sent_by_client(&self, pointer: &str, dialect: Dialect) -> ClientMessage {
        let frame = self.bytes(pointer);
        let message = ClientMessage::decode(frame.clone(), dialect).unwrap();
        assert_eq!(message.encode(dialect), frame, "{pointer}");
        message
    }

    /// What a client reads of the frame, which it must write the same way.
    fn sent_by_server(&self, pointer: &str, dialect: Dialect) -> ServerMessage {
        let frame = self.bytes(pointer);
        let message = ServerMessage::decode(frame.clone(), dialect).unwrap();
        assert_eq!(message.encode(dialect), frame, "{pointer}");
        message
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Where a dialect's handshake stands.
const fn handshake(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mk => "/handshake_seed",
        Dialect::Dgk => "/handshake_current",
    }
}

/// The nonces count up from their number.
fn nonce(number: u8) -> Nonce {
    Nonce(std::array::from_fn(|index| number * 16 + 1 + u8::try_from(index).unwrap()))
}

const BOTH: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];
const DEVICE: DeviceId = DeviceId(1_234_605_616_436_508_552);
const OTHER: DeviceId = DeviceId(18_364_758_544_493_064_720);

#[test]
fn key_schedule_of_today() {
    let vectors = Vectors::load();
    for entry in vectors.at("/kdf_current").as_array().unwrap() {
        let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::from_hex(text(&entry["dgk"])).unwrap());
        let expected = ["dgpk", "dgrk", "dgdik", "dgsddk", "dgtsk"].map(|name| text(&entry[name]).to_owned());
        assert_eq!(keys.expose_for_vectors().map(hex::encode), expected);
        assert_eq!(keys.device_group_id().to_string(), text(&entry["dgpk_public"]));
    }
}

#[test]
fn key_schedule_of_the_seed() {
    let vectors = Vectors::load();
    for entry in vectors.at("/kdf_seed").as_array().unwrap() {
        let client_key = GroupSecret::from_hex(text(&entry["client_key"])).unwrap();
        let mediator_key = GroupSecret::mediator_key_from_client_key(&client_key);
        assert_eq!(hex::encode(mediator_key.expose_for_vectors()), text(&entry["mk"]));
        let keys = GroupKeys::derive(Dialect::Mk, &mediator_key);
        let [path, sealing @ ..] = keys.expose_for_vectors().map(hex::encode);
        assert_eq!(path, text(&entry["mpk"]));
        assert_eq!(sealing, [(); 4].map(|()| text(&entry["mk"]).to_owned()), "one key seals everything");
        assert_eq!(keys.device_group_id().to_string(), text(&entry["mpk_public"]));
    }
}

#[test]
fn url_names_group_and_dialect() {
    let vectors = Vectors::load();
    let template = vectors.text("/client_url_info/template");
    for (dialect, name) in [(Dialect::Dgk, "current"), (Dialect::Mk, "seed")] {
        let path = vectors.text(&format!("/client_url_info/{name}/path_hex"));
        let info = ClientUrlInfo {
            dialect,
            device_group_id: DeviceGroupId(vectors.array(&format!("/client_url_info/{name}/device_group_id"))),
            // 94 in the seed's number.
            server_group: ServerGroup::parse("5e", dialect).unwrap(),
        };
        assert_eq!(info.device_group_id, vectors.keys(dialect).device_group_id());
        assert_eq!(info.path_segment(), path);
        assert_eq!(info.url(template), vectors.text(&format!("/client_url_info/{name}/url")));
        assert_eq!(ClientUrlInfo::from_path(&format!("/any/base//{path}")), Ok(info));
    }
    // One app's own unit test has a group id of one byte, which no server can work with.
    let short = vectors.text("/client_url_info/android_unit_test/path_hex");
    assert_eq!(ClientUrlInfo::from_path(short), Err(container::DecodeError::WrongLength("device group id")));
}

#[test]
fn handshake_byte_for_byte() {
    let vectors = Vectors::load();
    for dialect in BOTH {
        let at = |name: &str| format!("{}/{name}", handshake(dialect));
        let keys = vectors.keys(dialect);
        let server_secret = vectors.array(&at("esk_secret"));
        let challenge = Challenge(vectors.array(&at("challenge")));
        let hello =
            ServerHello { version: 0, ephemeral_key: challenge::ephemeral_public_key(&server_secret), challenge };
        assert_eq!(hello.ephemeral_key, vectors.array(&at("esk_public")));
        assert_eq!(vectors.sent_by_server(&at("server_hello_frame"), dialect), ServerMessage::Hello(hello.clone()));

        let response_nonce = Nonce(vectors.array(&at("response_nonce")));
        let response = ChallengeResponse::answer(&challenge, &hello.ephemeral_key, &keys, &response_nonce).unwrap();
        assert_eq!(response.0, vectors.array(&at("response")));
        assert!(response.proves(&challenge, &server_secret, &keys.device_group_id()));
        assert!(!response.proves(&Challenge([0; 32]), &server_secret, &keys.device_group_id()));
        assert!(!response.proves(&challenge, &server_secret, &DeviceGroupId([9; 32])));

        let device_info = Sealed::<DeviceInfo>::from_wire(vectors.bytes(&at("encrypted_device_info")));
        assert_eq!(device_info.nonce(), Some(Nonce(vectors.array(&at("device_info_nonce")))));
        let info = device_info.open(&keys).unwrap();
        assert_eq!(info, DeviceInfo::decode(vectors.bytes(&at("device_info_plain")), dialect).unwrap());
        let expected = match dialect {
            Dialect::Mk => DeviceInfo {
                platform: Platform::Android,
                platform_details: Clean::default(),
                app_version: Clean::literal("4.5"),
                label: Clean::literal("Pixel 4a"),
            },
            Dialect::Dgk => DeviceInfo {
                platform: Platform::Desktop,
                platform_details: Clean::literal("Electron 33 on Linux"),
                app_version: Clean::literal("2.0-beta46"),
                label: Clean::literal("Desk"),
            },
        };
        assert_eq!(info, expected);

        let ClientMessage::Hello(read) = vectors.sent_by_client(&at("client_hello_frame"), dialect) else {
            panic!("no ClientHello")
        };
        assert_eq!((read.version, read.response, read.device_id), (0, response, DEVICE));
        assert_eq!(read.device_info, device_info);
        assert_eq!(read.expiration_policy, ExpirationPolicy::Persistent);
        let expected_slot_state = if dialect == Dialect::Dgk { SlotState::Existing } else { SlotState::New };
        assert_eq!(read.expected_slot_state, expected_slot_state);
        assert_eq!(DEVICE.to_string(), vectors.text(&at("device_id_le_hex")));

        let ServerMessage::Info(info) = vectors.sent_by_server(&at("server_info_frame"), dialect) else {
            panic!("no ServerInfo")
        };
        assert_eq!((info.max_device_slots, info.slot_state), (5, SlotState::Existing));
        if dialect == Dialect::Dgk {
            assert_eq!(info.current_time, Some(Millis(1_700_000_000_000)));
            assert_eq!(info.reflection_queue_length, Some(2));
            assert_eq!(info.shared_device_data.open(&keys).unwrap().version, 3);
            let plain = vectors.bytes(&at("shared_device_data_plain"));
            assert_eq!(SharedDeviceData::decode(plain, dialect).unwrap().version, 3);
        } else {
            assert_eq!((info.current_time, info.reflection_queue_length), (None, None));
            assert!(info.shared_device_data.is_empty());
        }
    }
}

#[test]
fn control_frames() {
    let vectors = Vectors::load();
    let at = |name: &str| format!("/control_frames/{name}");
    for dialect in BOTH {
        for (name, message) in [
            ("reflection_queue_dry", ServerMessage::ReflectionQueueDry),
            ("role_promoted_to_leader", ServerMessage::RolePromotedToLeader),
            ("begin_transaction_ack", ServerMessage::BeginTransactionAck),
            ("commit_transaction_ack", ServerMessage::CommitTransactionAck),
            ("proxy_abcd", ServerMessage::Proxy(Bytes::from_static(&[0xab, 0xcd]))),
        ] {
            assert_eq!(vectors.sent_by_server(&at(name), dialect), message);
        }
        for (name, message) in [
            ("get_devices_info", ClientMessage::GetDevicesInfo),
            ("commit_transaction", ClientMessage::CommitTransaction),
            ("proxy_abcd", ClientMessage::Proxy(Bytes::from_static(&[0xab, 0xcd]))),
        ] {
            assert_eq!(vectors.sent_by_client(&at(name), dialect), message);
        }
        assert_eq!(vectors.sent_by_client("/devices_info/drop_device", dialect), ClientMessage::DropDevice(OTHER));
        assert_eq!(
            vectors.sent_by_server("/devices_info/drop_device_ack", dialect),
            ServerMessage::DropDeviceAck(OTHER)
        );
    }
}

#[test]
fn device_lists() {
    let vectors = Vectors::load();
    // A map has no order on the wire, so this frame need not be written the same way.
    let frame = vectors.bytes("/devices_info/current/frame");
    let message = ServerMessage::decode(frame, Dialect::Dgk).unwrap();
    assert_eq!(ServerMessage::decode(message.encode(Dialect::Dgk), Dialect::Dgk).as_ref(), Ok(&message));
    let ServerMessage::DevicesInfo(devices) = message else { panic!("no DevicesInfo") };
    let keys = vectors.keys(Dialect::Dgk);
    assert_eq!(devices.len(), 2);
    let open = |id: &DeviceId| devices[id].device_info.open(&keys).unwrap();
    assert_eq!(devices[&DEVICE].activity, DeviceActivity::ConnectedSince(Millis(1_700_000_000_000)));
    assert_eq!((open(&DEVICE).platform, open(&DEVICE).label.as_str()), (Platform::Desktop, "Desk"));
    assert_eq!(devices[&OTHER].activity, DeviceActivity::LastDisconnect(Millis(1_699_999_000_000)));
    assert_eq!((open(&OTHER).platform, open(&OTHER).label.as_str()), (Platform::Ios, "Ada's iPhone"));

    let ServerMessage::DevicesInfo(devices) = vectors.sent_by_server("/devices_info/seed/frame", Dialect::Mk) else {
        panic!("no DevicesInfo")
    };
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[&DEVICE].activity, DeviceActivity::LastLogin(Millis(1_600_000_000_000)));
    assert_eq!(devices[&DEVICE].expiration_policy, Some(ExpirationPolicy::Persistent));
    let info = devices[&DEVICE].device_info.open(&vectors.keys(Dialect::Mk)).unwrap();
    assert_eq!((info.platform, info.app_version.as_str(), info.label.as_str()), (Platform::Android, "4.5", "Pixel 4a"));
}

#[test]
fn transactions_and_the_three_scope_encodings() {
    let vectors = Vectors::load();
    let dialect = Dialect::Dgk;
    let keys = vectors.keys(dialect);
    let at = |name: &str| format!("/transactions/{name}");
    for (name, expected) in [
        ("scope_plain_drop_device_protobuf", TransactionScope::DropDevice),
        ("scope_plain_drop_device_ios_single_byte", TransactionScope::DropDevice),
        ("scope_plain_user_profile_protobuf", TransactionScope::UserProfileSync),
    ] {
        assert_eq!(TransactionScope::decode(vectors.bytes(&at(name)), dialect), Ok(expected), "{name}");
    }
    let plain = vectors.bytes(&at("scope_plain_drop_device_protobuf"));
    assert_eq!(TransactionScope::DropDevice.encode(dialect), plain);
    assert!(TransactionScope::UserProfileSync.encode(dialect).is_empty());

    for (name, expected_ttl) in
        [("begin_drop_device_ttl_30", Some(30)), ("begin_drop_device_ttl_unset", None), ("begin_ios_style", None)]
    {
        let ClientMessage::BeginTransaction { scope, ttl } = vectors.sent_by_client(&at(name), dialect) else {
            panic!("no BeginTransaction")
        };
        assert_eq!(scope.open(&keys), Ok(TransactionScope::DropDevice), "{name}");
        assert_eq!(ttl.map(|ttl| ttl.as_secs()), expected_ttl, "{name}");
    }
    let ServerMessage::TransactionRejected { holder, scope: rejected } =
        vectors.sent_by_server(&at("rejected"), dialect)
    else {
        panic!("no TransactionRejected")
    };
    assert_eq!((holder, rejected.open(&keys)), (OTHER, Ok(TransactionScope::DropDevice)));
    let frame = at("ended_same_ciphertext_as_rejected");
    let ServerMessage::TransactionEnded { holder, scope: ended } = vectors.sent_by_server(&frame, dialect) else {
        panic!("no TransactionEnded")
    };
    assert_eq!((holder, ended), (OTHER, rejected));
}

#[test]
fn reflection_frames() {
    let vectors = Vectors::load();
    let (id, timestamp) = (ReflectId(168_496_141), Millis(1_700_000_001_000));
    for (dialect, name, sent, stored) in [
        (Dialect::Dgk, "current", "probe_encrypted", "envelope_text_encrypted"),
        (Dialect::Mk, "seed", "seed_envelope_encrypted", "seed_envelope_encrypted"),
    ] {
        let at = |frame: &str| format!("/reflection/{name}/{frame}");
        let sealed = |name: &str| Sealed::<Envelope>::from_wire(vectors.bytes(&format!("/reflection/{name}")));
        let reflect = |ephemeral| ClientMessage::Reflect(Reflect { id, ephemeral, envelope: sealed(sent) });
        let reflected = |id, ephemeral| {
            let header = ReflectedHeader::of(ephemeral, dialect);
            let envelope = sealed(stored);
            ServerMessage::Reflected(Reflected { id: ReflectedId(id), ephemeral, timestamp, header, envelope })
        };
        assert_eq!(vectors.sent_by_client(&at("reflect"), dialect), reflect(false));
        assert_eq!(vectors.sent_by_server(&at("reflect_ack"), dialect), ServerMessage::ReflectAck { id, timestamp });
        assert_eq!(vectors.sent_by_server(&at("reflected"), dialect), reflected(7, false));
        let ack = ClientMessage::ReflectedAck(ReflectedId(7));
        assert_eq!(vectors.sent_by_client(&at("reflected_ack"), dialect), ack);
        if dialect == Dialect::Dgk {
            assert_eq!(vectors.sent_by_client(&at("reflect_ephemeral"), dialect), reflect(true));
            assert_eq!(vectors.sent_by_server(&at("reflected_ephemeral"), dialect), reflected(8, true));
            // Read, but never written so: header bytes that came later, and reserved bytes that are not zero.
            let longer = ServerMessage::decode(vectors.bytes(&at("reflected_with_longer_header_20")), dialect);
            let ServerMessage::Reflected(expected) = reflected(9, false) else { unreachable!() };
            let header = ReflectedHeader { length: 20, flags: 0 };
            assert_eq!(longer, Ok(ServerMessage::Reflected(Reflected { header, ..expected })));
            assert_eq!(ClientMessage::decode(vectors.bytes(&at("reflected_ack_ios_quirk")), dialect), Ok(ack));
        }
    }
}

#[test]
fn flags_are_reserved_bytes_in_the_seed() {
    let vectors = Vectors::load();
    let frame = vectors.bytes("/reflection/current/reflect_ephemeral");
    let Ok(ClientMessage::Reflect(reflect)) = ClientMessage::decode(frame, Dialect::Mk) else { panic!("no Reflect") };
    assert!(!reflect.ephemeral);
    let written = ClientMessage::Reflect(Reflect { ephemeral: true, ..reflect }).encode(Dialect::Mk);
    assert_eq!(written, vectors.bytes("/reflection/current/reflect"));
}

#[test]
fn envelopes_of_today() {
    let vectors = Vectors::load();
    let keys = vectors.keys(Dialect::Dgk);
    // Fields have no order on the wire, and ours is another than that of the vectors.
    let read = |name: &str| {
        let plain = vectors.bytes(&format!("/reflection/{name}"));
        let envelope = Envelope::decode(plain.clone(), Dialect::Dgk).unwrap();
        assert_eq!(envelope.encode(Dialect::Dgk).len(), plain.len(), "nothing lost, nothing added");
        envelope
    };
    let open =
        |name: &str| Sealed::<Envelope>::from_wire(vectors.bytes(&format!("/reflection/{name}"))).open(&keys).unwrap();
    let envelope = open("envelope_text_encrypted");
    assert_eq!(envelope, read("envelope_text_plain"));

    let id = MessageId(0x0102_0304_0506_0708);
    let summary = envelope.summary();
    assert_eq!((summary.author, summary.protocol_version), (Some(OTHER), 3));
    assert_eq!(summary.kind, ContentKind::IncomingMessage);
    assert_eq!(summary.conversation, Some(Conversation::Contact(Clean::literal("ECHOECHO"))));
    assert_eq!((summary.message_type, summary.message_id), (Some(MessageType::TEXT), Some(id)));
    assert_eq!((summary.created_at, summary.body_length), (Some(Millis(1_700_000_000_123)), 5));

    // The composer makes the same.
    let draft = d2d::MessageDraft::text(id, Millis(1_700_000_000_123), "hello");
    assert_eq!(Composer::new(Dialect::Dgk, OTHER).padded(4).incoming("ECHOECHO", draft, nonce(9)), envelope);

    // A probe with no updates at all: the empty content must be there.
    let composer = Composer::new(Dialect::Dgk, DEVICE);
    let probe = read("probe_incoming_update_empty_plain");
    assert_eq!(composer.read(&[], Millis(0)), Some(probe.clone()));
    assert_eq!(open("probe_encrypted"), probe);
    assert_eq!((probe.summary().kind, probe.summary().count), (ContentKind::IncomingMessageUpdate, 0));
    assert_eq!(composer.sent(&[]), Some(read("probe_outgoing_update_empty_plain")));
}

#[test]
fn envelopes_of_the_seed() {
    let vectors = Vectors::load();
    let keys = vectors.keys(Dialect::Mk);
    let sealed = Sealed::<Envelope>::from_wire(vectors.bytes("/reflection/seed_envelope_encrypted"));
    let envelope = sealed.open(&keys).unwrap();
    assert_eq!(Sealed::seal(&envelope, &keys, sealed.nonce().unwrap()), sealed);
    let summary = envelope.summary();
    assert_eq!((summary.author, summary.kind), (None, ContentKind::IncomingMessage));
    assert_eq!(summary.conversation, Some(Conversation::Contact(Clean::literal("ECHOECHO"))));
    assert_eq!((summary.message_type, summary.message_id), (Some(MessageType::TEXT), Some(MessageId(7))));
    assert_eq!((summary.created_at, summary.body_length), (Some(Millis(1_600_000_000_123)), 5));
    // This one has an empty padding field, which nobody needs to write; all else is the same.
    let draft = d2d::MessageDraft::text(MessageId(7), Millis(1_600_000_000_123), "hello");
    let composed = Composer::new(Dialect::Mk, DEVICE).incoming("ECHOECHO", draft, nonce(9));
    assert_eq!(
        Envelope::decode(vectors.bytes("/reflection/seed_envelope_plain"), Dialect::Mk).unwrap().summary(),
        composed.summary()
    );
}
