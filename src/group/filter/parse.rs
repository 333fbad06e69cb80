//! Reads filters.

use std::time::Duration;

use super::help;
use super::kinds::Kinds;
use super::show::SPANS;
use super::test::{Comparison, Mark, Test};
use super::time::Time;
use super::{Filter, Term};
use crate::protocol::d2d::Direction;
use crate::text::Clean;

/// What stands alone and is no word to look for.
pub(super) const BARE: [(&str, Test); 4] = [
    ("in", Test::Direction(Direction::Incoming)),
    ("out", Test::Direction(Direction::Outgoing)),
    ("sync", Test::Direction(Direction::Sync)),
    ("ack", Test::Acknowledged),
];

/// What a filter can ask for by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Kind,
    From,
    Conversation,
    Id,
    Size,
    Age,
    Ack,
    Since,
    Until,
    Is,
}

/// The names of keys; of several, the first is written.
pub(super) const KEYS: [(&str, Key); 13] = [
    ("kind", Key::Kind),
    ("type", Key::Kind),
    ("from", Key::From),
    ("conversation", Key::Conversation),
    ("with", Key::Conversation),
    ("id", Key::Id),
    ("size", Key::Size),
    ("waited", Key::Age),
    ("age", Key::Age),
    ("ack", Key::Ack),
    ("since", Key::Since),
    ("until", Key::Until),
    ("is", Key::Is),
];

/// Why a text is not a filter, where, and what is possible there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FilterError {
    /// The byte at which the trouble begins.
    pub at: usize,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("there is no “{0}:”; there is {list}, and \"quotes\" for words", list = help::keys())]
    NoSuchKey(Clean),
    #[error("no kind is called “{0}”; some are text, file, receipt, typing, call, contact, group, settings, sync")]
    NoSuchKind(Clean),
    #[error("no row is “{0}”; rows are {list}", list = Mark::ALL.map(Mark::name).join(", "))]
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

impl Key {
    const fn example(self) -> &'static str {
        match self {
            Self::Kind => "kind:text",
            Self::From => "from:desktop",
            Self::Conversation => "conversation:ECHOECHO",
            Self::Id => "id:101",
            Self::Size => "size>1k",
            Self::Age => "waited>2s",
            Self::Ack => "ack>10ms",
            Self::Since => "since:14:05",
            Self::Until => "until:14:05",
            Self::Is => "is:replay",
        }
    }

    pub(super) const fn has_order(self) -> bool {
        matches!(self, Self::Id | Self::Size | Self::Age | Self::Ack)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        KEYS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, key)| key)
    }
}

/// A word, a phrase, or a key with values.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) at: usize,
    negated: bool,
    pub(super) quoted: bool,
    pub(super) key: Option<(String, Comparison)>,
    /// With the byte at which each begins.
    pub(super) values: Vec<(usize, String)>,
    pub(super) end: usize,
}

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    let terms = tokens(text).into_iter().filter_map(|token| term(token).transpose());
    Ok(Filter { terms: terms.collect::<Result<_, _>>()? })
}

/// An error for what can only be a part of something.
pub(super) fn finished(text: &str) -> Result<(), FilterError> {
    let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    if let (Some(at), true) = (quotes.last(), quotes.len() % 2 == 1) {
        return Err(FilterError { at: *at, problem: Problem::OpenQuote });
    }
    let is_sign =
        |token: &Token| !token.quoted && token.key.is_none() && token.values.iter().all(|(_, value)| value.is_empty());
    match tokens(text).iter().find(|token| is_sign(token)) {
        Some(sign) => Err(FilterError { at: sign.at, problem: Problem::NothingNegated }),
        None => Ok(()),
    }
}

/// Splits at white space outside of quotes. A quote that does not end, ends with the text: it is still being typed.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, first)) = rest.next_if(|_| true) {
        if first.is_whitespace() {
            continue;
        }
        let mut token = Token { at, negated: false, quoted: false, key: None, values: Vec::new(), end: text.len() };
        let (mut value, mut value_at, mut within, mut signs) = (String::new(), at, false, true);
        let mut next = Some((at, first));
        while let Some((here, character)) = next {
            let after = here + character.len_utf8();
            let begins_key = token.key.is_none() && !token.quoted && is_key(&value);
            match character {
                '"' => {
                    within = !within;
                    token.quoted = true;
                }
                _ if within => value.push(character),
                '-' | '!' if signs => token.negated = !token.negated,
                ',' if token.key.is_some() => {
                    token.values.push((value_at, std::mem::take(&mut value)));
                    value_at = after;
                }
                ':' | '=' | '<' | '>' if begins_key => {
                    let or_equal = matches!(character, '<' | '>') && rest.next_if(|(_, next)| *next == '=').is_some();
                    token.key = Some((std::mem::take(&mut value), comparison(character, or_equal)));
                    value_at = after + usize::from(or_equal);
                }
                _ => value.push(character),
            }
            signs = signs && matches!(character, '-' | '!') && !within;
            next = rest.next_if(|(_, next)| within || !next.is_whitespace());
            token.end = next.map_or_else(|| rest.peek().map_or(text.len(), |(end, _)| *end), |(here, _)| here);
        }
        token.values.push((value_at, value));
        tokens.push(token);
    }
    tokens
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

const fn comparison(sign: char, or_equal: bool) -> Comparison {
    match (sign, or_equal) {
        ('<', false) => Comparison::Less,
        ('<', true) => Comparison::AtMost,
        ('>', false) => Comparison::More,
        ('>', true) => Comparison::AtLeast,
        _ => Comparison::Equal,
    }
}

/// Whether a word needs no quotes.
pub(super) fn is_bare(word: &str) -> bool {
    let is_plain = |character: char| !character.is_whitespace() && !matches!(character, ':' | '=' | '<' | '>' | '"');
    !word.is_empty()
        && !word.starts_with(['-', '!'])
        && word.chars().all(is_plain)
        && BARE.iter().all(|(bare, _)| *bare != word)
}

fn term(token: Token) -> Result<Option<Term>, FilterError> {
    let negated = token.negated;
    let Some((name, comparison)) = token.key else {
        let word: String = token.values.into_iter().map(|(_, value)| value).collect();
        let bare = BARE.into_iter().find(|(bare, _)| !token.quoted && bare.eq_ignore_ascii_case(&word));
        let test = bare.map_or_else(|| Test::word(&word), |(_, test)| test);
        // A sign with nothing to it is still being typed.
        return Ok((!word.is_empty()).then_some(Term { negated, test }));
    };
    let Some(key) = Key::named(&name) else {
        return Err(FilterError { at: token.at, problem: Problem::NoSuchKey(Clean::new(&name)) });
    };
    let test = test(key, comparison, &token.values)?;
    Ok(Some(Term { negated, test }))
}

fn test(key: Key, comparison: Comparison, values: &[(usize, String)]) -> Result<Test, FilterError> {
    let at = values.first().map_or(0, |(at, _)| *at);
    let fails = |at, problem| Err(FilterError { at, problem });
    if let Some((at, _)) = values.iter().find(|(_, value)| value.trim().is_empty()) {
        return fails(*at, Problem::NoValue(key.example()));
    }
    if comparison != Comparison::Equal && !key.has_order() {
        return fails(at, Problem::NoOrder(key.example()));
    }
    let lower = || values.iter().map(|(_, value)| value.to_lowercase()).collect();
    Ok(match key {
        Key::Kind => Test::Kind(each(values, Kinds::called, Problem::NoSuchKind)?),
        Key::Is => Test::Is(each(values, mark, Problem::NoSuchMark)?),
        Key::From => Test::From(lower()),
        Key::Conversation => Test::With(lower()),
        Key::Id => Test::Id(comparison, one(values, key, |text| text.parse().ok(), Problem::NotAnId)?),
        Key::Size => Test::Size(comparison, one(values, key, size, Problem::NotASize)?),
        Key::Age => Test::Age(comparison, one(values, key, span, Problem::NotASpan)?),
        Key::Ack => Test::AckAfter(comparison, one(values, key, span, Problem::NotASpan)?),
        Key::Since => Test::Since(one(values, key, time, Problem::NotATime)?),
        Key::Until => Test::Until(one(values, key, time, Problem::NotATime)?),
    })
}

fn each<T>(
    values: &[(usize, String)],
    read: impl Fn(&str) -> Option<T>,
    problem: impl Fn(Clean) -> Problem,
) -> Result<Vec<T>, FilterError> {
    let read = |(at, value): &(usize, String)| {
        read(value).ok_or_else(|| FilterError { at: *at, problem: problem(Clean::new(value)) })
    };
    values.iter().map(read).collect()
}

fn one<T>(
    values: &[(usize, String)],
    key: Key,
    read: impl Fn(&str) -> Option<T>,
    problem: impl Fn(Clean) -> Problem,
) -> Result<T, FilterError> {
    if let (Some(value), [_]) = (each(values, read, problem)?.pop(), values) {
        return Ok(value);
    }
    let at = values.get(1).map_or(0, |(at, _)| *at);
    Err(FilterError { at, problem: Problem::OneValue(key.example()) })
}

fn mark(name: &str) -> Option<Mark> {
    Mark::ALL.into_iter().find(|mark| mark.name().eq_ignore_ascii_case(name))
}

fn time(text: &str) -> Option<Time> {
    Time::parse(text, span)
}

fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] =
        [("", 1), ("b", 1), ("k", 1_000), ("kb", 1_000), ("m", 1_000_000), ("mb", 1_000_000)];
    scaled(text, &UNITS)
}

pub(super) fn span(text: &str) -> Option<Duration> {
    scaled(text, &SPANS).map(Duration::from_micros)
}

/// A number, perhaps with a fraction, and a unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let split = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, name) = text.split_at_checked(split)?;
    let (_, unit) = units.iter().find(|(known, _)| *known == name.trim())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut sum = whole.parse::<u64>().ok()?.checked_mul(*unit)?;
    let mut part = *unit;
    for digit in fraction.bytes() {
        part /= 10;
        sum = sum.checked_add(part.checked_mul(u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?))?)?;
    }
    Some(sum)
}
