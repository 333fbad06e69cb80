//! [`Query`]: which rows are looked for, and how that is said to the database.

use rusqlite::types::Value;

use super::checksum::IS_INTACT;
use super::code;
use super::span::Spans;
use crate::protocol::d2d::{ContentKind, Conversation};
use crate::protocol::{DeviceId, MessageId, Millis, PseudonymKey};
use crate::text::Clean;

/// Which rows are looked for; those of which all is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Received then or later.
    pub since: Option<Millis>,
    /// Received before then.
    pub until: Option<Millis>,
    /// One of these; empty: any.
    pub kinds: Vec<ContentKind>,
    /// Reflected by this device.
    pub from: Option<DeviceId>,
    /// The people that it is about.
    pub who: Option<Who>,
}

/// The other side of a conversation, in all ways in which it may be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    whole: Vec<Vec<u8>>,
    /// Beginnings: of a group's plain form only the id is known.
    begins: Vec<Vec<u8>>,
    /// The first hex digits of a pseudonym.
    pseudonym: Option<String>,
}

impl Who {
    /// A contact by identity. Without the key it is found only where it is kept as it is.
    #[must_use]
    pub fn contact(identity: &Clean, key: Option<&PseudonymKey>) -> Self {
        let forms = code::forms(&Conversation::Contact(identity.clone()), key);
        let whole = forms.hashed.iter().map(|bytes| bytes.to_vec()).chain([forms.plain]).collect();
        Self { whole, ..Self::default() }
    }

    /// A group or distribution list by its id; a group whoever created it.
    #[must_use]
    pub fn id(id: MessageId, key: Option<&PseudonymKey>) -> Self {
        let list = code::forms(&Conversation::DistributionList(id), key);
        let group = code::forms(&Conversation::Group { id, creator: Clean::default() }, key);
        let hashed = list.hashed.iter().chain(&group.hashed).map(|bytes| bytes.to_vec());
        Self { whole: hashed.chain([list.plain]).collect(), begins: vec![group.plain], pseudonym: None }
    }

    /// What begins with these hex digits of a pseudonym.
    #[must_use]
    pub fn pseudonym(digits: &str) -> Option<Self> {
        let fits = (1..=16).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        fits.then(|| Self { pseudonym: Some(digits.to_ascii_uppercase()), ..Self::default() })
    }
}

/// A query in the words of the database.
#[derive(Clone)]
pub(super) struct Condition {
    /// All of them are true of a row that is meant.
    filters: Vec<String>,
    values: Vec<Value>,
    /// The rows that can be meant. As one pair of bounds, since the database uses only one of several.
    first: u64,
    last: u64,
}

impl Condition {
    /// [`None`] if no row can be meant. Without spans, all are looked at.
    pub(super) fn of(query: &Query, spans: Option<&Spans>) -> Option<Self> {
        let mut condition = Self { filters: Vec::new(), values: Vec::new(), first: 0, last: u64::MAX };
        let time = |at: Millis| Value::Integer(i64::try_from(at.0).unwrap_or(i64::MAX));
        if let Some(since) = query.since {
            condition.first = spans.map_or(Some(0), |spans| spans.first_since(since))?;
            condition.add("received_at >= ?", [time(since)]);
        }
        if let Some(until) = query.until {
            condition.last = spans.map_or(Some(u64::MAX), |spans| spans.last_before(until))?;
            condition.add("received_at < ?", [time(until)]);
        }
        if !query.kinds.is_empty() {
            let kinds = query.kinds.iter().map(|kind| Value::Integer(code::kind(*kind)));
            condition.add_any("kind = ?", kinds);
        }
        if let Some(from) = query.from {
            // 0 is "not said"; older journals hold it as it came.
            let text = if from.0 == 0 { "(author IS NULL OR author = ?)" } else { "author = ?" };
            condition.add(text, [Value::Integer(from.0.cast_signed())]);
        }
        if let Some(who) = &query.who {
            condition.add_who(who);
        }
        Some(condition)
    }

    /// What is true of the rows that are meant, and of those within the bounds that are not as they were written: whether
    /// they were meant cannot be told, so that they are not left out without a word.
    pub(super) fn sql(&self) -> String {
        let within = "row BETWEEN ? AND ?";
        if self.filters.is_empty() {
            return within.to_owned();
        }
        format!("{within} AND (({}) OR NOT {IS_INTACT})", self.filters.join(" AND "))
    }

    /// Narrowed to these rows.
    pub(super) fn between(self, first: u64, last: u64) -> Self {
        Self { first: self.first.max(first), last: self.last.min(last), ..self }
    }

    /// The rows that can be meant.
    pub(super) const fn bounds(&self) -> (u64, u64) {
        (self.first, self.last)
    }

    /// The values of the question marks.
    pub(super) fn all_values(self) -> impl Iterator<Item = Value> {
        let bound = |row: u64| Value::Integer(row.min(i64::MAX as u64).cast_signed());
        [bound(self.first), bound(self.last)].into_iter().chain(self.values)
    }

    fn add(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.filters.push(sql.to_owned());
        self.values.extend(values);
    }

    fn add_any(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        let values: Vec<Value> = values.into_iter().collect();
        let any = vec![sql; values.len()].join(" OR ");
        self.add(&format!("({any})"), values);
    }

    fn add_who(&mut self, who: &Who) {
        let mut any = vec!["0"];
        let mut values = Vec::new();
        for bytes in &who.whole {
            any.push("conversation = ?");
            values.push(Value::Blob(bytes.clone()));
        }
        for bytes in &who.begins {
            any.push("substr(conversation, 1, 9) = ?");
            values.push(Value::Blob(bytes.clone()));
        }
        if let Some(digits) = &who.pseudonym {
            any.push("conversation > x'80' AND hex(substr(conversation, 2)) LIKE ?");
            values.push(Value::Text(format!("{digits}%")));
        }
        let any = any.join(" OR ");
        self.add(&format!("({any})"), values);
    }
}
