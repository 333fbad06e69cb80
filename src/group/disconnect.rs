//! Why a connection ended, and what comes next.

use std::fmt;

use crate::protocol::{CloseCode, Millis, SlotState};
use crate::text::Clean;

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectCause {
    /// The server closed with this code and these words.
    ClosedByServer {
        /// The close code of the server's close frame.
        code: CloseCode,
        /// The server's words, often none.
        reason: Clean,
        /// What this login expected of our slot.
        expected: SlotState,
    },
    /// No connection could be made, for this reason.
    Unreachable(Clean),
    /// The connection broke without a close.
    Broken(Clean),
    /// No answer to a ping within its deadline.
    NoAnswer,
    /// The login took too long.
    HandshakeTimeout,
    /// The server broke the protocol in this way.
    ServerProtocolError(Clean),
    /// We left because we were promoted to leader.
    LeaderRole,
    /// The visit is over: what waited was taken in, and the list was told.
    VisitOver,
    /// Messages that the journal could not take are fetched again, now that it can.
    JournalCaughtUp,
    /// The chat client that used the connection has gone; the next one needs a new one.
    ChatClientLeft,
    /// Our own device was dropped as the user asked.
    LeftGroup,
    /// The user asked for the end.
    ByUser,
}

/// What a session does after a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Connects again by itself.
    RetryAt {
        /// When the next attempt begins, by our clock.
        at: Millis,
        /// The number of that attempt since the last good login.
        attempt: u32,
    },
    /// Waits until the user asks.
    WaitForUser,
    /// Nothing: the session is over.
    End,
}

impl DisconnectCause {
    /// An end by the server without words, after a login that expected its slot.
    #[cfg(test)]
    pub(crate) fn closed(code: CloseCode) -> Self {
        Self::ClosedByServer { code, reason: Clean::default(), expected: SlotState::Existing }
    }

    /// The names of all causes; the first is the only one with a close code.
    pub const NAMES: [&'static str; 12] = [
        "closed_by_server",
        "unreachable",
        "broken",
        "no_answer",
        "handshake_timeout",
        "server_protocol_error",
        "leader_role",
        "visit_over",
        "journal_caught_up",
        "chat_client_left",
        "left_group",
        "by_user",
    ];

    /// Whether the session comes again by itself and expects the other slot state: ours is not as expected for a harmless
    /// reason, as when it has expired while we stayed away.
    #[must_use]
    pub const fn tries_other_slot_state(&self, next: NextStep) -> bool {
        matches!(self, Self::ClosedByServer { code: CloseCode::SLOT_STATE_MISMATCH, .. })
            && matches!(next, NextStep::RetryAt { .. })
    }

    /// The name in NDJSON and in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ClosedByServer { .. } => "closed_by_server",
            Self::Unreachable(_) => "unreachable",
            Self::Broken(_) => "broken",
            Self::NoAnswer => "no_answer",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::ServerProtocolError(_) => "server_protocol_error",
            Self::LeaderRole => "leader_role",
            Self::VisitOver => "visit_over",
            Self::JournalCaughtUp => "journal_caught_up",
            Self::ChatClientLeft => "chat_client_left",
            Self::LeftGroup => "left_group",
            Self::ByUser => "by_user",
        }
    }
}

/// The cause in a few words, without what can be done about it.
impl fmt::Display for DisconnectCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedByServer { code, reason, .. } => {
                write!(formatter, "{} ({code})", code.meaning())?;
                code.own_words(reason).map_or(Ok(()), |words| write!(formatter, ": {words}"))
            }
            Self::Unreachable(why) => write!(formatter, "cannot connect ({why})"),
            Self::Broken(why) if why.is_empty() => formatter.write_str("connection lost"),
            Self::Broken(why) => write!(formatter, "connection lost ({why})"),
            Self::NoAnswer => formatter.write_str("connection lost (no answer to ping)"),
            Self::HandshakeTimeout => formatter.write_str("the mediator did not finish the login in time"),
            Self::ServerProtocolError(how) => write!(formatter, "the mediator broke the protocol ({how})"),
            Self::LeaderRole => formatter.write_str("promoted to leader, and left"),
            Self::VisitOver => formatter.write_str("the visit is over"),
            Self::JournalCaughtUp => formatter.write_str("fetching what the journal could not take"),
            Self::ChatClientLeft => formatter.write_str("the chat client has gone"),
            Self::LeftGroup => formatter.write_str("left the group"),
            Self::ByUser => formatter.write_str("as you asked"),
        }
    }
}
