//! [`Packed`]: a row in 92 bytes, and the tables of what rows share.

use std::time::Duration;

use super::interned::{Interned, Symbol};
use super::row::{FeedRow, RowMarks};
use crate::group::ReflectedMessage;
use crate::protocol::d2d::{ContentKind, Conversation, Detail, EnvelopeSummary, MessageType, NameChange, SyncAction};
use crate::protocol::{DeviceId, MessageId, Millis, Nonce, OpenError, ReflectedHeader, ReflectedId};
use crate::text::Clean;

const EPHEMERAL: u8 = 1;
const REPEATED_NONCE: u8 = 1 << 1;
const REDELIVERED: u8 = 1 << 2;
const HAS_NONCE: u8 = 1 << 3;
const HAS_TYPE: u8 = 1 << 4;
const HAS_MESSAGE_ID: u8 = 1 << 5;
const HAS_CREATED_AT: u8 = 1 << 6;

/// Stands for an acknowledgement that has not left yet.
const NEVER: u32 = u32::MAX;

/// A row, packed. Times keep 48 bits, which last until the year 10889; an acknowledgement's delay is told in
/// microseconds, up to 71 minutes.
#[derive(Clone, Copy, Debug)]
pub(in crate::group) struct Packed {
    stored_at: [u8; 6],
    received_at: [u8; 6],
    created_at: [u8; 6],
    message_id: [u8; 8],
    nonce: [u8; 24],
    pub(in crate::group) id: ReflectedId,
    pub(in crate::group) size: u32,
    body_length: u32,
    pub(in crate::group) count: u32,
    acknowledged_after: u32,
    gap: u32,
    pub(in crate::group) author: Symbol,
    pub(in crate::group) party: Symbol,
    pub(in crate::group) detail: Symbol,
    header_flags: u16,
    header_length: u8,
    flags: u8,
    content: Content,
    message_type: u8,
}

/// The content's kind and action, or that it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::group) struct Content {
    kind: u8,
}

impl Content {
    const ERROR: Self = Self { kind: u8::MAX };
    const ACTION: u32 = 4;

    fn of(kind: ContentKind, action: Option<SyncAction>) -> Self {
        let action = match action {
            None => 0,
            Some(SyncAction::Create) => 1,
            Some(SyncAction::Update) => 2,
            Some(SyncAction::Delete) => 3,
        };
        Self { kind: kind as u8 | action << Self::ACTION }
    }

    fn kind(self) -> Option<ContentKind> {
        if self == Self::ERROR { None } else { ContentKind::ALL.get(usize::from(self.kind & 0x0f)).copied() }
    }

    const fn action(self) -> Option<SyncAction> {
        match self.kind >> Self::ACTION {
            1 => Some(SyncAction::Create),
            2 => Some(SyncAction::Update),
            3 => Some(SyncAction::Delete),
            _ => None,
        }
    }
}

/// A device, and the version it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::group) struct PackedAuthor {
    pub(in crate::group) device: Option<DeviceId>,
    protocol_version: u32,
}

/// Everybody that a row names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::group) struct Party {
    pub(in crate::group) conversation: Option<Conversation>,
    pub(in crate::group) sender: Option<Clean>,
    pub(in crate::group) nickname: Option<Clean>,
    pub(in crate::group) name: Option<NameChange>,
}

/// The values that rows share, each stored once.
#[derive(Debug, Default)]
pub(in crate::group) struct Tables {
    pub(in crate::group) authors: Interned<PackedAuthor>,
    pub(in crate::group) parties: Interned<Party>,
    pub(in crate::group) details: Interned<Detail>,
    errors: Interned<OpenError>,
}

impl Tables {
    pub(super) fn pack(&mut self, message: &ReflectedMessage, gap: Option<u32>) -> Packed {
        let mut packed = Packed::blank(message, gap);
        match &message.content {
            Ok(summary) => self.pack_summary(&mut packed, summary),
            Err(error) => packed.detail = self.errors.take(error),
        }
        packed
    }

    fn pack_summary(&mut self, packed: &mut Packed, summary: &EnvelopeSummary) {
        packed.content = Content::of(summary.kind, summary.action);
        packed.body_length = summary.body_length;
        packed.count = summary.count;
        if let Some(MessageType(number)) = summary.message_type {
            packed.message_type = number;
            packed.flags |= HAS_TYPE;
        }
        if let Some(MessageId(id)) = summary.message_id {
            packed.message_id = id.to_le_bytes();
            packed.flags |= HAS_MESSAGE_ID;
        }
        if let Some(created_at) = summary.created_at {
            packed.created_at = short(created_at);
            packed.flags |= HAS_CREATED_AT;
        }
        let author = PackedAuthor { device: summary.author, protocol_version: summary.protocol_version };
        packed.author = self.authors.take(&author);
        let party = Party {
            conversation: summary.conversation.clone(),
            sender: summary.sender.clone(),
            nickname: summary.nickname.clone(),
            name: summary.name.clone(),
        };
        if party != Party::default() {
            packed.party = self.parties.take(&party);
        }
        if let Some(detail) = &summary.detail {
            packed.detail = self.details.take(detail);
        }
    }

    pub(super) fn release(&mut self, packed: &Packed) {
        if packed.is_unreadable() {
            self.errors.release(packed.detail);
            return;
        }
        self.authors.release(packed.author);
        self.parties.release(packed.party);
        self.details.release(packed.detail);
    }

    pub(in crate::group) fn expand(&self, packed: &Packed) -> FeedRow {
        FeedRow {
            id: packed.id,
            size: packed.size,
            stored_at: packed.stored_at(),
            received_at: packed.received_at(),
            acknowledged_after: packed.acknowledged_after(),
            header: ReflectedHeader { length: packed.header_length, flags: packed.header_flags },
            nonce: packed.has(HAS_NONCE).then_some(Nonce(packed.nonce)),
            content: match packed.kind() {
                Some(kind) => Ok(self.summary(packed, kind)),
                None => Err(self.errors.get(packed.detail).copied().unwrap_or(OpenError::DoesNotDecrypt)),
            },
            marks: packed.marks(),
        }
    }

    /// What the row says; of an unreadable one, nothing.
    fn summary(&self, packed: &Packed, kind: ContentKind) -> EnvelopeSummary {
        let author = self.authors.get(packed.author);
        let party = self.parties.get(packed.party).cloned().unwrap_or_default();
        EnvelopeSummary {
            author: author.and_then(|author| author.device),
            protocol_version: author.map_or(0, |author| author.protocol_version),
            kind,
            conversation: party.conversation,
            message_type: packed.message_type(),
            message_id: packed.has(HAS_MESSAGE_ID).then(|| MessageId(u64::from_le_bytes(packed.message_id))),
            created_at: packed.has(HAS_CREATED_AT).then(|| long(packed.created_at)),
            action: packed.content.action(),
            body_length: packed.body_length,
            count: packed.count,
            sender: party.sender,
            nickname: party.nickname,
            name: party.name,
            detail: self.details.get(packed.detail).cloned(),
        }
    }

    /// Which device reflected the row, if it can be read and says so.
    pub(in crate::group) fn author(&self, packed: &Packed) -> Option<DeviceId> {
        self.authors.get(packed.author)?.device
    }
}

impl Packed {
    fn blank(message: &ReflectedMessage, gap: Option<u32>) -> Self {
        let marks = [
            (message.ephemeral, EPHEMERAL),
            (message.repeated_nonce, REPEATED_NONCE),
            (message.redelivered, REDELIVERED),
            (message.nonce.is_some(), HAS_NONCE),
        ];
        Self {
            stored_at: short(message.stored_at),
            received_at: short(message.received_at),
            created_at: [0; 6],
            message_id: [0; 8],
            nonce: message.nonce.map_or([0; 24], |nonce| nonce.0),
            id: message.id,
            size: message.size,
            body_length: 0,
            count: 0,
            acknowledged_after: NEVER,
            gap: gap.unwrap_or(0),
            author: Symbol::NONE,
            party: Symbol::NONE,
            detail: Symbol::NONE,
            header_flags: message.header.flags,
            header_length: message.header.length,
            flags: marks.into_iter().filter(|(set, _)| *set).fold(0, |flags, (_, flag)| flags | flag),
            content: Content::ERROR,
            message_type: 0,
        }
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(in crate::group) fn kind(&self) -> Option<ContentKind> {
        self.content.kind()
    }

    /// What the sentence is made of, besides the symbols and the count.
    pub(in crate::group) const fn wording(&self) -> (Content, u8) {
        (self.content, self.message_type)
    }

    pub(in crate::group) fn message_type(&self) -> Option<MessageType> {
        self.has(HAS_TYPE).then_some(MessageType(self.message_type))
    }

    pub(in crate::group) fn is_unreadable(&self) -> bool {
        self.content == Content::ERROR
    }

    pub(in crate::group) const fn stored_at(&self) -> Millis {
        long(self.stored_at)
    }

    pub(in crate::group) const fn received_at(&self) -> Millis {
        long(self.received_at)
    }

    pub(in crate::group) fn acknowledged_after(&self) -> Option<Duration> {
        (self.acknowledged_after != NEVER).then(|| Duration::from_micros(u64::from(self.acknowledged_after)))
    }

    pub(in crate::group) fn marks(&self) -> RowMarks {
        RowMarks {
            ephemeral: self.has(EPHEMERAL),
            repeated_nonce: self.has(REPEATED_NONCE),
            redelivered: self.has(REDELIVERED),
            gap: (self.gap > 0).then_some(self.gap),
        }
    }

    pub(super) fn acknowledge(&mut self, waited: Duration) {
        self.acknowledged_after = u32::try_from(waited.as_micros()).unwrap_or(NEVER - 1).min(NEVER - 1);
    }

    pub(super) fn shift(&mut self, by: i64) {
        self.received_at = short(self.received_at().offset_by(by));
    }

    pub(super) fn receive_again(&mut self, at: Millis) {
        self.received_at = short(at);
        self.flags |= REDELIVERED;
    }
}

const fn short(at: Millis) -> [u8; 6] {
    const MOST: u64 = (1 << 48) - 1;
    let [bytes @ .., _, _] = (if at.0 > MOST { MOST } else { at.0 }).to_le_bytes();
    bytes
}

const fn long(bytes: [u8; 6]) -> Millis {
    let mut all = [0; 8];
    if let Some(low) = all.first_chunk_mut() {
        *low = bytes;
    }
    Millis(u64::from_le_bytes(all))
}
