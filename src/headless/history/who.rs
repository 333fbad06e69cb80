//! [`OfProfile`]: who is who in a profile's journal. Most of that needs the group's key, which is asked for only then.

use crate::journal::{Revealed, Who};
use crate::output::Failure;
use crate::output::words::remark;
use crate::profile::secrets::PassphraseSource;
use crate::profile::{KeptConversations, NamesFile, ProfileName, ProfileStore, Record, SecretError, SecretSource};
use crate::protocol::{DeviceId, GroupKeys, MessageId, PseudonymKey};
use crate::text::Clean;

/// The profile whose journal is read.
pub(super) struct OfProfile<'a> {
    store: &'a ProfileStore,
    name: ProfileName,
    pub(super) record: Record,
    passphrase: PassphraseSource,
    /// Once they were needed.
    keys: Option<GroupKeys>,
}

impl<'a> OfProfile<'a> {
    pub(super) fn new(
        store: &'a ProfileStore,
        name: ProfileName,
        record: Record,
        passphrase_descriptor: Option<u32>,
    ) -> Self {
        Self { store, name, record, passphrase: PassphraseSource::new(passphrase_descriptor), keys: None }
    }

    fn keys(&mut self) -> Result<&GroupKeys, SecretError> {
        if self.keys.is_none() {
            let source = SecretSource::of(&self.name, &self.record, self.store.directory())?;
            let secret = source.load(&self.name, &mut self.passphrase)?;
            self.keys = Some(GroupKeys::derive(self.record.dialect.into(), &secret));
        }
        self.keys.as_ref().ok_or_else(|| SecretError::Nowhere(self.name.clone()))
    }

    /// The other side of a conversation; its pseudonym needs the key.
    pub(super) fn who(&mut self, text: &str) -> Result<Who, Failure> {
        if let Some(digits) = text.strip_prefix('#') {
            let pseudonym = Who::pseudonym(digits);
            let what = "--conversation: a pseudonym is # and up to 16 hex digits";
            return pseudonym.ok_or_else(|| Failure::Usage(what.to_owned()));
        }
        let key = match self.record.journal_conversations {
            KeptConversations::Plain => None,
            KeptConversations::Hashed => Some(PseudonymKey::of(self.keys().map_err(|error| {
                Failure::Usage(format!(
                    "--conversation: the journal has pseudonyms, and making one needs the group's key: {error}. A \
                     pseudonym itself (# and its digits) needs none"
                ))
            })?)),
            KeptConversations::None => {
                let why = "keeps no conversations in its journal (journal_conversations = \"none\")";
                return Err(Failure::Usage(format!("--conversation: the profile {} {why}", self.name)));
            }
        };
        // As a device id is written, which is how ids of groups are, too.
        Ok(match text.parse::<DeviceId>() {
            Ok(DeviceId(id)) => Who::id(MessageId(id), key.as_ref()),
            Err(_) => Who::contact(&Clean::new(text), key.as_ref()),
        })
    }

    /// What the profile knows of names; [`None`], and said why, if that is nothing.
    pub(super) fn names(&mut self) -> Result<Option<Revealed>, Failure> {
        let Some(file) = NamesFile::of(&self.name).filter(NamesFile::is_there) else {
            let whose = "names come with a join (d2mtop join), unless it was told to --forget-names";
            remark(&format!("the profile {} keeps no names: {whose}", self.name));
            return Ok(None);
        };
        let keys = self.keys().map_err(|error| {
            Failure::Usage(format!("--names: the names are sealed, and opening them needs the group's key: {error}"))
        })?;
        let known = file.known(keys).map_err(|error| Failure::Usage(format!("--names: {error}")))?;
        Ok(Some(Revealed::new(known, &PseudonymKey::of(keys))))
    }
}
