//! [`EssentialData`]: of all that an existing device gives to a new one, what is kept.
//!
//! It is read as a stream, where it lies: the identity's own key, cookie, credentials and hundreds of thousands of nonces
//! are passed over and wiped with the buffer.

use zeroize::Zeroizing;

use super::fields::{FIELD_HEAD, Fields, Writer};
use super::names::{ContactName, GroupName, ListName, Names, name};
use crate::protocol::{DecodeError, Dialect, GroupSecret, KEY_LENGTH, MessageId, ServerGroup};
use crate::text::Clean;

/// What a new device keeps.
#[derive(Debug)]
pub struct EssentialData {
    /// The Device Group Key.
    pub secret: GroupSecret,
    /// The chat server group, which the mediator's URL names.
    pub server_group: ServerGroup,
    /// The identity that all devices share. Another d2mtop may not know it.
    pub identity: Option<Clean>,
    /// What conversations are called.
    pub names: Names,
}

/// What a new device cannot do without, or cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EssentialError {
    /// No protobuf.
    #[error("the data is malformed")]
    Malformed,
    /// No Device Group Key.
    #[error("the group's key is missing")]
    NoGroupKey,
    /// Something else than a key.
    #[error("the group's key has {0} bytes instead of 32")]
    GroupKeyLength(usize),
    /// No server group.
    #[error("the server group is missing")]
    NoServerGroup,
    /// A server group that no URL can name.
    #[error("the server group is not letters and digits")]
    ServerGroup,
}

impl From<DecodeError> for EssentialError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

#[derive(Default)]
struct Found<'a> {
    secret: &'a [u8],
    server_group: &'a [u8],
    identity: &'a [u8],
    names: Names,
}

impl EssentialData {
    /// Takes out of the message what is kept.
    ///
    /// # Errors
    /// If it is malformed, or lacks what a new device cannot do without.
    pub fn read(message: &[u8]) -> Result<Self, EssentialError> {
        let mut found = Found::default();
        for field in Fields(message) {
            let (number, value) = field?;
            match number {
                2 => identity(value.bytes()?, &mut found)?,
                3 => {
                    for field in Fields(value.bytes()?) {
                        if let (1, secret) = field? {
                            found.secret = secret.bytes()?;
                        }
                    }
                }
                7 => contact(first_message(value.bytes()?)?, &mut found.names)?,
                8 => group(first_message(value.bytes()?)?, &mut found.names)?,
                9 => list(first_message(value.bytes()?)?, &mut found.names)?,
                _ => {}
            }
        }
        let secret = match *found.secret {
            [] => return Err(EssentialError::NoGroupKey),
            ref bytes => bytes.first_chunk::<KEY_LENGTH>().filter(|key| key.len() == bytes.len()),
        };
        let secret = secret.ok_or(EssentialError::GroupKeyLength(found.secret.len()))?;
        if found.server_group.is_empty() {
            return Err(EssentialError::NoServerGroup);
        }
        let server_group = std::str::from_utf8(found.server_group).map_err(|_| EssentialError::ServerGroup)?;
        Ok(Self {
            server_group: ServerGroup::parse(server_group, Dialect::Dgk).map_err(|_| EssentialError::ServerGroup)?,
            secret: GroupSecret::new(&mut Zeroizing::new(*secret)),
            identity: Some(name(found.identity)).filter(|identity| !identity.is_empty()),
            names: found.names,
        })
    }

    /// The whole message from the existing device: this, and nothing else of what phones send.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let names = &self.names;
        let contact_room = |contact: &ContactName| {
            6 * FIELD_HEAD
                + [&contact.identity, &contact.first, &contact.last, &contact.nickname]
                    .map(clean_len)
                    .iter()
                    .sum::<usize>()
        };
        let group_room = |group: &GroupName| 6 * FIELD_HEAD + clean_len(&group.creator) + clean_len(&group.name);
        let list_room = |list: &ListName| 4 * FIELD_HEAD + clean_len(&list.name);
        let identity = self.identity.as_ref().map(Clean::as_str).unwrap_or_default();
        let room = 8 * FIELD_HEAD
            + KEY_LENGTH
            + identity.len()
            + self.server_group.as_str().len()
            + names.contacts.iter().map(contact_room).sum::<usize>()
            + names.groups.iter().map(group_room).sum::<usize>()
            + names.lists.iter().map(list_room).sum::<usize>();
        let mut data = Writer::with_room(room);
        let mut identity_data = Writer::with_room(identity.len() + self.server_group.as_str().len() + 2 * FIELD_HEAD);
        identity_data.text(1, identity);
        identity_data.bytes(4, self.server_group.as_str().as_bytes());
        data.bytes(2, &identity_data.finish());
        let mut group_data = Writer::with_room(KEY_LENGTH + FIELD_HEAD);
        group_data.bytes(1, self.secret.expose());
        data.bytes(3, &group_data.finish());
        for contact in &names.contacts {
            let mut inner = Writer::with_room(contact_room(contact));
            inner.text(1, contact.identity.as_str());
            inner.text(4, contact.first.as_str());
            inner.text(5, contact.last.as_str());
            inner.text(6, contact.nickname.as_str());
            data.wrapped(7, &inner.finish());
        }
        for group in &names.groups {
            let mut group_identity = Writer::with_room(group_room(group));
            group_identity.fixed64(1, group.id.0);
            group_identity.text(2, group.creator.as_str());
            let mut inner = Writer::with_room(group_room(group));
            inner.bytes(1, &group_identity.finish());
            inner.text(2, group.name.as_str());
            data.wrapped(8, &inner.finish());
        }
        for list in &names.lists {
            let mut inner = Writer::with_room(list_room(list));
            inner.fixed64(1, list.id.0);
            inner.text(2, list.name.as_str());
            data.wrapped(9, &inner.finish());
        }
        let mut message = Writer::with_room(room + FIELD_HEAD);
        message.bytes(3, &data.finish());
        message.finish()
    }
}

impl Writer {
    /// Text, unless there is none: then it says nothing.
    fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    /// A message as the first field of a message.
    fn wrapped(&mut self, number: u32, inner: &[u8]) {
        let mut outer = Self::with_room(inner.len() + FIELD_HEAD);
        outer.bytes(1, inner);
        self.bytes(number, &outer.finish());
    }
}

fn clean_len(text: &Clean) -> usize {
    text.as_str().len()
}

/// The message in field 1; empty if there is none.
fn first_message(message: &[u8]) -> Result<&[u8], DecodeError> {
    let mut first: &[u8] = &[];
    for field in Fields(message) {
        if let (1, inner) = field? {
            first = inner.bytes()?;
        }
    }
    Ok(first)
}

fn identity<'a>(message: &'a [u8], found: &mut Found<'a>) -> Result<(), DecodeError> {
    for field in Fields(message) {
        match field? {
            (1, identity) => found.identity = identity.bytes()?,
            (4, server_group) => found.server_group = server_group.bytes()?,
            _ => {}
        }
    }
    Ok(())
}

fn contact(message: &[u8], names: &mut Names) -> Result<(), DecodeError> {
    let mut contact = ContactName::default();
    for field in Fields(message) {
        let (number, value) = field?;
        let target = match number {
            1 => &mut contact.identity,
            4 => &mut contact.first,
            5 => &mut contact.last,
            6 => &mut contact.nickname,
            _ => continue,
        };
        *target = name(value.bytes()?);
    }
    let has_name = ![&contact.first, &contact.last, &contact.nickname].iter().all(|name| name.is_empty());
    if has_name && names.has_room() {
        names.contacts.push(contact);
    }
    Ok(())
}

fn group(message: &[u8], names: &mut Names) -> Result<(), DecodeError> {
    let mut group = GroupName { id: MessageId(0), creator: Clean::default(), name: Clean::default() };
    for field in Fields(message) {
        match field? {
            (1, identity) => {
                for field in Fields(identity.bytes()?) {
                    match field? {
                        (1, id) => group.id = MessageId(id.fixed64()?),
                        (2, creator) => group.creator = name(creator.bytes()?),
                        _ => {}
                    }
                }
            }
            (2, text) => group.name = name(text.bytes()?),
            _ => {}
        }
    }
    if !group.name.is_empty() && names.has_room() {
        names.groups.push(group);
    }
    Ok(())
}

fn list(message: &[u8], names: &mut Names) -> Result<(), DecodeError> {
    let mut list = ListName { id: MessageId(0), name: Clean::default() };
    for field in Fields(message) {
        match field? {
            (1, id) => list.id = MessageId(id.fixed64()?),
            (2, text) => list.name = name(text.bytes()?),
            _ => {}
        }
    }
    if !list.name.is_empty() && names.has_room() {
        names.lists.push(list);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
