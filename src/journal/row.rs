//! A row of the file, written and read.

use rusqlite::types::Type;

use super::checksum::IS_INTACT;
use super::code::{self, Shape, Side};
use super::row_blob::{self, RowBlob};
use crate::group::ConversationNames;
use crate::group::FeedRow;
use crate::group::feed::RowMarks;
use crate::protocol::d2d::{Conversation, Detail, EnvelopeSummary};
use crate::protocol::{DeviceId, MessageId, Millis, Pseudonym};
use crate::text::Clean;

/// A message that was received at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Counts from 1 in the order of receipt.
    pub number: u64,
    /// The message. Its conversation and sender are there only if they are kept as they are.
    pub row: FeedRow,
    /// When its acknowledgement left.
    pub acknowledged_at: Option<Millis>,
    /// What stands for its conversation.
    pub conversation: Option<Pseudonym>,
    /// What that is a pseudonym of.
    pub(super) shape: Shape,
    /// What stands for who sent it, where the conversation does not say.
    pub sender: Option<Pseudonym>,
}

impl HistoryRow {
    /// The row as people read it: where only a pseudonym is kept, `#` and its first digits stand for the name.
    #[must_use]
    pub fn shown(&self) -> FeedRow {
        let mut row = self.row.clone();
        if let Ok(summary) = &mut row.content {
            if let Some(pseudonym) = self.conversation {
                summary.conversation = Some(stand_in(pseudonym, self.shape));
            }
            if let Some(pseudonym) = self.sender {
                summary.sender = Some(Clean::new(&short(pseudonym)));
            }
        }
        row
    }

    /// What it says, or why that cannot be read.
    #[must_use]
    pub fn sentence(&self) -> Clean {
        self.shown().sentence(&ConversationNames::none())
    }
}

fn short(pseudonym: Pseudonym) -> String {
    format!("#{pseudonym:.8}")
}

/// Says what the conversation itself would say: "text to group #1f3c90ab", "new contact #1f3c90ab".
fn stand_in(pseudonym: Pseudonym, shape: Shape) -> Conversation {
    let name = short(pseudonym);
    match shape {
        Shape::Contact => Conversation::Contact(Clean::new(&name)),
        Shape::Group => {
            Conversation::Group { id: MessageId(u64::from_be_bytes(pseudonym.0)), creator: Clean::new(&name) }
        }
        Shape::DistributionList => Conversation::Contact(Clean::new(&format!("list {name}"))),
    }
}

/// What [`read`] reads, in its order.
pub(super) fn select(with_others: bool) -> String {
    // What stands in another table may be damaged.
    let (words, from) = if with_others {
        ("words", "message LEFT JOIN detail ON detail.number = message.detail")
    } else {
        ("NULL", "message")
    };
    format!("SELECT row, received_at, marks, kind, author, conversation, {words}, rest, {IS_INTACT} FROM {from}")
}

/// Everything of a row that no query asks for.
pub(super) fn blob<'a>(row: &'a rusqlite::Row<'_>, index: usize) -> rusqlite::Result<RowBlob<'a>> {
    row_blob::read(row.get_ref(index)?.as_blob()?).ok_or_else(|| broken(index))
}

/// The same of a row that is to be as it was written, which another column says.
pub(super) fn intact_blob<'a>(
    row: &'a rusqlite::Row<'_>,
    index: usize,
    is_intact: usize,
) -> rusqlite::Result<RowBlob<'a>> {
    if row.get(is_intact)? { blob(row, index) } else { Err(broken(index)) }
}

fn broken(index: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(index, "rest".to_owned(), Type::Blob)
}

/// Reads a row; when it was acknowledged stands elsewhere.
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<HistoryRow> {
    let number = |index: usize| row.get(index).map(i64::cast_unsigned);
    let marks: i64 = row.get(2)?;
    let rest = intact_blob(row, 7, 8)?;
    let (mut conversation, mut shape, mut sender) = (None, Shape::Contact, None);
    let content = match rest.content {
        Err(error) => Err(error),
        Ok(written) => Ok(summary(row, &written, &mut conversation, &mut shape, &mut sender)?),
    };
    Ok(HistoryRow {
        number: number(0)?,
        acknowledged_at: None,
        conversation,
        shape,
        sender,
        row: FeedRow {
            id: rest.id,
            received_at: Millis(number(1)?),
            stored_at: rest.stored_at,
            size: rest.size,
            acknowledged_after: None,
            header: rest.header,
            nonce: rest.nonce,
            content,
            marks: RowMarks {
                ephemeral: marks & code::EPHEMERAL != 0,
                repeated_nonce: marks & code::REPEATED_NONCE != 0,
                redelivered: marks & code::REDELIVERED != 0,
                gap: None,
            },
        },
    })
}

fn summary(
    row: &rusqlite::Row<'_>,
    written: &row_blob::BlobSummary<'_>,
    conversation: &mut Option<Pseudonym>,
    shape: &mut Shape,
    sender: &mut Option<Pseudonym>,
) -> Result<EnvelopeSummary, rusqlite::Error> {
    let mut summary = EnvelopeSummary {
        name: None,
        // Older journals hold the 0 of an author that was not said.
        author: row
            .get::<_, Option<i64>>(4)?
            .filter(|author| *author != 0)
            .map(|author| DeviceId(author.cast_unsigned())),
        protocol_version: written.protocol_version,
        kind: code::kind_of(row.get(3)?),
        conversation: None,
        message_type: written.message_type,
        message_id: written.message_id,
        created_at: written.created_at,
        action: written.action.and_then(code::action_of),
        body_length: written.body_length,
        count: written.count,
        sender: None,
        nickname: None,
        detail: row.get_ref(6)?.as_str_or_null()?.map(|words| Detail::of_words(&Clean::new(words))),
    };
    match row.get_ref(5)?.as_blob_or_null()?.and_then(code::side) {
        Some(Side::Plain(with)) => summary.conversation = Some(with),
        Some(Side::Hashed(with, of)) => (*conversation, *shape) = (Some(with), of),
        None => {}
    }
    match written.sender.and_then(code::side) {
        Some(Side::Plain(Conversation::Contact(identity))) => summary.sender = Some(identity),
        Some(Side::Hashed(identity, Shape::Contact)) => *sender = Some(identity),
        _ => {}
    }
    Ok(summary)
}
