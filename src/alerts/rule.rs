//! `--on EVENT=COMMAND`: what it says.

use std::time::Duration;

use crate::protocol::CloseCode;

/// When a lock counts as stuck for who has not said otherwise: twice as long as a mediator usually lets one last.
const LOCK_STUCK: Duration = Duration::from_secs(120);

/// How many alerts of one kind may wait for their turn.
const MOST_WAITING: usize = 16;

/// What a command or a notification waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A device is in the list that was not known.
    NewDevice,
    /// A device is no longer in the list, or was dropped from here.
    DeviceDropped,
    /// A device describes itself in another way, or in none that can be read.
    DeviceInfoChanged,
    /// A message has the nonce of another one.
    Replay,
    /// A message, or what a device says of itself, cannot be read.
    Undecryptable,
    /// This device became leader.
    Promoted,
    /// Somebody has held the lock for longer than this.
    LockStuck(Duration),
    /// The connection was lost, or could not be made; once until the next login.
    Lost,
    /// The server closed with this code.
    Close(CloseCode),
    /// The clocks are more than twenty minutes apart, at a login or since ours was moved.
    ClockSkew,
    /// The journal cannot be written, so nothing is acknowledged; once until it can be again.
    JournalFailed,
}

/// What is done when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// Run this program with these arguments.
    Run(Vec<String>),
    /// Tell the person at the terminal.
    Tell,
}

impl RuleAction {
    /// What can become of a alert, as metrics name it.
    pub(super) const fn outcomes(&self) -> &'static [&'static str] {
        match self {
            Self::Run(_) => &["ran", "failed", "timed_out", "suppressed"],
            Self::Tell => &["told", "suppressed"],
        }
    }
}

/// What `--on` says: an event, and the command that it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The event that it waits for.
    pub trigger: Trigger,
    /// What is done then.
    pub reaction: RuleAction,
}

/// Why an option is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No event before the first equals sign.
    #[error(
        "--on takes EVENT=COMMAND, such as --on 'new-device=notify-send d2mtop'; the events are: {}",
        Trigger::LIST
    )]
    Shape,
    #[error("--on knows no such event; the events are: {}", Trigger::LIST)]
    NoSuchEvent,
    /// The event needs a value.
    #[error("--on {name}: {wanted}")]
    Value { name: &'static str, wanted: &'static str },
    /// There is nothing to run, or a quote is not closed.
    #[error("--on {0}: the command is empty, or a quote in it is not closed")]
    Command(&'static str),
}

impl Trigger {
    /// The events, as they are written.
    pub const LIST: &'static str = "new-device, device-dropped, device-info-changed, replay, undecryptable, promoted, \
                                    lock-stuck=DURATION, lost, close=CODE, clock-skew, journal-failed";

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewDevice => "new-device",
            Self::DeviceDropped => "device-dropped",
            Self::DeviceInfoChanged => "device-info-changed",
            Self::Replay => "replay",
            Self::Undecryptable => "undecryptable",
            Self::Promoted => "promoted",
            Self::LockStuck(_) => "lock-stuck",
            Self::Lost => "lost",
            Self::Close(_) => "close",
            Self::ClockSkew => "clock-skew",
            Self::JournalFailed => "journal-failed",
        }
    }

    /// How many alerts of it may wait for their turn: each device and each close is news of its own, all else is the same
    /// again.
    pub(super) const fn room(self) -> usize {
        match self {
            Self::NewDevice | Self::DeviceDropped | Self::DeviceInfoChanged | Self::Close(_) => MOST_WAITING,
            Self::Replay
            | Self::Undecryptable
            | Self::Promoted
            | Self::LockStuck(_)
            | Self::Lost
            | Self::ClockSkew
            | Self::JournalFailed => 1,
        }
    }

    fn parse<'t>(name: &str, rest: &'t str) -> Result<(Self, &'t str), RuleError> {
        let trigger = match name {
            "new-device" => Self::NewDevice,
            "device-dropped" => Self::DeviceDropped,
            "device-info-changed" => Self::DeviceInfoChanged,
            "replay" => Self::Replay,
            "undecryptable" => Self::Undecryptable,
            "promoted" => Self::Promoted,
            "lost" => Self::Lost,
            "clock-skew" => Self::ClockSkew,
            "journal-failed" => Self::JournalFailed,
            "lock-stuck" => {
                let wanted = "takes a duration before the command, such as lock-stuck=2m=COMMAND";
                let error = RuleError::Value { name: "lock-stuck", wanted };
                let (value, rest) = rest.split_once('=').ok_or_else(|| error.clone())?;
                let duration = humantime::parse_duration(value.trim()).ok().filter(|span| !span.is_zero());
                return Ok((Self::LockStuck(duration.ok_or(error)?), rest));
            }
            "close" => {
                let wanted = "takes a close code before the command, such as close=4113=COMMAND";
                let error = RuleError::Value { name: "close", wanted };
                let (value, rest) = rest.split_once('=').ok_or_else(|| error.clone())?;
                return Ok((Self::Close(CloseCode(value.trim().parse().map_err(|_| error)?)), rest));
            }
            _ => return Err(RuleError::NoSuchEvent),
        };
        Ok((trigger, rest))
    }
}

impl Rule {
    /// Reads what follows `--on`. The command is split into words as a shell does it, and nothing else of a shell is
    /// done.
    ///
    /// # Errors
    /// If there is no such event, its value is missing, or there is no command.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let (name, rest) = text.split_once('=').ok_or(RuleError::Shape)?;
        let (trigger, command) = Trigger::parse(name.trim(), rest)?;
        let words = shlex::split(command).filter(|words| words.first().is_some_and(|program| !program.is_empty()));
        let words = words.ok_or(RuleError::Command(trigger.name()))?;
        Ok(Self { trigger, reaction: RuleAction::Run(words) })
    }

    /// Telling of all that a person at the terminal should know at once.
    pub fn telling() -> impl Iterator<Item = Self> {
        let triggers = [
            Trigger::NewDevice,
            Trigger::DeviceDropped,
            Trigger::DeviceInfoChanged,
            Trigger::Replay,
            Trigger::Undecryptable,
            Trigger::Promoted,
            Trigger::LockStuck(LOCK_STUCK),
            Trigger::Lost,
            Trigger::ClockSkew,
            Trigger::JournalFailed,
        ];
        triggers.into_iter().map(|trigger| Self { trigger, reaction: RuleAction::Tell })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(trigger: Trigger, words: &[&str]) -> Rule {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Rule { trigger, reaction: RuleAction::Run(words) }
    }

    #[test]
    fn a_command_is_split_as_a_shell_does_it_and_nothing_is_expanded() {
        let rule = Rule::parse(r#"new-device=notify-send "a device" 'it''s new' $HOME *.txt a=b"#).unwrap();
        assert_eq!(rule, run(Trigger::NewDevice, &["notify-send", "a device", "its new", "$HOME", "*.txt", "a=b"]));
    }

    #[test]
    fn values_come_before_the_command() {
        let stuck = Rule::parse("lock-stuck=90s=/bin/true").unwrap();
        assert_eq!(stuck, run(Trigger::LockStuck(Duration::from_secs(90)), &["/bin/true"]));
        let close = Rule::parse("close=4113=mail me").unwrap();
        assert_eq!(close, run(Trigger::Close(CloseCode(4113)), &["mail", "me"]));
    }

    #[test]
    fn every_event_of_the_list_is_one_and_has_its_name() {
        for written in Trigger::LIST.split(", ") {
            let text = written.replace("DURATION", "1m").replace("CODE", "1000") + "=true";
            let rule = Rule::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(written.starts_with(rule.trigger.name()), "{written}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_reason() {
        let cases = [
            ("new-device", "the events are: new-device"),
            ("newdevice=true", "the events are: new-device"),
            ("new-device=", "the command is empty"),
            ("new-device=''", "the command is empty"),
            ("new-device=say 'hello", "a quote in it is not closed"),
            ("lock-stuck=true", "such as lock-stuck=2m"),
            ("lock-stuck=0s=true", "such as lock-stuck=2m"),
            ("close=99999=true", "such as close=4113"),
            ("close=true", "such as close=4113"),
        ];
        for (text, reason) in cases {
            let error = Rule::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
