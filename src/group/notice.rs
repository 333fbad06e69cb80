//! What a person should have read.

use std::collections::VecDeque;

use super::refusal::Refusal;
use crate::protocol::Millis;
use crate::text::Clean;

/// How many notices are kept.
const KEPT: usize = 32;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something asked for was done.
    Done,
    /// Something asked for is on its way.
    UnderWay,
    /// Something asked for was not done.
    Refused,
    /// Something that this device had is gone.
    Lost,
    /// Something of the server's was not understood.
    Ignored,
    /// A device appeared, changed, or is gone, and nobody here asked for it; or a message was replayed.
    Alarm,
}

/// One line about something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When it happened, by our clock.
    pub at: Millis,
    /// How it turned out for the user.
    pub kind: NoticeKind,
    /// What happened, in words; not what can be done about it.
    pub text: Clean,
    /// What happened, where there is something to be done about it.
    pub subject: Option<NoticeSubject>,
}

/// What a notice tells that a person can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeSubject {
    /// What was asked for is not done.
    Refused(Refusal),
    /// This device had the lock, and lost it with the connection.
    LockLost,
}

/// The last few notices, and how many there ever were.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    kept: VecDeque<Notice>,
    count: u64,
    ignored: u64,
    alarms: u64,
}

impl Notices {
    /// How many there ever were; a view that remembers this number knows whether there is a new one.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many of the server's messages were not understood.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// How many were about a device that appeared, changed or is gone, or about a replay.
    #[must_use]
    pub const fn alarms(&self) -> u64 {
        self.alarms
    }

    /// Those that are kept, the oldest first.
    pub fn kept(&self) -> impl Iterator<Item = &Notice> {
        self.kept.iter()
    }

    /// The newest notice.
    #[must_use]
    pub fn last(&self) -> Option<&Notice> {
        self.kept.back()
    }

    /// Those that came after so many, as far as they are kept, the oldest first.
    pub fn since(&self, count: u64) -> impl Iterator<Item = &Notice> {
        let new = usize::try_from(self.count.saturating_sub(count)).unwrap_or(usize::MAX);
        self.kept.iter().skip(self.kept.len().saturating_sub(new))
    }

    /// The last few, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.kept.iter().rev()
    }

    pub(super) fn push(&mut self, at: Millis, kind: NoticeKind, text: Clean) {
        self.push_about(at, kind, text, None);
    }

    pub(super) fn push_about(&mut self, at: Millis, kind: NoticeKind, text: Clean, subject: Option<NoticeSubject>) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Notice { at, kind, text, subject });
        self.count += 1;
        self.ignored += u64::from(kind == NoticeKind::Ignored);
        self.alarms += u64::from(kind == NoticeKind::Alarm);
    }
}
