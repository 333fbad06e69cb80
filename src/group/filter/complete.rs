//! What may stand at the cursor of a filter line.

use std::collections::BTreeSet;

use super::condition::{BARE, RowMark};
use super::key::{FilterKey, KEYS};
use super::kinds;
use super::show::quoted;
use super::token::{Token, tokens};
use crate::group::Group;
use crate::protocol::d2d::Conversation;

/// How many candidates are offered at most.
const MOST: usize = 32;

/// What may stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterCompletions {
    /// The bytes of the text that a candidate takes the place of: from here
    pub from: usize,
    /// up to here, where the cursor is.
    pub to: usize,
    /// What may stand there.
    pub candidates: Vec<String>,
}

/// What may stand at the cursor, which is a byte of the text: keys, then the values that are known.
#[must_use]
pub fn complete(text: &str, cursor: usize, group: &Group) -> FilterCompletions {
    let before = text.get(..cursor).unwrap_or(text);
    let token = tokens(before).pop().filter(|token| token.end == before.len());
    match token {
        Some(Token { key: Some((name, _)), values, .. }) => {
            let (from, begun) = values.into_iter().next_back().unwrap_or((before.len(), String::new()));
            let known = FilterKey::named(&name).map_or_else(Vec::new, |key| values_of(key, group));
            let candidates = known.into_iter().filter(|(value, name)| begins(value, &begun) || begins(name, &begun));
            offer(from, before.len(), candidates.map(|(value, _)| quoted(&value)).collect())
        }
        // What is in quotes is no key.
        Some(token) if token.quoted => offer(before.len(), before.len(), Vec::new()),
        Some(token) => {
            let begun: String = token.values.into_iter().map(|(_, value)| value).collect();
            let from = before.len().saturating_sub(begun.len());
            let mut keys: Vec<String> = keys().filter(|key| begins(key, &begun)).collect();
            // Another name of a key beside it would look like another key.
            if keys.is_empty() {
                keys = other_names().filter(|key| begins(key, &begun)).collect();
            }
            offer(from, before.len(), keys)
        }
        None => offer(before.len(), before.len(), keys().collect()),
    }
}

/// Whether the word that ends at the cursor may still become a key, so that nobody looks for it as a word yet.
#[must_use]
pub fn may_become_key(text: &str, cursor: usize) -> bool {
    let (before, after) = text.split_at_checked(cursor).unwrap_or((text, ""));
    let ends_here = after.chars().next().is_none_or(char::is_whitespace);
    let Some(token) = tokens(before).pop().filter(|token| ends_here && token.end == before.len()) else { return false };
    if token.key.is_some() || token.quoted {
        return false;
    }
    let word: String = token.values.into_iter().map(|(_, value)| value).collect();
    let is_bare = BARE.into_iter().any(|(bare, _)| bare.eq_ignore_ascii_case(&word));
    !word.is_empty() && !is_bare && KEYS.into_iter().any(|(name, _)| begins(name, &word))
}

fn offer(from: usize, to: usize, mut candidates: Vec<String>) -> FilterCompletions {
    // Devices that are gone may be called as others are.
    let mut offered = BTreeSet::new();
    candidates.retain(|candidate| offered.insert(candidate.clone()));
    candidates.truncate(MOST);
    FilterCompletions { from, to, candidates }
}

fn begins(whole: &str, begun: &str) -> bool {
    whole.to_lowercase().starts_with(&begun.to_lowercase())
}

/// What may stand at the beginning of a word, each by its first name.
fn keys() -> impl Iterator<Item = String> {
    let keys = KEYS.into_iter().filter(|(name, key)| key.first_name() == *name).map(begin);
    keys.chain(BARE.into_iter().map(|(bare, _)| bare.to_owned()))
}

fn other_names() -> impl Iterator<Item = String> {
    KEYS.into_iter().filter(|(name, key)| key.first_name() != *name).map(begin)
}

fn begin((name, key): (&str, FilterKey)) -> String {
    format!("{name}{}", if key.has_order() { ">" } else { ":" })
}

/// The values that are known, and what each is also called.
fn values_of(key: FilterKey, group: &Group) -> Vec<(String, String)> {
    let alone = |value: String| (value.clone(), value);
    match key {
        FilterKey::Kind => kinds::names().into_iter().map(alone).collect(),
        FilterKey::Is => RowMark::ALL.into_iter().map(|mark| alone(mark.name().to_owned())).collect(),
        FilterKey::From => {
            let devices = group.devices();
            let ids = devices.iter().map(|(id, _)| id).chain(devices.former().map(|(id, _)| id));
            ids.map(|id| (devices.label(id).to_string(), id.to_string())).chain([alone("me".to_owned())]).collect()
        }
        FilterKey::Conversation => conversations(group),
        FilterKey::Age | FilterKey::Ack => {
            ["10ms", "100ms", "1s", "10s", "1m"].map(|span| alone(span.to_owned())).to_vec()
        }
        FilterKey::Size => ["1k", "10k", "50k"].map(|size| alone(size.to_owned())).to_vec(),
        FilterKey::Since | FilterKey::Until => ["1m", "10m", "1h", "1d"].map(|time| alone(time.to_owned())).to_vec(),
        FilterKey::Id => Vec::new(),
    }
}

/// Those that the feed's rows name, by name if they have one.
fn conversations(group: &Group) -> Vec<(String, String)> {
    let parties = group.feed().tables().parties.iter();
    let mut all: Vec<(String, String)> = parties
        .filter_map(|party| party.conversation.as_ref())
        .map(|conversation| {
            let id = match conversation {
                Conversation::Contact(identity) => identity.to_string(),
                Conversation::Group { id, .. } | Conversation::DistributionList(id) => id.to_string(),
            };
            (group.names().of(conversation).map_or_else(|| id.clone(), ToString::to_string), id)
        })
        .collect();
    all.sort();
    all.dedup();
    all
}
