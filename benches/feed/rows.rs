//! Messages of mixed kinds, as a busy group has them.

use d2mtop::group::{Event, Group, ReflectedMessage};
use d2mtop::protocol::d2d::{ContentKind, Conversation, Detail, EnvelopeSummary, MessageType, SyncAction};
use d2mtop::protocol::{DeviceId, MessageId, Millis, Nonce, ReflectedHeader, ReflectedId, Sealed};
use d2mtop::text::Clean;

pub const BATCH: u32 = 256;

fn conversation(number: u32) -> Conversation {
    match number % 3 {
        0 => Conversation::Group {
            id: MessageId(u64::from(number % 50).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            creator: Clean::new(&format!("CREAT{:03}", number % 50)),
        },
        _ => Conversation::Contact(Clean::new(&format!("IDENT{:03}", number % 200))),
    }
}

fn summary(number: u32) -> EnvelopeSummary {
    let conversation = conversation(number / 7);
    let is_group = matches!(conversation, Conversation::Group { .. });
    let message = |kind, message_type| EnvelopeSummary {
        message_type: Some(message_type),
        message_id: Some(MessageId(u64::from(number).wrapping_mul(0x2545_f491_4f6c_dd1d))),
        created_at: Some(Millis(1_700_000_000_000 + u64::from(number))),
        body_length: number % 900,
        sender: (is_group && kind == ContentKind::IncomingMessage)
            .then(|| Clean::new(&format!("SENDE{:03}", number % 20))),
        ..content(kind)
    };
    let mut summary = match number % 10 {
        0..=3 => message(ContentKind::IncomingMessage, MessageType::TEXT),
        4 => message(ContentKind::OutgoingMessage, MessageType::TEXT),
        5 => message(ContentKind::IncomingMessage, MessageType::FILE),
        6 => EnvelopeSummary {
            detail: Some(Detail::Words(Clean::literal("read, 1 message"))),
            ..message(ContentKind::IncomingMessage, MessageType::DELIVERY_RECEIPT)
        },
        7 => content(ContentKind::IncomingMessageUpdate),
        8 => content(ContentKind::OutgoingMessageUpdate),
        _ => EnvelopeSummary {
            action: Some(SyncAction::Update),
            detail: Some(Detail::Words(Clean::literal("nickname, profile picture, read receipts"))),
            ..content(ContentKind::ContactSync)
        },
    };
    summary.conversation = Some(conversation);
    summary.author = Some(DeviceId(u64::from(number % 4) + 1));
    summary
}

fn content(kind: ContentKind) -> EnvelopeSummary {
    EnvelopeSummary { protocol_version: 3, ..EnvelopeSummary::blank(kind) }
}

pub fn message(number: u32) -> ReflectedMessage {
    let at = Millis(1_700_000_000_000 + u64::from(number) * 3);
    let mut nonce = [7; 24];
    nonce[..4].copy_from_slice(&number.to_le_bytes());
    ReflectedMessage {
        id: ReflectedId(number),
        stored_at: at,
        received_at: at,
        size: 200 + number % 1_000,
        header: ReflectedHeader::default(),
        ephemeral: false,
        redelivered: false,
        repeated_nonce: false,
        nonce: Some(Nonce(nonce)),
        content: Ok(summary(number)),
        unknown_fields: Vec::new(),
        envelope: Sealed::default(),
    }
}

/// What comes with one read of the socket, and its acknowledgement.
pub fn batch(from: u32) -> [Event; 2] {
    let messages: Vec<_> = (from..from + BATCH).map(message).collect();
    let ids = messages.iter().map(|message| message.id).collect();
    [Event::Reflected(messages), Event::Acknowledged { ids, waited: std::time::Duration::from_micros(700) }]
}

/// Receives and acknowledges so many rows.
pub fn fill(group: &mut Group, rows: u32) {
    for from in (0..rows).step_by(BATCH as usize) {
        for event in batch(from) {
            group.apply(Millis(1_700_000_000_000 + u64::from(from) * 3), &event);
        }
    }
}
