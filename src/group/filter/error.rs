//! [`FilterError`]: why a text is not a filter.

use super::condition::RowMark;
use super::key::key_names;
use crate::text::Clean;

/// Why a text is not a filter, where, and what is possible there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FilterError {
    /// The byte at which the trouble begins.
    pub at: usize,
    pub(super) problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("there is no “{0}:”; there is {list}, and \"quotes\" for words", list = key_names())]
    NoSuchKey(Clean),
    #[error("no kind is called “{0}”; some are text, file, receipt, typing, call, contact, group, settings, sync")]
    NoSuchKind(Clean),
    #[error("no row is “{0}”; rows are {list}", list = RowMark::ALL.map(RowMark::name).join(", "))]
    NoSuchMark(Clean),
    #[error("“{0}” is not a size, such as 200, 1k or 1.5M")]
    NotASize(Clean),
    #[error("“{0}” is not a span of time, such as 10ms, 2s, 5m, 1h or 2d")]
    NotASpan(Clean),
    #[error("“{0}” is not a time, such as 14:05, 10m (ago), 2026-01-31 or 2026-01-31T14:05")]
    NotATime(Clean),
    #[error("“{0}” is not an id, which is a number")]
    NotAnId(Clean),
    #[error("a value is missing, such as {0}")]
    NoValue(&'static str),
    #[error("this has no more or less; write {0}")]
    NoOrder(&'static str),
    #[error("one value only, such as {0}")]
    OneValue(&'static str),
    #[error("a closing \" is missing")]
    OpenQuote,
    #[error("something is missing after the sign, such as !ack")]
    NothingNegated,
}
