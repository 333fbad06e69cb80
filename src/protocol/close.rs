//! WebSocket close codes of the protocol: what each means and whether to come back.

use std::fmt;

use crate::text::Clean;

/// A WebSocket close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

/// What a client should do after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconnectClass {
    /// Come back by itself, with backoff.
    Automatic,
    /// Stay away until the user says so.
    UserInteraction,
    /// A code the specification does not name: say so, then come back with backoff.
    Unknown,
}

impl CloseCode {
    /// Normal closure (RFC 6455).
    pub const NORMAL: Self = Self(1000);
    /// The server shuts down, or the client leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// The connection ended without a close frame; never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// The server does not serve this client, for a reason of its own.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// Internal server error.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The server will be back soon, here or elsewhere.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The server cannot take the client now; later it may.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// The chat server closed its connection.
    pub const CHAT_CLOSED: Self = Self(4000);
    /// The chat server could not be reached.
    pub const CHAT_UNREACHABLE: Self = Self(4001);
    /// Internal error towards the chat server.
    pub const CHAT_INTERNAL_ERROR: Self = Self(4009);
    /// The server found a protocol error; a wrong answer to its challenge counts as one.
    pub const PROTOCOL_ERROR: Self = Self(4010);
    /// The transaction's time to live was reached.
    pub const TRANSACTION_EXPIRED: Self = Self(4011);
    /// A message was acknowledged that was not outstanding.
    pub const UNKNOWN_MESSAGE_ACKNOWLEDGED: Self = Self(4012);
    /// Idle for too long.
    pub const IDLE: Self = Self(4013);
    /// No common protocol version.
    pub const UNSUPPORTED_VERSION: Self = Self(4110);
    /// All device slots are taken.
    pub const DEVICE_LIMIT_REACHED: Self = Self(4111);
    /// The same device connected again.
    pub const DUPLICATE_CONNECTION: Self = Self(4112);
    /// Dropped by a device of the group.
    pub const DROPPED_BY_DEVICE: Self = Self(4113);
    /// Dropped because the reflection queue grew too long.
    pub const REFLECTION_QUEUE_LIMIT: Self = Self(4114);
    /// The slot is not in the state that the client expected.
    pub const SLOT_STATE_MISMATCH: Self = Self(4115);

    /// The server closed without a code; never on the wire.
    pub const NO_CODE: Self = Self(1005);
    /// The server closed with a code that must not be on the wire, whichever it was; never there itself.
    pub const NOT_ALLOWED: Self = Self(0);

    /// All codes that have a name.
    pub const NAMED: [Self; 17] = [
        Self::NORMAL,
        Self::GOING_AWAY,
        Self::ABNORMAL,
        Self::INTERNAL_ERROR,
        Self::CHAT_CLOSED,
        Self::CHAT_UNREACHABLE,
        Self::CHAT_INTERNAL_ERROR,
        Self::PROTOCOL_ERROR,
        Self::TRANSACTION_EXPIRED,
        Self::UNKNOWN_MESSAGE_ACKNOWLEDGED,
        Self::IDLE,
        Self::UNSUPPORTED_VERSION,
        Self::DEVICE_LIMIT_REACHED,
        Self::DUPLICATE_CONNECTION,
        Self::DROPPED_BY_DEVICE,
        Self::REFLECTION_QUEUE_LIMIT,
        Self::SLOT_STATE_MISMATCH,
    ];

    /// What the code means, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NORMAL => "closed normally",
            Self::GOING_AWAY => "the mediator is shutting down",
            Self::ABNORMAL => "the connection broke",
            Self::INTERNAL_ERROR => "the mediator had an internal error",
            Self::CHAT_CLOSED => "the chat server closed its connection",
            Self::CHAT_UNREACHABLE => "the mediator could not reach the chat server",
            Self::CHAT_INTERNAL_ERROR => "the mediator had an internal error towards the chat server",
            Self::PROTOCOL_ERROR => "the mediator reports a protocol error (a wrong group key looks like this, too)",
            Self::TRANSACTION_EXPIRED => "the lock was held for longer than the mediator allows",
            Self::UNKNOWN_MESSAGE_ACKNOWLEDGED => "the mediator did not know a message that was acknowledged",
            Self::IDLE => "idle for too long",
            Self::UNSUPPORTED_VERSION => "the mediator speaks no version that we speak",
            Self::DEVICE_LIMIT_REACHED => "all device slots are taken",
            Self::DUPLICATE_CONNECTION => "this device connected a second time, elsewhere",
            Self::DROPPED_BY_DEVICE => "dropped by another device",
            Self::REFLECTION_QUEUE_LIMIT => "dropped: too many messages were waiting for this device",
            Self::SLOT_STATE_MISMATCH => "the mediator's record of this device is not as expected",
            Self::NO_CODE | Self::NOT_ALLOWED => "closed by the mediator",
            Self(1002) => "the mediator says that d2mtop broke the WebSocket protocol",
            Self(1003) => "the mediator does not take this kind of message",
            Self(1004) => "closed with a code that means nothing",
            Self(1007) => "the mediator could not read a message",
            Self::POLICY_VIOLATION => "against the mediator's rules",
            Self(1009) => "a message was too large for the mediator",
            Self(1010) => "the other side misses an extension of the WebSocket protocol",
            Self(1012) => "the mediator restarts",
            Self(1013) => "the mediator is too busy",
            Self(1014) => "the gateway got no good answer from the mediator",
            Self(1015) => "TLS failed",
            _ => "closed with a code we do not know",
        }
    }

    /// Whether it can have been on the wire: what was not sent is never shown as a number.
    #[must_use]
    pub const fn was_sent(self) -> bool {
        !matches!(self.0, 0 | 1005 | 1006 | 1015)
    }

    /// The server's own words, where they say something that the code does not.
    #[must_use]
    pub fn own_words(self, reason: &Clean) -> Option<&str> {
        Some(reason.as_str()).filter(|words| !words.is_empty() && *words != self.meaning())
    }

    /// The same in a few words, for a header that has to say more.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::NORMAL | Self::NO_CODE | Self::NOT_ALLOWED | Self(1004) => "closed by the mediator",
            Self::GOING_AWAY => "mediator shuts down",
            Self::ABNORMAL => "connection broke",
            Self::INTERNAL_ERROR => "mediator error",
            Self::CHAT_CLOSED => "chat server hung up",
            Self::CHAT_UNREACHABLE => "chat server unreachable",
            Self::CHAT_INTERNAL_ERROR => "chat gateway error",
            Self::PROTOCOL_ERROR => "protocol error, or wrong key",
            Self::TRANSACTION_EXPIRED => "lock held too long",
            Self::UNKNOWN_MESSAGE_ACKNOWLEDGED => "acknowledged an unknown id",
            Self::IDLE => "idle for too long",
            Self::UNSUPPORTED_VERSION => "no common version",
            Self::DEVICE_LIMIT_REACHED => "all device slots are taken",
            Self::DUPLICATE_CONNECTION => "this id connected elsewhere",
            Self::DROPPED_BY_DEVICE => "dropped by another device",
            Self::REFLECTION_QUEUE_LIMIT => "dropped, queue too long",
            Self::SLOT_STATE_MISMATCH => "slot not as expected",
            Self(1002) => "WebSocket protocol error",
            Self(1003) => "kind of message not taken",
            Self(1007) => "message not readable",
            Self::POLICY_VIOLATION => "against the mediator's rules",
            Self(1009) => "message too large",
            Self(1010) => "extension missing",
            Self(1012) => "mediator restarts",
            Self(1013) => "mediator too busy",
            Self(1014) => "gateway without mediator",
            Self(1015) => "TLS failed",
            _ => "unknown close code",
        }
    }

    /// Whether and how to come back. 1xxx and 40xx: by itself; 41xx: when the user asks; others: by itself, with a warning.
    #[must_use]
    pub const fn reconnect_class(self) -> ReconnectClass {
        match self.0 {
            1000..=1999 | 4000..=4099 => ReconnectClass::Automatic,
            4100..=4199 => ReconnectClass::UserInteraction,
            _ => ReconnectClass::Unknown,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NO_CODE => formatter.pad("without a code"),
            Self::NOT_ALLOWED => formatter.pad("with a code that is not allowed"),
            _ => self.0.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_code_says_is_not_said_twice() {
        let words = |text: &str| CloseCode::GOING_AWAY.own_words(&Clean::new(text)).map(str::to_owned);
        assert_eq!(words(""), None);
        assert_eq!(words(CloseCode::GOING_AWAY.meaning()), None);
        assert_eq!(words("until nine").as_deref(), Some("until nine"));
    }

    #[test]
    fn every_code_of_the_websocket_protocol_has_words_and_none_is_shown_that_was_not_sent() {
        for code in (1000..=1015).map(CloseCode) {
            assert!(!code.meaning().contains("do not know") && !code.short().contains("unknown"), "{}", code.0);
            assert!(code.short().chars().count() <= 28, "{}", code.short());
        }
        assert_eq!(CloseCode::NO_CODE.to_string(), "without a code");
        assert_eq!(CloseCode::NOT_ALLOWED.to_string(), "with a code that is not allowed");
        assert!([1005, 1006, 1015, 0].iter().all(|code| !CloseCode(*code).was_sent()));
        assert!([1000, 1001, 1012, 1014, 4010].iter().all(|code| CloseCode(*code).was_sent()));
    }

    #[test]
    fn every_code_has_its_class() {
        let automatic = [1000, 1001, 1006, 1011, 4000, 4001, 4009, 4010, 4011, 4012, 4013];
        let by_user = [4110, 4111, 4112, 4113, 4114, 4115];
        assert_eq!(CloseCode::NAMED.map(|code| code.0)[..], [&automatic[..], &by_user].concat());
        for (codes, class) in
            [(&automatic[..], ReconnectClass::Automatic), (&by_user[..], ReconnectClass::UserInteraction)]
        {
            for code in codes.iter().copied().map(CloseCode) {
                assert_eq!(code.reconnect_class(), class, "{code}");
                assert!(!code.meaning().contains("do not know"), "{code} has a meaning");
            }
        }
        for (code, class) in [
            (1999, ReconnectClass::Automatic),
            (4099, ReconnectClass::Automatic),
            (4100, ReconnectClass::UserInteraction),
            (4199, ReconnectClass::UserInteraction),
            (0, ReconnectClass::Unknown),
            (3000, ReconnectClass::Unknown),
            (4200, ReconnectClass::Unknown),
            (5000, ReconnectClass::Unknown),
        ] {
            assert_eq!(CloseCode(code).reconnect_class(), class, "{code}");
        }
    }
}
