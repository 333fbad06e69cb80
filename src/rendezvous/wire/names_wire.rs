//! [`Names`] on the wire, as fields 7 to 9 of the essential data have them.

use zeroize::Zeroizing;

use super::fields::{FIELD_HEAD, WireField, WireFields, WireWriter};
use super::names::{ContactName, GroupName, ListName, Names, name};
use crate::protocol::{DecodeError, MessageId};
use crate::text::Clean;

impl Names {
    /// Their bytes: essential data with nothing else in it.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut data = WireWriter::with_room(self.room());
        self.write_into(&mut data);
        data.finish()
    }

    /// Reads what [`Names::encode`] wrote.
    ///
    /// # Errors
    /// If it is something else.
    pub fn read(data: &[u8]) -> Result<Self, DecodeError> {
        let mut names = Self::default();
        for field in WireFields(data) {
            let (number, value) = field?;
            names.read_field(number, value)?;
        }
        Ok(names)
    }

    /// One field of the essential data; those that are no names are passed over.
    pub(super) fn read_field(&mut self, number: u32, value: WireField<'_>) -> Result<(), DecodeError> {
        match number {
            7 => contact(first_message(value.bytes()?)?, self),
            8 => group(first_message(value.bytes()?)?, self),
            9 => list(first_message(value.bytes()?)?, self),
            _ => Ok(()),
        }
    }

    /// The most bytes that they take.
    pub(super) fn room(&self) -> usize {
        self.contacts.iter().map(contact_room).sum::<usize>()
            + self.groups.iter().map(group_room).sum::<usize>()
            + self.lists.iter().map(list_room).sum::<usize>()
    }

    pub(super) fn write_into(&self, data: &mut WireWriter) {
        for contact in &self.contacts {
            let mut inner = WireWriter::with_room(contact_room(contact));
            inner.text(1, contact.identity.as_str());
            inner.text(4, contact.first.as_str());
            inner.text(5, contact.last.as_str());
            inner.text(6, contact.nickname.as_str());
            data.wrapped(7, &inner.finish());
        }
        for group in &self.groups {
            let mut group_identity = WireWriter::with_room(group_room(group));
            group_identity.fixed64(1, group.id.0);
            group_identity.text(2, group.creator.as_str());
            let mut inner = WireWriter::with_room(group_room(group));
            inner.bytes(1, &group_identity.finish());
            inner.text(2, group.name.as_str());
            data.wrapped(8, &inner.finish());
        }
        for list in &self.lists {
            let mut inner = WireWriter::with_room(list_room(list));
            inner.fixed64(1, list.id.0);
            inner.text(2, list.name.as_str());
            data.wrapped(9, &inner.finish());
        }
    }
}

fn contact_room(contact: &ContactName) -> usize {
    let texts = [&contact.identity, &contact.first, &contact.last, &contact.nickname];
    6 * FIELD_HEAD + texts.map(clean_len).iter().sum::<usize>()
}

fn group_room(group: &GroupName) -> usize {
    6 * FIELD_HEAD + clean_len(&group.creator) + clean_len(&group.name)
}

fn list_room(list: &ListName) -> usize {
    4 * FIELD_HEAD + clean_len(&list.name)
}

impl WireWriter {
    /// Text, unless there is none: then it says nothing.
    pub(super) fn text(&mut self, number: u32, text: &str) {
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
    for field in WireFields(message) {
        if let (1, inner) = field? {
            first = inner.bytes()?;
        }
    }
    Ok(first)
}

fn contact(message: &[u8], names: &mut Names) -> Result<(), DecodeError> {
    let mut contact = ContactName::default();
    for field in WireFields(message) {
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
    for field in WireFields(message) {
        match field? {
            (1, identity) => {
                for field in WireFields(identity.bytes()?) {
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
    for field in WireFields(message) {
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
