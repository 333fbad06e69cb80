//! The stream: WebSocket frames of reflected messages, encoded once.

use std::sync::Arc;

use bytes::Bytes;
use d2mtop::protocol::d2d::{Composer, MessageDraft};
use d2mtop::protocol::{
    DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Reflected, ReflectedHeader, ReflectedId,
    Sealed, ServerMessage,
};

pub(crate) const DIALECT: Dialect = Dialect::Dgk;
pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

pub(crate) fn keys() -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(DIALECT, &GroupSecret::new(&mut [1; 32])))
}

/// All messages, each with a nonce of its own, whose sealed envelopes have about `size` bytes; and where each ends.
pub(crate) fn encode(size: usize, messages: u32) -> (Vec<u8>, Vec<usize>) {
    let keys = keys();
    let text = "x".repeat(size.saturating_sub(120));
    let mut stream = Vec::with_capacity((size + 40) * usize::try_from(messages).unwrap());
    let mut ends = Vec::new();
    for number in 0..messages {
        let draft = MessageDraft::text(MessageId(u64::from(number)), NOW, &text);
        let envelope = Composer::new(DIALECT, DeviceId(2)).incoming("ECHOECHO", draft, Nonce([4; 24]));
        let mut nonce = [0; 24];
        nonce[..4].copy_from_slice(&number.to_le_bytes());
        let message = ServerMessage::Reflected(Reflected {
            id: ReflectedId(number),
            ephemeral: false,
            timestamp: NOW,
            header: ReflectedHeader::default(),
            envelope: Sealed::seal(&envelope, &keys, Nonce(nonce)),
        });
        frame(&mut stream, &message.encode(DIALECT));
        ends.push(stream.len());
    }
    (stream, ends)
}

/// One binary WebSocket message of a server: unmasked.
pub(crate) fn frame(stream: &mut Vec<u8>, payload: &Bytes) {
    stream.push(0x82);
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => stream.push(length),
        _ => {
            stream.push(126);
            stream.extend(u16::try_from(payload.len()).expect("it fits a container").to_be_bytes());
        }
    }
    stream.extend_from_slice(payload);
}
