//! [`Detail`]: what a message tells beside its type.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::content::{ID, IDENTITY, OldMedia, Poll, object, words};
use super::message_type::MessageType;
use super::unknown;
use crate::protocol::proto::csp_e2e;
use crate::text::{Clean, size};

/// What else a reader wants to know of an envelope. Names nobody, and tells nothing that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Detail {
    /// In words, such as which fields changed.
    Words(Clean),
    /// The type of a message, where it is no byte.
    Type(i64),
    /// A reaction was put to a message, or taken back.
    Reaction {
        /// Whether it was taken back.
        withdrawn: bool,
    },
    /// A poll was begun or closed.
    Poll {
        /// Whether it was closed.
        closed: bool,
        /// How many choices it has.
        choices: u32,
        /// Whether the result is told at every vote or when the poll is closed, if that is said.
        every_vote: Option<bool>,
    },
    /// A call was answered.
    CallAnswer(CallAnswer),
    /// A group call was started.
    GroupCall {
        /// The version of its protocol.
        version: u32,
        /// The host that mixes the call.
        host: Clean,
    },
    /// How many members a group has beside its creator.
    Members {
        /// The number; none if the group was disbanded, or whoever gets this was removed.
        count: u32,
        /// Whether a device of the user's own sent it.
        outgoing: bool,
    },
    /// The size of what is in a message.
    Media(Media),
    /// Updates to messages of several conversations, of which the first is told.
    Conversations(u32),
}

/// How a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallAnswer {
    /// The call begins.
    Accepted,
    /// There is no call, for the reason of that number.
    Rejected(u8),
}

/// The size of a file, image, audio or video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Media {
    /// How large the file is, as the sender says; in bytes.
    pub bytes: Option<u64>,
    /// How long it plays.
    pub duration: Option<Duration>,
    /// Its width and height in pixels.
    pub dimensions: Option<(u32, u32)>,
}

/// Reasons of rejected calls: their names in NDJSON, and in words.
const REASONS: [(&str, &str); 6] = [
    ("unspecified", "no reason given"),
    ("busy", "busy"),
    ("timeout", "not answered in time"),
    ("declined", "declined"),
    ("disabled", "calls are disabled"),
    ("off_hours", "outside of working hours"),
];

impl CallAnswer {
    pub(super) fn read(description: &Map<String, Json>) -> Option<Self> {
        let number = |key: &str| description.get(key)?.as_u64();
        let reason = || number("rejectReason").and_then(|reason| u8::try_from(reason).ok()).unwrap_or(0);
        Some(if number("action")? == 1 { Self::Accepted } else { Self::Rejected(reason()) })
    }

    /// The name of the reason in NDJSON, if the call was rejected.
    #[must_use]
    pub fn reason(self) -> Option<Clean> {
        let Self::Rejected(number) = self else { return None };
        Some(
            REASONS
                .get(usize::from(number))
                .map_or_else(|| Clean::new(&format!("reason_{number}")), |(name, _)| Clean::literal(name)),
        )
    }
}

impl Detail {
    /// What the body of a message tells; whether a device of the user's own sent it makes a difference in words.
    pub(super) fn of_body(message_type: MessageType, outgoing: bool, body: &[u8]) -> Option<Self> {
        let after_header = || message_type.after_header(body);
        match message_type.0 {
            0x02 | 0x13 | 0x14 | 0x43..=0x45 => Media::of_old(message_type, after_header()?).map(Self::Media),
            0x17 | 0x46 => Media::of_file(after_header()?).map(Self::Media),
            0x15 | 0x52 => {
                let poll = Poll::read(after_header()?.get(ID..)?)?;
                let choices = u32::try_from(poll.choices().len()).unwrap_or(u32::MAX);
                Some(Self::Poll { closed: poll.is_closed(), choices, every_vote: poll.tells_every_vote() })
            }
            0x4a => {
                let count = u32::try_from(after_header()?.len() / IDENTITY).unwrap_or(u32::MAX);
                Some(Self::Members { count, outgoing })
            }
            0x4f => {
                let call = unknown::decode::<csp_e2e::GroupCallStart>(&after_header()?).ok()?;
                Some(Self::GroupCall { version: call.protocol_version, host: host(&call.sfu_base_url) })
            }
            0x61 => CallAnswer::read(&object(body)?).map(Self::CallAnswer),
            0x82 | 0x83 => {
                use csp_e2e::reaction::Action;
                let action = unknown::decode::<csp_e2e::Reaction>(&after_header()?).ok()?.action?;
                Some(Self::Reaction { withdrawn: matches!(action, Action::Withdraw(_)) })
            }
            _ => words(message_type, body).map(Self::Words),
        }
    }

    /// All of it in words.
    #[must_use]
    pub fn words(&self) -> Cow<'_, Clean> {
        match self {
            Self::Words(words) => Cow::Borrowed(words),
            other => Cow::Owned(Clean::new(&other.to_string())),
        }
    }

    /// The detail that was written as these words. Sizes are told apart no more: they stay words.
    #[must_use]
    pub fn of_words(words: &Clean) -> Self {
        parse(words.as_str()).unwrap_or_else(|| Self::Words(words.clone()))
    }
}

/// The host of a URL, without whatever else an app may have put there.
fn host(url: &str) -> Clean {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Clean::new(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

impl Media {
    fn of_old(message_type: MessageType, body: &[u8]) -> Option<Self> {
        let media = OldMedia::read(message_type.0, body)?;
        Some(Self {
            bytes: Some(media.size.into()),
            duration: media.seconds.map(|seconds| Duration::from_secs(seconds.into())),
            dimensions: None,
        })
    }

    fn of_file(json: &[u8]) -> Option<Self> {
        let file = object(json)?;
        let metadata = file.get("x");
        let pixels = |key: &str| u32::try_from(metadata?.get(key)?.as_u64()?).ok();
        let seconds = metadata.and_then(|of| of.get("d")).and_then(Json::as_f64);
        let media = Self {
            bytes: file.get("s").and_then(Json::as_u64),
            duration: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            dimensions: pixels("w").zip(pixels("h")),
        };
        (media != Self::default()).then_some(media)
    }
}

impl fmt::Display for Media {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.bytes.map(size),
            self.dimensions.map(|(width, height)| format!("{width}x{height}")),
            self.duration.map(|plays| format!("{}:{:02}", plays.as_secs() / 60, plays.as_secs() % 60)),
        ];
        formatter.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => write!(formatter, "{words}"),
            Self::Type(number) => write!(formatter, "type {number}"),
            Self::Reaction { withdrawn } => formatter.write_str(if *withdrawn { WITHDRAWN } else { APPLIED }),
            Self::Poll { closed, choices, every_vote } => {
                let (closed, s) = (if *closed { CLOSED } else { "" }, if *choices == 1 { "" } else { "s" });
                let results = match every_vote {
                    Some(true) => EVERY_VOTE,
                    Some(false) => AT_THE_END,
                    None => "",
                };
                write!(formatter, "{closed}{choices} choice{s}{results}")
            }
            Self::CallAnswer(CallAnswer::Accepted) => formatter.write_str(ACCEPTED),
            Self::CallAnswer(CallAnswer::Rejected(number)) => match REASONS.get(usize::from(*number)) {
                Some((_, words)) => write!(formatter, "{REJECTED}{words}"),
                None => write!(formatter, "{REJECTED}reason {number}"),
            },
            Self::GroupCall { version, host } if host.is_empty() => write!(formatter, "version {version}"),
            Self::GroupCall { version, host } => write!(formatter, "version {version}, {host}"),
            Self::Members { count: 0, outgoing: false } => formatter.write_str(REMOVED),
            Self::Members { count: 0, outgoing: true } => formatter.write_str(REMOVED_OTHERS),
            Self::Members { count: 1, .. } => formatter.write_str("1 member beside the creator"),
            Self::Members { count, .. } => write!(formatter, "{count} members beside the creator"),
            Self::Media(media) => write!(formatter, "{media}"),
            Self::Conversations(count) => write!(formatter, "{count} conversations"),
        }
    }
}

const APPLIED: &str = "applied";
const WITHDRAWN: &str = "withdrawn";
const CLOSED: &str = "closed, ";
const EVERY_VOTE: &str = ", results at every vote";
const AT_THE_END: &str = ", results at the end";
const ACCEPTED: &str = "accepted";
const REJECTED: &str = "rejected, ";
const REMOVED: &str = "no members: the group was disbanded, or the user removed";
const REMOVED_OTHERS: &str = "no members: the group was disbanded, or others removed";

/// Reads what [`Detail`] writes.
fn parse(words: &str) -> Option<Detail> {
    Some(match words {
        APPLIED => Detail::Reaction { withdrawn: false },
        WITHDRAWN => Detail::Reaction { withdrawn: true },
        ACCEPTED => Detail::CallAnswer(CallAnswer::Accepted),
        REMOVED => Detail::Members { count: 0, outgoing: false },
        REMOVED_OTHERS => Detail::Members { count: 0, outgoing: true },
        _ => return rejected(words).or_else(|| poll(words)).or_else(|| numbered(words)),
    })
}

fn rejected(words: &str) -> Option<Detail> {
    let reason = words.strip_prefix(REJECTED)?;
    let known = REASONS.iter().position(|(_, words)| *words == reason).and_then(|index| u8::try_from(index).ok());
    let number = known.or_else(|| reason.strip_prefix("reason ")?.parse().ok())?;
    Some(Detail::CallAnswer(CallAnswer::Rejected(number)))
}

fn poll(words: &str) -> Option<Detail> {
    let (closed, rest) = words.strip_prefix(CLOSED).map_or((false, words), |rest| (true, rest));
    let (number, rest) = rest.split_once(" choice")?;
    let every_vote = match rest.strip_prefix('s').unwrap_or(rest) {
        "" => None,
        EVERY_VOTE => Some(true),
        AT_THE_END => Some(false),
        _ => return None,
    };
    Some(Detail::Poll { closed, choices: number.parse().ok()?, every_vote })
}

fn numbered(words: &str) -> Option<Detail> {
    if let Some(number) = words.strip_prefix("type ") {
        return number.parse().ok().map(Detail::Type);
    }
    if let Some(call) = words.strip_prefix("version ") {
        let (version, host) = call.split_once(", ").unwrap_or((call, ""));
        return Some(Detail::GroupCall { version: version.parse().ok()?, host: Clean::new(host) });
    }
    let (number, what) = words.split_once(' ')?;
    let count = number.parse().ok()?;
    match what {
        "member beside the creator" | "members beside the creator" => Some(Detail::Members { count, outgoing: false }),
        "conversations" => Some(Detail::Conversations(count)),
        _ => None,
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let polls = [true, false].into_iter().flat_map(|closed| {
            let each = move |every_vote| [0, 1, 7].map(move |choices| Detail::Poll { closed, choices, every_vote });
            [None, Some(true), Some(false)].into_iter().flat_map(each)
        });
        let answers = (0..=7).map(|reason| Detail::CallAnswer(CallAnswer::Rejected(reason)));
        let others = [
            Detail::Reaction { withdrawn: true },
            Detail::Reaction { withdrawn: false },
            Detail::CallAnswer(CallAnswer::Accepted),
            Detail::GroupCall { version: 3, host: Clean::literal("sfu.example.net:8443") },
            Detail::GroupCall { version: 1, host: Clean::default() },
            Detail::Members { count: 0, outgoing: true },
            Detail::Members { count: 0, outgoing: false },
            Detail::Members { count: 1, outgoing: false },
            Detail::Members { count: 12, outgoing: false },
            Detail::Conversations(2),
            Detail::Type(-1),
            Detail::Words(Clean::literal("nickname, first name")),
            Detail::Words(Clean::literal("2 other members")),
            Detail::Words(Clean::literal("read, 3 messages")),
        ];
        for detail in polls.chain(answers).chain(others) {
            assert_eq!(Detail::of_words(&Clean::new(&detail.to_string())), detail, "{detail}");
        }
    }

    #[test]
    fn of_an_address_only_the_host_is_told() {
        for (url, expected) in [
            ("https://sfu.example.net/v1/join", "sfu.example.net"),
            ("https://user:secret@sfu.example.net:8443?token=1", "sfu.example.net:8443"),
            ("sfu.example.net", "sfu.example.net"),
            ("", ""),
        ] {
            assert_eq!(host(url).as_str(), expected);
        }
    }
}
