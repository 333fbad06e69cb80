//! [`EssentialData`]: of all that an existing device gives to a new one, what is kept.
//!
//! It is read as a stream, where it lies: the identity's own key, cookie, credentials and hundreds of thousands of nonces
//! are passed over and wiped with the buffer.

use zeroize::Zeroizing;

use super::fields::{FIELD_HEAD, WireFields, WireWriter};
use super::names::{Names, name};
use crate::protocol::{DecodeError, Dialect, GroupSecret, KEY_LENGTH, ServerGroup};
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
    /// It cannot be read as protobuf.
    #[error("the data is malformed")]
    Malformed,
    /// No Device Group Key.
    #[error("the group's key is missing")]
    NoGroupKey,
    /// Something else than a key.
    #[error("the group's key has {0} bytes instead of 32")]
    GroupKeyLength(usize),
    /// The mediator's URL cannot be told without it.
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
struct EssentialFields<'a> {
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
        let mut found = EssentialFields::default();
        for field in WireFields(message) {
            let (number, value) = field?;
            match number {
                2 => identity(value.bytes()?, &mut found)?,
                3 => {
                    for field in WireFields(value.bytes()?) {
                        if let (1, secret) = field? {
                            found.secret = secret.bytes()?;
                        }
                    }
                }
                _ => found.names.read_field(number, value)?,
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
        let identity = self.identity.as_ref().map(Clean::as_str).unwrap_or_default();
        let room = 8 * FIELD_HEAD + KEY_LENGTH + identity.len() + self.server_group.as_str().len() + names.room();
        let mut data = WireWriter::with_room(room);
        let mut identity_data =
            WireWriter::with_room(identity.len() + self.server_group.as_str().len() + 2 * FIELD_HEAD);
        identity_data.text(1, identity);
        identity_data.bytes(4, self.server_group.as_str().as_bytes());
        data.bytes(2, &identity_data.finish());
        let mut group_data = WireWriter::with_room(KEY_LENGTH + FIELD_HEAD);
        group_data.bytes(1, self.secret.expose());
        data.bytes(3, &group_data.finish());
        names.write_into(&mut data);
        let mut message = WireWriter::with_room(room + FIELD_HEAD);
        message.bytes(3, &data.finish());
        message.finish()
    }
}

fn identity<'a>(message: &'a [u8], found: &mut EssentialFields<'a>) -> Result<(), DecodeError> {
    for field in WireFields(message) {
        match field? {
            (1, identity) => found.identity = identity.bytes()?,
            (4, server_group) => found.server_group = server_group.bytes()?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
