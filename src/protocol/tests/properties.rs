//! Properties: what is written is read the same; nothing from outside panics or makes more than its bytes allow.

use bytes::Bytes;
use proptest::prelude::*;

use super::generators::*;
use crate::protocol::proto::d2d as proto;
use crate::protocol::sealed::Sealable;
use crate::protocol::*;

/// The most bytes of memory per byte of input that a decoded collection may take: an update of two bytes is the worst.
const MOST_PER_BYTE: usize = 64;

fn keys(dialect: Dialect) -> GroupKeys {
    GroupKeys::derive(dialect, &GroupSecret::new(&mut [7; 32]))
}

/// How many bytes of input a message keeps.
fn kept_by_client_message(message: &ClientMessage) -> usize {
    match message {
        ClientMessage::Proxy(data) => data.len(),
        ClientMessage::Hello(hello) => hello.device_info.len(),
        ClientMessage::SetSharedDeviceData(data) => data.len(),
        ClientMessage::BeginTransaction { scope, .. } => scope.len(),
        ClientMessage::Reflect(reflect) => reflect.envelope.len(),
        _ => 0,
    }
}

fn kept_by_server_message(message: &ServerMessage) -> usize {
    match message {
        ServerMessage::Proxy(data) => data.len(),
        ServerMessage::Info(info) => info.shared_device_data.len(),
        // The key alone takes nine bytes, so there are never many.
        ServerMessage::DevicesInfo(devices) => {
            devices.values().map(|entry| entry.device_info.len() + 9).sum::<usize>().saturating_sub(9)
        }
        ServerMessage::TransactionRejected { scope, .. } | ServerMessage::TransactionEnded { scope, .. } => scope.len(),
        ServerMessage::Reflected(reflected) => reflected.envelope.len(),
        _ => 0,
    }
}

/// Reads as anything that a stranger may send; returns whether it was read at all.
fn read_as_anything(input: &Bytes, dialect: Dialect) {
    let frame = || input.clone();
    if let Ok(message) = ClientMessage::decode(frame(), dialect) {
        assert!(kept_by_client_message(&message) <= input.len());
    }
    if let Ok(message) = ServerMessage::decode(frame(), dialect) {
        assert!(kept_by_server_message(&message) <= input.len());
    }
    read_as_content(input, dialect);
    let _ = ClientUrlInfo::from_path(&String::from_utf8_lossy(input));
    let _ = ClientUrlInfo::from_path(&hex::encode(input));
}

/// Reads as what a device of the group may send.
fn read_as_content(input: &Bytes, dialect: Dialect) {
    let plain = || input.clone();
    if let Ok(envelope) = Envelope::decode(plain(), dialect) {
        // Nothing is in it that was not in the input; but a negative number that came in five bytes is written with ten.
        assert!(envelope.plain_len() <= input.len() * 2);
        let summary = envelope.summary();
        let worst = size_of::<proto::incoming_message_update::Update>()
            .max(size_of::<proto::outgoing_message_update::Update>())
            .max(size_of::<Bytes>());
        let count = usize::try_from(summary.count).unwrap();
        assert!(count <= 1 || count * worst <= input.len() * MOST_PER_BYTE);
        assert!(usize::try_from(summary.body_length).unwrap() <= input.len());
        super::tree::assert_bounded(&envelope, input.len());
        assert_eq!(Envelope::decode(envelope.encode(dialect).into(), dialect).as_ref(), Ok(&envelope));
    }
    if let Ok(info) = DeviceInfo::decode(plain(), dialect) {
        let shown = info.label.as_str().len() + info.app_version.as_str().len() + info.platform_details.as_str().len();
        // A character of one byte may be shown as an escape of ten.
        assert!(shown <= input.len() * 10);
    }
    if let Ok(data) = SharedDeviceData::decode(plain(), dialect) {
        assert!(data.mdm_parameters.len() <= input.len());
    }
    let _ = TransactionScope::decode(plain(), dialect);
    let _ = Sealed::<Envelope>::from_wire(plain()).open(&keys(dialect));
}

proptest! {
    #[test]
    fn client_messages_read_as_written(
        (dialect, message) in dialect().prop_flat_map(|dialect| (Just(dialect), client_message(dialect)))
    ) {
        prop_assert_eq!(ClientMessage::decode(message.encode(dialect), dialect), Ok(message));
    }

    #[test]
    fn server_messages_read_as_written(
        (dialect, message) in dialect().prop_flat_map(|dialect| (Just(dialect), server_message(dialect)))
    ) {
        prop_assert_eq!(ServerMessage::decode(message.encode(dialect), dialect), Ok(message));
    }

    #[test]
    fn frames_begin_with_a_type_and_three_zeros(dialect in dialect(), message in client_message(Dialect::Dgk)) {
        prop_assert_eq!(&message.encode(dialect)[1..4], &[0, 0, 0]);
    }

    #[test]
    fn device_info_reads_as_written(
        (dialect, info) in dialect().prop_flat_map(|dialect| (Just(dialect), device_info(dialect))),
        nonce in nonce(),
    ) {
        let keys = keys(dialect);
        prop_assert_eq!(Sealed::seal(&info, &keys, nonce).open(&keys), Ok(info));
    }

    #[test]
    fn scopes_and_shared_data_read_as_written(
        (dialect, data) in dialect().prop_flat_map(|dialect| (Just(dialect), shared_device_data(dialect))),
        scope in scope(),
        nonce in nonce(),
    ) {
        let keys = keys(dialect);
        prop_assert_eq!(Sealed::seal(&scope, &keys, nonce).open(&keys), Ok(scope));
        prop_assert_eq!(Sealed::seal(&data, &keys, nonce).open(&keys), Ok(data));
    }

    #[test]
    fn envelopes_read_as_written(
        dialect in dialect(), told in told(), author in any::<u64>(), padding in any::<u8>(), nonce in nonce(),
    ) {
        let composer = Composer::new(dialect, DeviceId(author)).padded(padding);
        if let Some(envelope) = told.compose(&composer) {
            prop_assert!(envelope.representable_in(dialect));
            prop_assert_eq!(envelope.plain_len(), envelope.encode(dialect).len());
            let keys = keys(dialect);
            let read = Sealed::seal(&envelope, &keys, nonce).open(&keys).unwrap();
            prop_assert_eq!(read.summary(), envelope.summary());
            prop_assert_eq!(read, envelope);
        }
    }

    #[test]
    fn what_a_dialect_cannot_carry_says_nothing_in_it(told in told(), padding in any::<u8>()) {
        for (own, other) in [(Dialect::Mk, Dialect::Dgk), (Dialect::Dgk, Dialect::Mk)] {
            if let Some(envelope) = told.clone().compose(&Composer::new(own, DeviceId(1)).padded(padding)) {
                prop_assert!(!envelope.representable_in(other));
                let read = Envelope::decode(envelope.encode(other).into(), other).unwrap();
                prop_assert_eq!(read.summary().kind, d2d::ContentKind::Unknown);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(dialect in dialect(), input in bytes(600)) {
        read_as_anything(&input, dialect);
    }

    /// Arbitrary bytes seldom get past the type byte and the first field; changed messages do.
    #[test]
    fn changed_frames_never_panic(
        (dialect, client, server) in dialect()
            .prop_flat_map(|dialect| (Just(dialect), client_message(dialect), server_message(dialect))),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for frame in [client.encode(dialect), server.encode(dialect)] {
            let mut frame = frame.to_vec();
            for (index, byte) in &changes {
                let index = index.index(frame.len());
                frame[index] = *byte;
            }
            read_as_anything(&frame.into(), dialect);
        }
    }

    #[test]
    fn changed_contents_never_panic(
        dialect in dialect(), told in told(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        if let Some(envelope) = told.compose(&Composer::new(dialect, DeviceId(1))) {
            let mut plain = envelope.encode(dialect);
            for (index, byte) in &changes {
                let index = index.index(plain.len());
                plain[index] = *byte;
            }
            read_as_content(&plain.into(), dialect);
        }
    }

    /// The cipher is not the one that key files are written with; boxes are the same.
    #[test]
    fn boxes_are_those_of_the_other_implementation(
        plain in bytes(700), key in any::<[u8; 32]>(), nonce in any::<[u8; 24]>(),
    ) {
        use crypto_secretbox::aead::{Aead as _, KeyInit as _};
        let data = SharedDeviceData { version: 0, mdm_parameters: plain };
        let mut secret = key;
        let keys = GroupKeys::derive(Dialect::Mk, &GroupSecret::new(&mut secret));
        let sealed = Sealed::seal(&data, &keys, Nonce(nonce));
        let other = crypto_secretbox::XSalsa20Poly1305::new(&key.into());
        let text = data.encode(Dialect::Mk);
        let boxed = other.encrypt(&nonce.into(), text.as_slice()).unwrap();
        prop_assert_eq!(&sealed.as_bytes()[..24], nonce.as_slice());
        prop_assert_eq!(&sealed.as_bytes()[24..], boxed.as_slice());
        prop_assert_eq!(sealed.open(&keys), Ok(data));
    }

    #[test]
    fn one_changed_bit_does_not_open(dialect in dialect(), nonce in nonce(), bit in any::<prop::sample::Index>()) {
        let keys = keys(dialect);
        let sealed = Sealed::seal(&TransactionScope::DropDevice, &keys, nonce);
        let mut bytes = sealed.as_bytes().to_vec();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let tampered = Sealed::<TransactionScope>::from_wire(bytes.into());
        prop_assert_eq!(tampered.open(&keys), Err(OpenError::DoesNotDecrypt));
    }
}

/// The worst that a few bytes can make: as many empty updates as fit.
#[test]
fn many_empty_updates_stay_within_bounds() {
    for tag in [0x52, 0x5a] {
        let count = 20_000_u32;
        let mut plain = vec![tag];
        prost::encoding::encode_varint(u64::from(count) * 2, &mut plain);
        plain.extend([0x0a, 0x00].repeat(count.try_into().unwrap()));
        let plain = Bytes::from(plain);
        assert_eq!(Envelope::decode(plain.clone(), Dialect::Dgk).unwrap().summary().count, count);
        read_as_content(&plain, Dialect::Dgk);
    }
}

#[test]
fn every_byte_of_a_sealed_value_counts() {
    let keys = keys(Dialect::Dgk);
    let info = DeviceInfo { label: crate::text::Clean::literal("Desk"), ..DeviceInfo::default() };
    let sealed = Sealed::seal(&info, &keys, Nonce([3; 24]));
    for index in 0..sealed.len() {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[index] ^= 0x80;
        assert_eq!(Sealed::<DeviceInfo>::from_wire(bytes.into()).open(&keys), Err(OpenError::DoesNotDecrypt));
        let cut = Sealed::<DeviceInfo>::from_wire(sealed.as_bytes().slice(..index));
        assert!(matches!(cut.open(&keys), Err(OpenError::TooShort | OpenError::DoesNotDecrypt)));
    }
}

#[test]
fn a_value_opens_as_its_own_kind_only() {
    let keys = keys(Dialect::Dgk);
    let nonce = Nonce([3; 24]);
    let wire = |bytes: &Bytes| bytes.clone();
    let info = Sealed::seal(&DeviceInfo::default(), &keys, nonce);
    let scope = Sealed::seal(&TransactionScope::DropDevice, &keys, nonce);
    let refused = OpenError::DoesNotDecrypt;
    assert_eq!(Sealed::<Envelope>::from_wire(wire(info.as_bytes())).open(&keys).err(), Some(refused));
    assert_eq!(Sealed::<TransactionScope>::from_wire(wire(info.as_bytes())).open(&keys).err(), Some(refused));
    assert_eq!(Sealed::<SharedDeviceData>::from_wire(wire(info.as_bytes())).open(&keys).err(), Some(refused));
    assert_eq!(Sealed::<DeviceInfo>::from_wire(wire(scope.as_bytes())).open(&keys).err(), Some(refused));
    let other = GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [8; 32]));
    assert_eq!(info.open(&other).err(), Some(refused));
    let seed = GroupKeys::derive(Dialect::Mk, &GroupSecret::new(&mut [7; 32]));
    assert_eq!(info.open(&seed).err(), Some(refused));
}
