//! The journal's settings in a profile.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the journal keeps of the other side of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptConversations {
    /// A pseudonym; making it needs the group's key.
    #[default]
    Hashed,
    /// The identity, or the group's id and creator.
    Plain,
    None,
}

/// How long the journal keeps a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalAge(pub Option<Duration>);

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a span such as 90d or 12h, or forever: {0}")]
pub struct NotAnAge(String);

/// The default of how many rows the journal keeps at most.
pub const DEFAULT_JOURNAL_ROWS: u64 = 1_000_000;

const FOREVER: &str = "forever";
const DAY: u64 = 24 * 60 * 60;

/// Where a profile's journal is, and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// The path of the file.
    pub path: PathBuf,
    /// What is kept of the other side of a conversation.
    pub conversations: KeptConversations,
    /// How long a message is kept; [`None`]: forever.
    pub age: Option<Duration>,
    /// How many messages are kept at most; [`None`]: no limit.
    pub rows: Option<u64>,
}

impl Default for JournalAge {
    fn default() -> Self {
        Self(Some(Duration::from_secs(90 * DAY)))
    }
}

impl FromStr for JournalAge {
    type Err = NotAnAge;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == FOREVER {
            return Ok(Self(None));
        }
        humantime::parse_duration(text).map(|age| Self(Some(age))).map_err(|error| NotAnAge(error.to_string()))
    }
}

/// Whole days are written as days: months and years have different lengths.
impl fmt::Display for JournalAge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => formatter.write_str(FOREVER),
            Some(age) if age.as_secs() % DAY == 0 && age.subsec_nanos() == 0 && !age.is_zero() => {
                write!(formatter, "{}d", age.as_secs() / DAY)
            }
            Some(age) => write!(formatter, "{}", humantime::format_duration(age)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_an_age_is_read_as_the_same() {
        for text in ["90d", "1d", "400d", "12h", "1day 12h", "forever", "0s"] {
            let age: JournalAge = text.parse().unwrap();
            assert_eq!(age.to_string(), text);
            assert_eq!(age.to_string().parse(), Ok(age));
        }
        assert_eq!(JournalAge::default().to_string(), "90d");
        assert!("soon".parse::<JournalAge>().is_err());
    }
}
