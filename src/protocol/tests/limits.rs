//! The size limits, to the byte.

use bytes::Bytes;

use crate::protocol::d2d::{Conversation, MessageDraft, MessageType};
use crate::protocol::sealed::Sealable;
use crate::protocol::*;
use crate::text::Clean;

/// A frame of proxied bytes, whole.
fn frame(length: usize) -> Bytes {
    vec![0; length].into()
}

/// An envelope that takes so many bytes before sealing.
fn envelope(dialect: Dialect, length: usize) -> Envelope {
    let composed = |body: usize| {
        let draft = MessageDraft {
            id: MessageId(1),
            created_at: Millis(1_700_000_000_000),
            message_type: MessageType::TEXT,
            body: vec![b'x'; body].into(),
        };
        let to = Conversation::Contact(Clean::literal("ECHOECHO"));
        Composer::new(dialect, DeviceId(1)).outgoing(&to, draft, &[]).unwrap()
    };
    // The lengths of body and message take as many bytes here as there.
    let around = composed(length - 200).plain_len() - (length - 200);
    composed(length - around)
}

#[test]
fn containers_are_four_to_65536_bytes() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        assert_eq!(ClientMessage::decode(frame(3), dialect), Err(container::DecodeError::TooShort("container")));
        assert_eq!(ClientMessage::decode(frame(4), dialect), Ok(ClientMessage::Proxy(Bytes::new())));
        assert!(ClientMessage::decode(frame(65_536), dialect).is_ok());
        assert!(ServerMessage::decode(frame(65_536), dialect).is_ok());
        let too_long = container::DecodeError::TooLong(65_537);
        assert_eq!(ClientMessage::decode(frame(65_537), dialect), Err(too_long));
        assert_eq!(ServerMessage::decode(frame(65_537), dialect), Err(too_long));
    }
}

#[test]
fn the_largest_envelope_fills_a_container_exactly() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let keys = GroupKeys::derive(dialect, &GroupSecret::new(&mut [7; 32]));
        let largest = envelope(dialect, MAX_ENVELOPE_PLAIN);
        assert_eq!((largest.plain_len(), largest.encode(dialect).len()), (65_476, 65_476));
        let sealed = Sealed::seal(&largest, &keys, Nonce([1; 24]));
        assert_eq!((sealed.len(), MAX_ENVELOPE_SEALED), (65_516, 65_516));
        let reflected = ServerMessage::Reflected(Reflected {
            id: ReflectedId(1),
            ephemeral: false,
            timestamp: Millis(1),
            header: ReflectedHeader::default(),
            envelope: sealed,
        });
        let frame = reflected.encode(dialect);
        assert_eq!(frame.len(), MAX_CONTAINER);
        assert_eq!(ServerMessage::decode(frame, dialect), Ok(reflected));
    }
}

#[test]
fn reflections_need_their_whole_header() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        // Shorter than a header; a header shorter than the layout; one that is longer than the payload.
        for payload in [&[8, 0, 0, 0, 1, 0, 0][..], &[7, 0, 0, 0, 1, 0, 0, 0], &[9, 0, 0, 0, 1, 0, 0, 0], &[]] {
            let frame = [&[0x80, 0, 0, 0], payload].concat();
            let refused = Err(container::DecodeError::TooShort("Reflect"));
            assert_eq!(ClientMessage::decode(frame.into(), dialect), refused);
        }
        // A server's header that claims too little still has its fields.
        let claims_8 = [&[0x82, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0][..], &[1, 0, 0, 0, 0, 0, 0, 0], &[9; 40]].concat();
        let Ok(ServerMessage::Reflected(reflected)) = ServerMessage::decode(claims_8.into(), dialect) else {
            panic!("the length is a slip, not an error")
        };
        assert_eq!((reflected.id.0, reflected.timestamp.0, reflected.envelope.len()), (7, 1, 40));
        let empty = ClientMessage::decode(Bytes::from_static(&[0x80, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0]), dialect);
        let Ok(ClientMessage::Reflect(empty)) = empty else { panic!("an empty envelope is well-formed") };
        assert!(empty.envelope.is_empty());
    }
}

#[test]
fn each_side_refuses_what_only_it_sends() {
    let dialect = Dialect::Dgk;
    for only_server in [0x10, 0x12, 0x20, 0x21, 0x31, 0x33, 0x41, 0x43, 0x44, 0x45, 0x81, 0x82] {
        let frame = Bytes::copy_from_slice(&[only_server, 0, 0, 0]);
        let refused = Err(container::DecodeError::WrongSide(only_server));
        assert_eq!(ClientMessage::decode(frame, dialect), refused);
    }
    for only_client in [0x11, 0x30, 0x32, 0x34, 0x40, 0x42, 0x80, 0x83] {
        let frame = Bytes::copy_from_slice(&[only_client, 0, 0, 0]);
        let refused = Err(container::DecodeError::WrongSide(only_client));
        assert_eq!(ServerMessage::decode(frame, dialect), refused);
    }
    let unknown = Bytes::from_static(&[0x99, 0, 0, 0]);
    assert_eq!(ServerMessage::decode(unknown, dialect), Err(container::DecodeError::UnknownType(0x99)));
}
