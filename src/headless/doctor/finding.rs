//! One line of the report.

use std::fmt;

use serde_json::json;

use crate::output::ndjson;
use crate::runtime::clock;
use crate::text::Clean;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    /// Well enough, but a person should know.
    Warn,
    Fail,
    /// Could not be tried.
    Skipped,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skipped => "skip",
        }
    }

    const fn glyph(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warn => "!",
            Self::Fail => "✖",
            Self::Skipped => "·",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    check: &'static str,
    pub(super) status: Status,
    words: Clean,
}

impl Finding {
    pub(super) fn new(check: &'static str, status: Status, words: &str) -> Self {
        Self { check, status, words: Clean::new(words) }
    }

    pub(super) fn skipped(check: &'static str, why: &str) -> Self {
        Self::new(check, Status::Skipped, &format!("not checked: {why}"))
    }

    /// As one JSON object; the names and values are a contract with scripts.
    pub(super) fn to_json(&self) -> String {
        let fields = json!({ "check": self.check, "status": self.status.word(), "words": self.words });
        ndjson::line(clock::now(), "finding", fields).to_string()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, status, words } = self;
        write!(formatter, "{} {:4}  {check:8}  {words}", status.glyph(), status.word())
    }
}
