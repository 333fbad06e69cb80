//! What followed from an input, to entries; and how what follows now differs from it.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use siphasher::sip::SipHasher13;

use super::entry::{Followed, RecordedDeed, RecordedEvent, RecordedMessages};
use super::input::without_chat;
use super::private::PrivateKey;
use crate::group::{Event, ReflectedMessage};
use crate::protocol::{ClientMessage, Dialect};
use crate::session::{Deed, ProxyOutput};

/// What is different from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which message that is sent, or event.
    pub what: String,
    /// Which part of it; empty for all of it.
    pub field: String,
    pub before: String,
    pub after: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, field, before, after } = self;
        let field = if field.is_empty() { String::new() } else { format!(", {field}") };
        write!(formatter, "{what}{field}: {before} before, {after} now")
    }
}

/// Takes the deeds of one input in.
pub(super) fn add(followed: &mut Followed, deed: &Deed, key: &PrivateKey) {
    let deed = match deed {
        Deed::Connect => RecordedDeed::Connect,
        Deed::Send(frame) => RecordedDeed::Sent(without_chat(frame)),
        Deed::Ping => RecordedDeed::Ping,
        Deed::Close(code) => RecordedDeed::Close(code.0),
        Deed::Store { messages, .. } => RecordedDeed::Messages(take_messages(followed, messages, true, key)),
        // What the journal is let know follows from the rest.
        Deed::CaughtUp | Deed::Settled { .. } => return,
        Deed::Proxy(proxied) => RecordedDeed::Proxy(match proxied {
            ProxyOutput::Begins(client) => format!("begins with client {}", client.0),
            ProxyOutput::Frame(frame) => format!("a frame of {} bytes", frame.len()),
            ProxyOutput::Ends => "ends".to_owned(),
        }),
        Deed::Tell(_, Event::Acknowledged { ids, waited }) => RecordedDeed::Acknowledged {
            count: ids.len() as u64,
            first: ids.first().map(|id| id.0).unwrap_or_default(),
            waited: *waited,
        },
        Deed::Tell(_, Event::Reflected(messages)) => {
            RecordedDeed::Messages(take_messages(followed, messages, false, key))
        }
        Deed::Tell(at, event) => {
            let words = format!("{event:#?}");
            let event = if is_private(event) {
                RecordedEvent::Private { name: first_word(&words).to_owned(), words: key.seal(&words) }
            } else {
                RecordedEvent::Plain(words)
            };
            RecordedDeed::Told { at: at.0, event }
        }
    };
    followed.deeds.push(deed);
}

/// Whether an event tells what only the group may read.
const fn is_private(event: &Event) -> bool {
    match event {
        Event::SharedDeviceData(_)
        | Event::Reflected(_)
        | Event::Devices(_)
        | Event::DeviceChanged { .. }
        | Event::Lock(_)
        | Event::Journal(_)
        | Event::JournalSetAside(_)
        | Event::RecordingStopped(_) => true,
        Event::Connecting { .. }
        | Event::Handshaking
        | Event::LoggedIn(_)
        | Event::Acknowledged { .. }
        | Event::QueueDry
        | Event::Promoted
        | Event::RoleGivenUp { .. }
        | Event::Following
        | Event::ClockMoved { .. }
        | Event::LastHeard { .. }
        | Event::DevicesAcknowledged
        | Event::DeviceDropped(_)
        | Event::ReflectionStored { .. }
        | Event::RoundTrip { .. }
        | Event::Refused(_)
        | Event::Ignored(_)
        | Event::Disconnected { .. } => false,
    }
}

fn first_word(words: &str) -> &str {
    words.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default()
}

fn take_messages(
    followed: &mut Followed,
    messages: &[ReflectedMessage],
    stored: bool,
    key: &PrivateKey,
) -> RecordedMessages {
    // What a journal hands on was taken in before.
    if stored || followed.deeds.iter().all(|deed| !matches!(deed, RecordedDeed::Messages(_))) {
        let mut authors: BTreeSet<u64> = followed.authors.iter().copied().collect();
        for message in messages {
            authors.extend(message.content.as_ref().ok().and_then(|content| content.author).map(|author| author.0));
            if let Some(nonce) = message.nonce.filter(|_| message.repeated_nonce || message.redelivered) {
                followed.known.push((message.id.0, nonce.0.to_vec(), message.redelivered));
            }
        }
        followed.authors = authors.into_iter().collect();
    }
    let contents: Vec<u32> = messages.iter().map(|message| check(&message.content)).collect();
    RecordedMessages {
        stored,
        ids: messages.iter().map(|message| message.id.0).collect(),
        heads: messages.iter().map(head).collect(),
        contents: key.seal(&contents),
    }
}

fn head(message: &ReflectedMessage) -> u32 {
    let ReflectedMessage { stored_at, received_at, size, header, ephemeral, redelivered, repeated_nonce, .. } = message;
    check(&(stored_at, received_at, size, header.length, header.flags, ephemeral, redelivered, repeated_nonce))
}

/// The same with every build, as far as the values are.
fn check(value: &impl Hash) -> u32 {
    let mut hasher = SipHasher13::new();
    value.hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The first difference; without the group's key only of what others may read.
pub(super) fn difference(
    before: &[RecordedDeed],
    after: &[RecordedDeed],
    key: &PrivateKey,
    has_key: bool,
    dialect: Dialect,
) -> Option<Difference> {
    // How a device differs from what it said of itself takes the key.
    let counts = |deed: &&RecordedDeed| {
        has_key
            || !matches!(deed, RecordedDeed::Told { event: RecordedEvent::Private { name, .. }, .. } if name == "DeviceChanged")
    };
    let (mut before, mut after) = (before.iter().filter(counts), after.iter().filter(counts));
    loop {
        let (old, new) = (before.next(), after.next());
        let (Some(old), Some(new)) = (old, new) else {
            let name =
                |deed: Option<&RecordedDeed>| deed.map_or_else(|| "nothing".to_owned(), |deed| name(deed, dialect));
            return old.or(new).map(|only| Difference {
                what: self::name(only, dialect),
                field: String::new(),
                before: name(old),
                after: name(new),
            });
        };
        if let Some(found) = different(old, new, key, has_key, dialect) {
            return Some(found);
        }
    }
}

fn different(
    old: &RecordedDeed,
    new: &RecordedDeed,
    key: &PrivateKey,
    has_key: bool,
    dialect: Dialect,
) -> Option<Difference> {
    let of = |field: &str, before: String, after: String| {
        (before != after).then(|| Difference { what: name(old, dialect), field: field.to_owned(), before, after })
    };
    let whole = || of("", name(old, dialect), name(new, dialect));
    match (old, new) {
        (RecordedDeed::Sent(old), RecordedDeed::Sent(new)) if old != new => {
            let (before, after) = (read(old, dialect), read(new, dialect));
            if !has_key {
                // What is sealed, or answers a challenge, is different under another key.
                return if first_word(&before) == first_word(&after) { None } else { whole() };
            }
            lines(&before, &after)
                .and_then(|(field, before, after)| of(&field, before, after))
                .or_else(|| of("bytes", hex::encode(old), hex::encode(new)))
        }
        (RecordedDeed::Told { at, event: old_event }, RecordedDeed::Told { at: new_at, event: new_event }) => {
            whole().or_else(|| of("time", at.to_string(), new_at.to_string())).or_else(|| {
                let words = |event: &RecordedEvent| match event {
                    RecordedEvent::Plain(words) => Some(words.clone()),
                    RecordedEvent::Private { words, .. } => key.open::<String>(words),
                };
                match (words(old_event), words(new_event)) {
                    (Some(before), Some(after)) => {
                        lines(&before, &after).and_then(|(field, before, after)| of(&field, before, after))
                    }
                    _ => None,
                }
            })
        }
        (RecordedDeed::Messages(old), RecordedDeed::Messages(new)) => {
            let ids = |messages: &RecordedMessages| format!("{:?}", messages.ids);
            if old.ids != new.ids || old.stored != new.stored {
                return of("ids", ids(old), ids(new));
            }
            let first = |field: &str, before: &[u32], after: &[u32]| {
                let at = before.iter().zip(after).position(|(before, after)| before != after)?;
                let value =
                    |checks: &[u32]| checks.get(at).map(|check| format!("check {check:08x}")).unwrap_or_default();
                let id = old.ids.get(at).copied().unwrap_or_default();
                of(&format!("message {id}, {field}"), value(before), value(after))
            };
            first("what the mediator says of it", &old.heads, &new.heads).or_else(|| {
                let (before, after) = (key.open::<Vec<u32>>(&old.contents)?, key.open::<Vec<u32>>(&new.contents)?);
                first("content", &before, &after)
            })
        }
        (
            RecordedDeed::Acknowledged { count, first, waited },
            RecordedDeed::Acknowledged { count: new_count, first: new_first, waited: new_waited },
        ) => of("count", count.to_string(), new_count.to_string())
            .or_else(|| of("first id", first.to_string(), new_first.to_string()))
            .or_else(|| of("waited", format!("{waited:?}"), format!("{new_waited:?}"))),
        (old, new) if old == new => None,
        (RecordedDeed::Close(old), RecordedDeed::Close(new)) => of("code", old.to_string(), new.to_string()),
        (RecordedDeed::Proxy(old), RecordedDeed::Proxy(new)) => of("", old.clone(), new.clone()),
        _ => whole(),
    }
}

/// A message that is sent, a field a line.
fn read(frame: &Bytes, dialect: Dialect) -> String {
    ClientMessage::decode(frame.clone(), dialect)
        .map_or_else(|error| format!("{error}"), |message| format!("{message:#?}"))
}

/// What a deed is called.
fn name(deed: &RecordedDeed, dialect: Dialect) -> String {
    match deed {
        RecordedDeed::Connect => "connect".to_owned(),
        RecordedDeed::Sent(frame) => format!("sent {}", first_word(&read(frame, dialect))),
        RecordedDeed::Ping => "sent ping".to_owned(),
        RecordedDeed::Close(_) => "close".to_owned(),
        RecordedDeed::Messages(RecordedMessages { stored: true, .. }) => "messages to the journal".to_owned(),
        RecordedDeed::Messages(_) => "event Reflected".to_owned(),
        RecordedDeed::Acknowledged { .. } => "event Acknowledged".to_owned(),
        RecordedDeed::Proxy(_) => "chat client".to_owned(),
        RecordedDeed::Told { event: RecordedEvent::Plain(words), .. } => format!("event {}", first_word(words)),
        RecordedDeed::Told { event: RecordedEvent::Private { name, .. }, .. } => format!("event {name}"),
    }
}

/// The first line that differs: which field it is, before and after.
fn lines(before: &str, after: &str) -> Option<(String, String, String)> {
    let mut path: Vec<&str> = Vec::new();
    let (mut old, mut new) = (before.lines(), after.lines());
    loop {
        let (before, after) = match (old.next(), new.next()) {
            (None, None) => return None,
            (before, after) => (before.unwrap_or_default(), after.unwrap_or_default()),
        };
        let depth = before.len() - before.trim_start().len();
        path.truncate(depth / 4);
        // A value alone on its line belongs to the line above.
        path.push(before.trim().split_once(": ").map_or("", |(key, _)| key));
        if before != after {
            let value = |line: &str| {
                let line = line.trim().trim_end_matches(',');
                line.split_once(": ").map_or(line, |(_, value)| value).to_owned()
            };
            let field = path.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
            return Some((field, value(before), value(after)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{DisconnectCause, NextStep};
    use crate::protocol::{CloseCode, GroupKeys, GroupSecret, Millis, Nonce, Sealed, TransactionScope};

    fn followed(deeds: &[Deed], key: &PrivateKey) -> Vec<RecordedDeed> {
        let mut followed = Followed::default();
        for deed in deeds {
            add(&mut followed, deed, key);
        }
        followed.deeds
    }

    fn found(before: &[Deed], after: &[Deed]) -> Option<String> {
        let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [1; 32]));
        let key = PrivateKey::of(&keys);
        let found = difference(&followed(before, &key), &followed(after, &key), &key, true, Dialect::Dgk);
        found.map(|found| found.to_string())
    }

    fn begin(ttl: u64) -> Deed {
        let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [1; 32]));
        let scope = Sealed::seal(&TransactionScope::ContactSync, &keys, Nonce([1; 24]));
        let ttl = Some(std::time::Duration::from_secs(ttl));
        Deed::Send(ClientMessage::BeginTransaction { scope, ttl }.encode(Dialect::Dgk))
    }

    #[test]
    fn a_difference_names_the_message_its_field_and_both_values() {
        assert_eq!(found(&[begin(60)], &[begin(60)]), None);
        assert_eq!(
            found(&[Deed::Ping, begin(60)], &[Deed::Ping, begin(50)]).unwrap(),
            "sent BeginTransaction, ttl: 60s before, 50s now"
        );
        let ended = |at| {
            let next = NextStep::RetryAt { at: Millis(at), attempt: 2 };
            Deed::Tell(Millis(1), Event::Disconnected { cause: DisconnectCause::NoAnswer, next })
        };
        let words = found(&[ended(5)], &[ended(7)]).unwrap();
        assert!(words.starts_with("event Disconnected, next.at") && words.ends_with("5 before, 7 now"), "{words}");
        assert_eq!(
            found(&[Deed::Close(CloseCode::NORMAL)], &[Deed::Close(CloseCode::GOING_AWAY)]).unwrap(),
            "close, code: 1000 before, 1001 now"
        );
        assert_eq!(found(&[Deed::Ping], &[]).unwrap(), "sent ping: sent ping before, nothing now");
    }
}
