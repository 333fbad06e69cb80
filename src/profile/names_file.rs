//! [`NamesFile`]: what the conversations of a profile's group are called, sealed.

use std::fs;
use std::io;
use std::path::PathBuf;

use rand::Rng as _;

use super::name::ProfileName;
use super::random::fresh_random;
use crate::group::{ConversationNames, NameParts};
use crate::os::private_files;
use crate::protocol::d2d::Conversation;
use crate::protocol::{GroupKeys, Nonce, OpenError, StateKey};
use crate::rendezvous::wire::{ContactName, GroupName, ListName, MAX_NAMES, Names};

/// In the state directory of the profile.
const FILE: &str = "names.sealed";

/// Where the names of a profile are.
#[derive(Clone, Debug)]
pub struct NamesFile(PathBuf);

/// Names cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NamesFileError {
    #[error("cannot read the names in {}: {cause}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    #[error("the names in {} cannot be opened: {cause}", path.display())]
    Content {
        /// The path of the file.
        path: PathBuf,
        cause: OpenError,
    },
}

impl NamesFile {
    /// That of a profile; [`None`] without a home directory.
    #[must_use]
    pub fn of(name: &ProfileName) -> Option<Self> {
        Some(Self(super::directories::profile_state(name)?.join(FILE)))
    }

    /// Whether names are kept, though there may be none yet.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.exists()
    }

    /// What conversations are called by the names that are kept.
    ///
    /// # Errors
    /// If the file cannot be read, or is another group's.
    pub fn known(&self, keys: &GroupKeys) -> Result<ConversationNames, NamesFileError> {
        let Names { contacts, groups, lists, .. } = self.read(keys)?;
        let mut known = ConversationNames::default();
        for contact in &contacts {
            known.set_contact(&contact.identity, &contact.first, &contact.last, &contact.nickname);
        }
        for group in &groups {
            known.set_group(group.id, &group.creator, &group.name);
        }
        for list in &lists {
            known.set_distribution_list(list.id, &list.name);
        }
        Ok(known)
    }

    /// Keeps what conversations are called now, as far as that is not too much.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep(&self, known: &ConversationNames, keys: &GroupKeys) -> io::Result<()> {
        let mut names = Names::default();
        for (conversation, NameParts { first, last, nickname }) in known.iter().take(MAX_NAMES) {
            let (first, last, nickname) = (first.clone(), last.clone(), nickname.clone());
            match conversation.clone() {
                Conversation::Contact(identity) => {
                    names.contacts.push(ContactName { identity, first, last, nickname });
                }
                Conversation::Group { id, creator } => names.groups.push(GroupName { id, creator, name: first }),
                Conversation::DistributionList(id) => names.lists.push(ListName { id, name: first }),
            }
        }
        self.write(&names, keys)
    }

    /// Keeps these names and no others, sealed with a key that follows from the group's.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, names: &Names, keys: &GroupKeys) -> io::Result<()> {
        let nonce = Nonce(fresh_random().r#gen());
        private_files::replace(&self.0, &StateKey::of(keys).seal(&names.encode(), nonce))
    }

    /// The names that are kept; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, or is another group's.
    pub fn read(&self, keys: &GroupKeys) -> Result<Names, NamesFileError> {
        let sealed = match fs::read(&self.0) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Names::default()),
            read => read.map_err(|cause| NamesFileError::File { path: self.0.clone(), cause })?,
        };
        let content = |cause| NamesFileError::Content { path: self.0.clone(), cause };
        let plain = StateKey::of(keys).open(&sealed).map_err(content)?;
        Names::read(&plain).map_err(|cause| content(cause.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Dialect, GroupSecret, MessageId};
    use crate::text::Clean;

    #[test]
    fn names_are_kept_for_who_has_the_groups_key() {
        let home = tempfile::tempdir().unwrap();
        let file = NamesFile(home.path().join("profiles/home/names.sealed"));
        let keys = |secret: u8| GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [secret; 32]));
        assert!(!file.is_there() && file.read(&keys(1)).unwrap().is_empty());
        let echo = ContactName {
            identity: Clean::literal("ECHOECHO"),
            first: Clean::literal("Echo"),
            ..ContactName::default()
        };
        let names = Names { contacts: vec![echo], ..Names::default() };
        file.write(&names, &keys(1)).unwrap();
        assert_eq!(file.read(&keys(1)).unwrap(), names);
        assert!(matches!(file.read(&keys(2)), Err(NamesFileError::Content { .. })));
        let mut known = file.known(&keys(1)).unwrap();
        known.set_group(MessageId(5), &Clean::literal("ECHOECHO"), &Clean::literal("Choir"));
        known.set_distribution_list(MessageId(6), &Clean::literal("Neighbours"));
        file.keep(&known, &keys(1)).unwrap();
        let kept: Vec<_> = known.iter().map(|(conversation, _)| conversation.clone()).collect();
        let again = file.known(&keys(1)).unwrap();
        assert!(kept.len() == 3 && kept.iter().all(|one| again.of(one).is_some() && again.of(one) == known.of(one)));
        assert!(!fs::read(&file.0).unwrap().windows(4).any(|window| window == b"Echo"));
    }
}
