//! The numbers and bytes that stand for values in the file. They are never given another meaning.

use crate::protocol::d2d::{ContentKind, Conversation, SyncAction};
use crate::protocol::{DecodeError, MessageId, OpenError, Pseudonym, PseudonymKey};
use crate::text::Clean;

use super::Conversations;
use super::pseudonyms::{Pseudonyms, Tagged};

pub(super) const EPHEMERAL: i64 = 1;
pub(super) const REPEATED_NONCE: i64 = 2;
pub(super) const REDELIVERED: i64 = 4;

/// The tags of the other side of a conversation; in a pseudonym the high bit is set.
const CONTACT: u8 = 1;
const GROUP: u8 = 2;
const DISTRIBUTION_LIST: u8 = 3;
const HASHED: u8 = 0x80;

pub(super) const fn kind(kind: ContentKind) -> i64 {
    match kind {
        ContentKind::Unknown => 0,
        ContentKind::OutgoingMessage => 1,
        ContentKind::OutgoingMessageUpdate => 2,
        ContentKind::IncomingMessage => 3,
        ContentKind::IncomingMessageUpdate => 4,
        ContentKind::UserProfileSync => 5,
        ContentKind::ContactSync => 6,
        ContentKind::GroupSync => 7,
        ContentKind::DistributionListSync => 8,
        ContentKind::SettingsSync => 9,
        ContentKind::MdmParameterSync => 10,
    }
}

pub(super) fn kind_of(code: i64) -> ContentKind {
    ContentKind::ALL.into_iter().find(|known| kind(*known) == code).unwrap_or(ContentKind::Unknown)
}

pub(super) const fn action(action: SyncAction) -> u8 {
    match action {
        SyncAction::Create => 1,
        SyncAction::Update => 2,
        SyncAction::Delete => 3,
    }
}

pub(super) const fn action_of(code: u8) -> Option<SyncAction> {
    match code {
        1 => Some(SyncAction::Create),
        2 => Some(SyncAction::Update),
        3 => Some(SyncAction::Delete),
        _ => None,
    }
}

/// Never 0, which is none.
pub(super) const fn error(error: OpenError) -> u8 {
    match error {
        OpenError::TooShort => 1,
        OpenError::DoesNotDecrypt => 2,
        OpenError::Undecodable(_) => 3,
    }
}

pub(super) const fn error_of(code: u8) -> Option<OpenError> {
    match code {
        0 => None,
        1 => Some(OpenError::TooShort),
        2 => Some(OpenError::DoesNotDecrypt),
        // The only way in which an envelope fails to decode.
        _ => Some(OpenError::Undecodable(DecodeError::Malformed("envelope"))),
    }
}

/// The other side as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Plain(Conversation),
    Hashed(Pseudonym, Shape),
}

/// What a pseudonym stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Contact,
    Group,
    DistributionList,
}

/// Writes the other side of a conversation; nothing if nothing is kept of it.
pub(super) fn conversation(
    how: &Conversations,
    conversation: &Conversation,
    known: &mut Pseudonyms,
    out: &mut Vec<u8>,
) {
    out.clear();
    match how {
        Conversations::None => {}
        Conversations::Hashed(key) => out.extend(known.conversation(conversation, || hashed(key, conversation))),
        Conversations::Plain => plain(conversation, out),
    }
}

/// The bytes in which a conversation may be kept.
pub(super) fn forms(conversation: &Conversation, key: Option<&PseudonymKey>) -> Forms {
    let mut kept = Vec::new();
    plain(conversation, &mut kept);
    let hashed = key.map(|key| hashed(key, conversation));
    Forms { plain: kept, hashed }
}

pub(super) struct Forms {
    pub(super) plain: Vec<u8>,
    pub(super) hashed: Option<Tagged>,
}

fn hashed(key: &PseudonymKey, conversation: &Conversation) -> Tagged {
    tagged(tag(conversation) | HASHED, key.conversation(conversation))
}

fn tagged(tag: u8, pseudonym: Pseudonym) -> Tagged {
    let mut bytes = [tag; 9];
    bytes.iter_mut().skip(1).zip(pseudonym.0).for_each(|(target, source)| *target = source);
    bytes
}

/// Writes who sent; false if nothing is kept of that.
pub(super) fn sender(how: &Conversations, identity: &Clean, known: &mut Pseudonyms, out: &mut Vec<u8>) -> bool {
    out.clear();
    match how {
        Conversations::None => return false,
        Conversations::Hashed(key) => {
            out.extend(known.sender(identity, || tagged(CONTACT | HASHED, key.contact(identity))));
        }
        Conversations::Plain => {
            out.push(CONTACT);
            out.extend(identity.as_str().as_bytes());
        }
    }
    true
}

const fn tag(conversation: &Conversation) -> u8 {
    match conversation {
        Conversation::Contact(_) => CONTACT,
        Conversation::Group { .. } => GROUP,
        Conversation::DistributionList(_) => DISTRIBUTION_LIST,
    }
}

fn plain(conversation: &Conversation, out: &mut Vec<u8>) {
    out.push(tag(conversation));
    match conversation {
        Conversation::Contact(identity) => out.extend(identity.as_str().as_bytes()),
        Conversation::Group { id, creator } => {
            out.extend(id.0.to_le_bytes());
            out.extend(creator.as_str().as_bytes());
        }
        Conversation::DistributionList(id) => out.extend(id.0.to_le_bytes()),
    }
}

/// Reads what was written by either; [`None`] if it is neither.
pub(super) fn side(bytes: &[u8]) -> Option<Side> {
    let (tag, rest) = bytes.split_first()?;
    let id = || rest.first_chunk().copied().map(u64::from_le_bytes).map(MessageId);
    Some(match *tag {
        CONTACT => Side::Plain(Conversation::Contact(Clean::from_bytes(rest))),
        GROUP => Side::Plain(Conversation::Group { id: id()?, creator: Clean::from_bytes(rest.get(8..)?) }),
        DISTRIBUTION_LIST => Side::Plain(Conversation::DistributionList(id()?)),
        hashed => {
            let shape = match hashed & !HASHED {
                CONTACT => Shape::Contact,
                GROUP => Shape::Group,
                _ => Shape::DistributionList,
            };
            Side::Hashed(Pseudonym(rest.first_chunk().copied()?), shape)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for known in ContentKind::ALL {
            assert_eq!(kind_of(kind(known)), known);
        }
        for known in [SyncAction::Create, SyncAction::Update, SyncAction::Delete] {
            assert_eq!(action_of(action(known)), Some(known));
        }
        let malformed = OpenError::Undecodable(DecodeError::Malformed("envelope"));
        for known in [OpenError::TooShort, OpenError::DoesNotDecrypt, malformed] {
            assert_eq!(error_of(error(known)), Some(known));
        }
    }

    #[test]
    fn bytes_that_nobody_wrote_are_nothing() {
        for bytes in [&[][..], &[GROUP, 1, 2], &[DISTRIBUTION_LIST], &[CONTACT | HASHED, 1]] {
            assert_eq!(side(bytes), None, "{bytes:?}");
        }
    }
}
