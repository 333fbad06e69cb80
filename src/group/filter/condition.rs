//! [`RowCondition`]: one condition on a row.

use std::time::Duration;

use super::FilterContext;
use super::comparison::Comparison;
use super::kinds::Kinds;
use super::subject::Subject;
use super::time_expression::TimeExpression;
use crate::protocol::DeviceId;
use crate::protocol::d2d::{Conversation, Direction};
use crate::text::Clean;

/// One condition on a row. Where there are several values, one of them will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowCondition {
    Kind(Vec<Kinds>),
    Direction(Direction),
    From(Vec<String>),
    With(Vec<String>),
    Id(Comparison, u64),
    Size(Comparison, u64),
    Age(Comparison, Duration),
    AckAfter(Comparison, Duration),
    Acknowledged,
    Since(TimeExpression),
    Until(TimeExpression),
    Is(Vec<RowMark>),
    Word(String),
}

/// What may be unusual about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowMark {
    Replay,
    Again,
    Ephemeral,
    Unreadable,
    Gap,
}

impl RowMark {
    pub(super) const ALL: [Self; 5] = [Self::Replay, Self::Again, Self::Ephemeral, Self::Unreadable, Self::Gap];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Again => "again",
            Self::Ephemeral => "ephemeral",
            Self::Unreadable => "unreadable",
            Self::Gap => "gap",
        }
    }

    fn holds(self, subject: &impl Subject) -> bool {
        let marks = subject.marks();
        match self {
            Self::Replay => marks.repeated_nonce,
            Self::Again => marks.redelivered,
            Self::Ephemeral => marks.ephemeral,
            Self::Unreadable => subject.kind().is_none(),
            Self::Gap => marks.gap.is_some(),
        }
    }
}

/// What stands alone and is no word to look for.
pub(super) const BARE: [(&str, RowCondition); 4] = [
    ("in", RowCondition::Direction(Direction::Incoming)),
    ("out", RowCondition::Direction(Direction::Outgoing)),
    ("sync", RowCondition::Direction(Direction::Sync)),
    ("ack", RowCondition::Acknowledged),
];

impl RowCondition {
    pub(super) fn word(word: &str) -> Self {
        Self::Word(word.to_lowercase())
    }

    pub(super) fn holds(&self, subject: &impl Subject, context: &FilterContext<'_>) -> bool {
        match self {
            Self::Kind(kinds) => kinds.iter().any(|kinds| kinds.have(subject.kind(), subject.message_type())),
            Self::Direction(direction) => subject.kind().is_some_and(|kind| kind.direction() == *direction),
            Self::From(names) => is_from(names, subject.author(), context),
            Self::With(names) => is_with(names, subject.conversation(), context),
            Self::Id(comparison, id) => comparison.holds(&u64::from(subject.id().0), id),
            Self::Size(comparison, bytes) => comparison.holds(&u64::from(subject.size()), bytes),
            Self::Age(comparison, age) => {
                let stored_at = subject.stored_at().offset_by(context.clock_offset.saturating_neg());
                comparison.holds(&subject.received_at().since(stored_at), age)
            }
            Self::AckAfter(comparison, span) => {
                subject.acknowledged_after().is_some_and(|waited| comparison.holds(&waited, span))
            }
            Self::Acknowledged => subject.acknowledged_after().is_some(),
            Self::Since(time) => {
                time.at(context.moment.now, &context.moment).is_none_or(|since| subject.received_at() >= since)
            }
            Self::Until(time) => {
                time.at(context.moment.now, &context.moment).is_some_and(|until| subject.received_at() < until)
            }
            Self::Is(marks) => marks.iter().any(|mark| mark.holds(subject)),
            Self::Word(word) => has_word(word, subject, context),
        }
    }

    pub(super) fn is_volatile(&self) -> bool {
        match self {
            Self::AckAfter(..) | Self::Acknowledged | Self::Age(..) | Self::Since(_) | Self::Until(_) => true,
            Self::Is(marks) => marks.contains(&RowMark::Again),
            _ => false,
        }
    }

    pub(super) const fn names_somebody(&self) -> bool {
        matches!(self, Self::From(_) | Self::With(_) | Self::Word(_))
    }
}

/// By id, by label, or by platform; `me` is this device.
pub(super) fn is_from(names: &[String], author: Option<DeviceId>, context: &FilterContext<'_>) -> bool {
    let Some(author) = author else { return names.iter().any(|name| name == "unsaid") };
    let id = author.to_string();
    let info = context.devices.info(author);
    names.iter().any(|name| {
        id.starts_with(name.as_str())
            || (name == "me" && context.own == Some(author))
            || info.is_some_and(|info| has(&info.label, name) || info.platform.to_string().to_lowercase() == *name)
    })
}

/// By identity, by the beginning of an id, or by name.
pub(super) fn is_with(names: &[String], conversation: Option<&Conversation>, context: &FilterContext<'_>) -> bool {
    let Some(conversation) = conversation else { return false };
    let known_as = context.names.of(conversation);
    names.iter().any(|name| {
        let id = match conversation {
            Conversation::Contact(identity) => starts(identity, name),
            Conversation::Group { id, creator } => id.to_string().starts_with(name.as_str()) || starts(creator, name),
            Conversation::DistributionList(id) => id.to_string().starts_with(name.as_str()),
        };
        id || known_as.is_some_and(|known_as| has(known_as, name))
    })
}

/// In the sentence, in the label of the device, or in the ids and names of the conversation.
fn has_word(word: &str, subject: &impl Subject, context: &FilterContext<'_>) -> bool {
    has(&subject.sentence(context.names), word)
        || subject.author().is_some_and(|author| has(&context.devices.label(author), word))
        || subject.conversation().is_some_and(|conversation| match conversation {
            Conversation::Contact(identity) => has(identity, word),
            Conversation::Group { id, creator } => has(creator, word) || id.to_string().contains(word),
            Conversation::DistributionList(id) => id.to_string().contains(word),
        })
}

/// Whether it occurs there, whatever the case; `part` is in lower case.
fn has(text: &Clean, part: &str) -> bool {
    let text = text.as_str();
    if text.is_ascii() && part.is_ascii() {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        return part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    }
    text.to_lowercase().contains(part)
}

fn starts(text: &Clean, part: &str) -> bool {
    text.as_str().to_lowercase().starts_with(part)
}
