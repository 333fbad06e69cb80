//! [`Pseudonym`]: whom a message is exchanged with, or which device it is, told apart without being told.

use std::fmt;

use blake2b_simd::Params;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Serialize, Serializer};

use super::d2d::Conversation;
use super::ids::DeviceId;
use super::keys::{GroupKeys, KEY_LENGTH, own_key};
use crate::text::Clean;

/// What stands for a conversation or a device: the same for the same one, and of no use to who does not have the group's key.
/// Identities have eight letters, and would be guessed from a hash without a key within minutes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 8]);

/// Makes pseudonyms; derived from the group's key.
pub struct PseudonymKey(SecretBox<[u8; KEY_LENGTH]>);

impl PseudonymKey {
    /// Derives the key from the envelope key of a group: another group has other pseudonyms.
    #[must_use]
    pub fn of(keys: &GroupKeys) -> Self {
        Self(own_key(keys, b"d2mtop pseudonym"))
    }

    /// The pseudonym of a conversation. A group's is of its id alone, which is random: its creator need not be known to
    /// find it.
    #[must_use]
    pub fn conversation(&self, conversation: &Conversation) -> Pseudonym {
        match conversation {
            Conversation::Contact(identity) => self.contact(identity),
            Conversation::Group { id, .. } => self.hash(2, &id.0.to_le_bytes()),
            Conversation::DistributionList(id) => self.hash(3, &id.0.to_le_bytes()),
        }
    }

    /// The pseudonym of a contact: of somebody who sends, or of the conversation with them.
    #[must_use]
    pub fn contact(&self, identity: &Clean) -> Pseudonym {
        self.hash(1, identity.as_str().as_bytes())
    }

    /// The pseudonym of a device.
    #[must_use]
    pub fn device(&self, device: DeviceId) -> Pseudonym {
        self.hash(4, &device.0.to_le_bytes())
    }

    fn hash(&self, kind: u8, bytes: &[u8]) -> Pseudonym {
        let mut state = Params::new().hash_length(8).key(self.0.expose_secret()).to_state();
        let hash = state.update(&[kind]).update(bytes).finalize();
        Pseudonym(hash.as_bytes().first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PseudonymKey([REDACTED])")
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pseudonym({self})")
    }
}

impl Serialize for Pseudonym {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::protocol::{Dialect, GroupSecret, MessageId};

    #[test]
    fn pseudonyms_differ_by_whom_they_stand_for_and_by_the_group_key() {
        let mut seen = HashSet::new();
        for dialect in [Dialect::Mk, Dialect::Dgk] {
            for secret in [1, 2] {
                let key = PseudonymKey::of(&GroupKeys::derive(dialect, &GroupSecret::new(&mut [secret; 32])));
                let group = |creator| Conversation::Group { id: MessageId(7), creator: Clean::literal(creator) };
                for conversation in [
                    Conversation::Contact(Clean::literal("ECHOECHO")),
                    Conversation::Contact(Clean::literal("ABCDEFGH")),
                    Conversation::DistributionList(MessageId(7)),
                    group("ECHOECHO"),
                ] {
                    let pseudonym = key.conversation(&conversation);
                    assert_eq!(pseudonym, key.conversation(&conversation), "it is the same every time");
                    assert!(seen.insert(pseudonym), "{conversation:?} has one of its own in {dialect}");
                }
                assert_eq!(key.conversation(&group("ECHOECHO")), key.conversation(&group("ABCDEFGH")));
                // The number is that of the other conversations.
                assert!(seen.insert(key.device(DeviceId(7))), "a device has one of its own in {dialect}");
            }
        }
    }

    #[test]
    fn the_key_is_not_printed() {
        let key = PseudonymKey::of(&GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [1; 32])));
        assert_eq!(format!("{key:?}"), "PseudonymKey([REDACTED])");
    }
}
