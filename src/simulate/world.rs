//! Whom the simulated user knows, and what they talk about.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::protocol::MessageId;
use crate::protocol::d2d::Conversation;
use crate::protocol::proto::common;
use crate::rendezvous::wire::{ContactName, GroupName, Names};
use crate::text::Clean;

/// The simulated user's own identity.
pub(super) const OWN_IDENTITY: &str = "N0RAB3RG";

#[derive(Clone, Copy, Debug)]
pub(super) struct Contact {
    pub(super) identity: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
}

const CONTACTS: [Contact; 7] = [
    Contact { identity: "M4RTAK9B", first_name: "Marta", last_name: "Kováčová" },
    Contact { identity: "J0NASH7T", first_name: "Jonas", last_name: "Hauser" },
    Contact { identity: "LE1LA4QX", first_name: "Leila", last_name: "Haddad" },
    Contact { identity: "T0MASZ2W", first_name: "Tomasz", last_name: "Wójcik" },
    Contact { identity: "PR1YA5NC", first_name: "Priya", last_name: "Nair" },
    Contact { identity: "5AMUEL8R", first_name: "Samuel", last_name: "Roth" },
    Contact { identity: "Y0K0TAN6", first_name: "Yoko", last_name: "Tanaka" },
];

const GROUP_NAMES: [&str; 3] = ["Choir", "Mountain weekend", "Cellar keys"];

const NICKNAMES: [&str; 6] = ["marta k.", "j0", "leila ☀", "tomek", "Priya N", "sam"];

const TEXTS: [&str; 24] = [
    "Are you on your way?",
    "Ten minutes, the tram is late",
    "👍",
    "Can you send me the address again?",
    "Meeting moved to three, room 4.12",
    "Did you see the mountains this morning?",
    "I'll bring bread and cheese",
    "Ha, yes, exactly that",
    "No hurry",
    "The build is green again",
    "Who has the key to the cellar?",
    "Rehearsal starts at seven sharp",
    "Happy birthday! 🎂",
    "Could you water the plants until Sunday? There is not much to do, only the two big ones in the kitchen.",
    "On the phone, I'll write in a bit",
    "Which line do I take from the station?",
    "Thanks a lot",
    "That was the longest queue of my life, but we have tickets: row 12, seats 4 and 5, doors open at half past six.",
    "ok",
    "See you tomorrow then",
    "I forgot my umbrella at your place",
    "Have you two met before?",
    "The parcel is with the neighbours",
    "Good night",
];

const EMOJI: [&str; 6] = ["👍", "❤️", "😂", "🎉", "😮", "👎"];

const FILES: [(&str, &str); 4] = [
    ("image/jpeg", "IMG_2031.jpg"),
    ("application/pdf", "tickets.pdf"),
    ("audio/aac", "voice message.aac"),
    ("video/mp4", "VID_0007.mp4"),
];

#[derive(Clone, Debug)]
pub(super) struct SimulatedGroup {
    pub(super) id: MessageId,
    pub(super) creator: &'static str,
    pub(super) members: Vec<Contact>,
}

impl SimulatedGroup {
    pub(super) fn conversation(&self) -> Conversation {
        Conversation::Group { id: self.id, creator: Clean::literal(self.creator) }
    }

    pub(super) fn identity(&self) -> common::GroupIdentity {
        common::GroupIdentity { group_id: self.id.0, creator_identity: self.creator.to_owned() }
    }
}

impl Contact {
    pub(super) const fn conversation(&self) -> Conversation {
        Conversation::Contact(Clean::literal(self.identity))
    }
}

/// Whom the simulated user knows: the same for all devices of a seed.
#[derive(Clone, Debug)]
pub(super) struct World {
    groups: [SimulatedGroup; 3],
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        // Another stream than that of the device ids.
        let mut rng = StdRng::seed_from_u64(!seed);
        let mut group = |creator: Option<usize>, members: usize| SimulatedGroup {
            id: MessageId(rng.r#gen()),
            creator: creator.and_then(|index| CONTACTS.get(index)).map_or(OWN_IDENTITY, |contact| contact.identity),
            members: CONTACTS.iter().copied().take(members).collect(),
        };
        Self { groups: [group(Some(0), 3), group(None, 5), group(Some(2), 7)] }
    }

    pub(super) fn group(&self, rng: &mut StdRng) -> &SimulatedGroup {
        let [first, ..] = &self.groups;
        self.groups.choose(rng).unwrap_or(first)
    }
}

/// What all of them are called, as a phone tells a new device.
pub(super) fn names(seed: u64) -> Names {
    let contacts = CONTACTS.map(|contact| ContactName {
        identity: Clean::literal(contact.identity),
        first: Clean::literal(contact.first_name),
        last: Clean::literal(contact.last_name),
        nickname: Clean::default(),
    });
    let groups = World::new(seed).groups.into_iter().zip(GROUP_NAMES).map(|(group, name)| GroupName {
        id: group.id,
        creator: Clean::literal(group.creator),
        name: Clean::literal(name),
    });
    Names { contacts: contacts.to_vec(), groups: groups.collect(), ..Names::default() }
}

pub(super) fn contact(rng: &mut StdRng) -> Contact {
    let [first, ..] = CONTACTS;
    CONTACTS.choose(rng).copied().unwrap_or(first)
}

/// A contact of the group.
pub(super) fn member(group: &SimulatedGroup, rng: &mut StdRng) -> Contact {
    group.members.choose(rng).copied().unwrap_or_else(|| contact(rng))
}

pub(super) fn nickname(rng: &mut StdRng) -> &'static str {
    NICKNAMES.choose(rng).copied().unwrap_or_default()
}

pub(super) fn text(rng: &mut StdRng) -> &'static str {
    TEXTS.choose(rng).copied().unwrap_or_default()
}

pub(super) fn emoji(rng: &mut StdRng) -> &'static str {
    EMOJI.choose(rng).copied().unwrap_or_default()
}

/// The JSON of a file message, with its blob's id and key.
pub(super) fn file(rng: &mut StdRng) -> String {
    let (media_type, name) = FILES.choose(rng).copied().unwrap_or_default();
    let (blob, key) = (hex::encode(rng.r#gen::<[u8; 16]>()), hex::encode(rng.r#gen::<[u8; 32]>()));
    let size = rng.gen_range(20_000..4_000_000);
    format!(r#"{{"j":1,"b":"{blob}","k":"{key}","m":"{media_type}","n":"{name}","s":{size}}}"#)
}
