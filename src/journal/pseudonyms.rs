//! Pseudonyms by what they stand for: most messages are exchanged with few, and a hash costs more than to remember it.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use crate::protocol::d2d::Conversation;
use crate::text::Clean;

/// How many are remembered. Then all are forgotten, which costs less than to know which was used last.
const MOST: usize = 2_048;

/// A pseudonym with its tag.
pub(super) type Tagged = [u8; 9];

#[derive(Default)]
pub(super) struct Pseudonyms {
    conversations: HashMap<Conversation, Tagged>,
    senders: HashMap<Clean, Tagged>,
}

impl Pseudonyms {
    pub(super) fn conversation(&mut self, of: &Conversation, hash: impl FnOnce() -> Tagged) -> Tagged {
        remembered(&mut self.conversations, of, hash)
    }

    pub(super) fn sender(&mut self, of: &Clean, hash: impl FnOnce() -> Tagged) -> Tagged {
        remembered(&mut self.senders, of, hash)
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pseudonyms")
    }
}

fn remembered<K: Clone + Eq + Hash>(known: &mut HashMap<K, Tagged>, of: &K, hash: impl FnOnce() -> Tagged) -> Tagged {
    if let Some(pseudonym) = known.get(of) {
        return *pseudonym;
    }
    if known.len() >= MOST {
        known.clear();
    }
    *known.entry(of.clone()).or_insert_with(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_are_remembered_are_hashed_again_and_not_mixed_up() {
        let mut pseudonyms = Pseudonyms::default();
        let identities: Vec<Clean> = (0..MOST + 2).map(|number| Clean::new(&format!("{number:08}"))).collect();
        for _ in 0..2 {
            for (number, identity) in identities.iter().enumerate() {
                let own = [u8::try_from(number % 251).unwrap(); 9];
                assert_eq!(pseudonyms.sender(identity, || own), own);
                assert_eq!(pseudonyms.sender(identity, || [255; 9]), own, "remembered");
            }
            assert!(pseudonyms.senders.len() <= MOST);
        }
    }
}
