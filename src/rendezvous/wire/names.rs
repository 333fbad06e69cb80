//! [`Names`]: what contacts, groups and distribution lists are called.

use crate::protocol::MessageId;
use crate::text::Clean;

/// The most names that are kept of one group.
pub const MAX_NAMES: usize = 50_000;
/// The most bytes of one name that are looked at; apps allow far fewer.
const MAX_NAME: usize = 256;

/// The names of one contact, as far as there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactName {
    /// The contact's identity.
    pub identity: Clean,
    /// From the address book of the phone; may be empty.
    pub first: Clean,
    /// From the address book of the phone; may be empty.
    pub last: Clean,
    /// As the contact calls itself; may be empty.
    pub nickname: Clean,
}

impl ContactName {
    /// What to call the contact: as the user does, else as it calls itself.
    #[must_use]
    pub fn display(&self) -> Option<Clean> {
        match (self.first.is_empty(), self.last.is_empty()) {
            (false, false) => Some(Clean::new(&format!("{} {}", self.first.as_str(), self.last.as_str()))),
            (false, true) => Some(self.first.clone()),
            (true, false) => Some(self.last.clone()),
            (true, true) => Some(&self.nickname).filter(|nickname| !nickname.is_empty()).cloned(),
        }
    }
}

/// The name of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName {
    /// The group's id under its creator.
    pub id: MessageId,
    /// The creator's identity.
    pub creator: Clean,
    /// As its members see it; may be empty.
    pub name: Clean,
}

/// The name of one distribution list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListName {
    /// Which list it is, in this user's account alone.
    pub id: MessageId,
    /// As the user calls it; may be empty.
    pub name: Clean,
}

/// What contacts, groups and distribution lists are called; [`MAX_NAMES`] together. Who has no name is not here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// People, by their identities.
    pub contacts: Vec<ContactName>,
    /// Groups of people, by creator and id.
    pub groups: Vec<GroupName>,
    /// Of distribution lists.
    pub lists: Vec<ListName>,
    /// How many there were beyond those.
    pub left_out: usize,
}

impl Names {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.contacts.len() + self.groups.len() + self.lists.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is room for one more; counts it, if not.
    pub(super) const fn has_room(&mut self) -> bool {
        let has_room = self.len() < MAX_NAMES;
        if !has_room {
            self.left_out += 1;
        }
        has_room
    }
}

/// A name off the wire.
pub(super) fn name(bytes: &[u8]) -> Clean {
    match std::str::from_utf8(bytes) {
        Ok(text) => Clean::new(text.get(..text.floor_char_boundary(MAX_NAME)).unwrap_or_default()),
        Err(_) => Clean::from_bytes(bytes.get(..MAX_NAME).unwrap_or(bytes)),
    }
}
