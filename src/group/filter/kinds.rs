//! What kinds are called in filters, and which rows have one.

use crate::protocol::d2d::{ContentKind, MessageType};

/// A type that the specification does not have.
const UNKNOWN_TYPE: &str = "unknown type";

/// What cannot be read.
const UNREADABLE: &str = "unreadable";

/// The message types and contents that a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kinds {
    /// The name as it was asked for, in lower case.
    pub(super) name: String,
    types: Vec<MessageType>,
    contents: Vec<ContentKind>,
    unreadable: bool,
}

impl Kinds {
    /// The kinds of that name; [`None`] if there are none. The beginnings of words will do.
    pub(super) fn called(name: &str) -> Option<Self> {
        let words = plain(name);
        let called = |whole: &str| has_words(&plain(whole), &words);
        let is_so_called = |of: &MessageType| called(&of.name()) || (of.known_name().is_none() && called(UNKNOWN_TYPE));
        let types = types().filter(is_so_called).collect();
        let contents = ContentKind::ALL.into_iter().filter(|kind| called(content(*kind))).collect();
        let kinds = Self { name: name.to_lowercase(), types, contents, unreadable: called(UNREADABLE) };
        let is_any = kinds.unreadable || !kinds.types.is_empty() || !kinds.contents.is_empty();
        (is_any && !words.is_empty()).then_some(kinds)
    }

    pub(super) fn have(&self, kind: Option<ContentKind>, message_type: Option<MessageType>) -> bool {
        match kind {
            Some(kind) => {
                self.contents.contains(&kind) || message_type.is_some_and(|known| self.types.contains(&known))
            }
            None => self.unreadable,
        }
    }
}

/// All names, each word of which a filter takes; one word each, so that none needs quotes.
pub(super) fn names() -> Vec<String> {
    let types = types().filter_map(MessageType::known_name).filter(|name| !name.starts_with("group "));
    let contents = ContentKind::ALL.into_iter().map(content);
    let mut names: Vec<String> =
        types.chain(contents).chain([UNKNOWN_TYPE, UNREADABLE]).map(|name| plain(name).join("-")).collect();
    names.sort();
    names.dedup();
    names
}

fn types() -> impl Iterator<Item = MessageType> {
    (0..=u8::MAX).map(MessageType)
}

const fn content(kind: ContentKind) -> &'static str {
    match kind {
        ContentKind::OutgoingMessage | ContentKind::IncomingMessage => "message",
        ContentKind::OutgoingMessageUpdate => "sent",
        ContentKind::IncomingMessageUpdate => "read",
        ContentKind::UserProfileSync => "profile sync",
        ContentKind::ContactSync => "contact sync",
        ContentKind::GroupSync => "group sync",
        ContentKind::DistributionListSync => "distribution list sync",
        ContentKind::SettingsSync => "settings sync",
        ContentKind::MdmParameterSync => "mdm parameter sync",
        ContentKind::Unknown => "unknown content",
    }
}

fn plain(name: &str) -> Vec<String> {
    let words = name.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Whether the words occur in a row, each at least by its beginning; a number is the beginning of no other.
fn has_words(whole: &[String], words: &[String]) -> bool {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let begins = |(word, begun): (&String, &String)| word == begun || (word.starts_with(begun) && !is_number(begun));
    whole.windows(words.len().max(1)).any(|some| some.iter().zip(words).all(begins))
}
