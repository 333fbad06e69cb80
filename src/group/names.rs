//! [`ConversationNames`]: what contacts, groups and lists are called, as far as the messages so far have told.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::protocol::MessageId;
use crate::protocol::d2d::{ContentKind, Conversation, EnvelopeSummary, NameChange, SyncAction};
use crate::text::Clean;

/// The most memory that names take; who is learnt after that goes by its id.
pub const MAX_NAME_BYTES: usize = 32 << 20;

/// What contacts, groups and lists are called. Live messages teach it, and whoever knows names from elsewhere sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationNames {
    known: BTreeMap<Conversation, KnownName>,
    bytes: usize,
    revision: u64,
}

/// The parts of a name; one that is missing is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameParts<'a> {
    /// By the user: all of it for a group or list, the first name of a contact.
    pub first: &'a Clean,
    /// By the user: the last name of a contact.
    pub last: &'a Clean,
    /// What the contact calls itself; may be empty.
    pub nickname: &'a Clean,
}

/// What one of them is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KnownName {
    /// By the user: all of it for a group or list, the first name of a contact.
    first: Clean,
    /// The last name of a contact.
    last: Clean,
    nickname: Clean,
    /// What is shown of these.
    shown: Clean,
}

impl ConversationNames {
    /// An empty table: everything is called by its id.
    #[must_use]
    pub const fn none() -> Self {
        Self { known: BTreeMap::new(), bytes: 0, revision: 0 }
    }

    /// The name of one, if it has one: rather that which the user gave than its own.
    #[must_use]
    pub fn of(&self, conversation: &Conversation) -> Option<&Clean> {
        self.known.get(conversation).map(|name| &name.shown)
    }

    /// All that have a name, each with its parts.
    pub fn iter(&self) -> impl Iterator<Item = (&Conversation, NameParts<'_>)> {
        self.known.iter().map(|(conversation, KnownName { first, last, nickname, .. })| {
            (conversation, NameParts { first, last, nickname })
        })
    }

    /// Changes whenever a name does.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Sets all that a contact is called: by the user, in two parts, and by itself. An empty part is no name.
    pub fn set_contact(&mut self, identity: &Clean, first: &Clean, last: &Clean, nickname: &Clean) {
        self.change(&Conversation::Contact(identity.clone()), |known| {
            known.first.clone_from(first);
            known.last.clone_from(last);
            known.nickname.clone_from(nickname);
        });
    }

    /// Sets the name of a group. An empty one is none.
    pub fn set_group(&mut self, id: MessageId, creator: &Clean, name: &Clean) {
        self.set_whole(&Conversation::Group { id, creator: creator.clone() }, name);
    }

    /// Sets the name of a distribution list. An empty one is none.
    pub fn set_distribution_list(&mut self, id: MessageId, name: &Clean) {
        self.set_whole(&Conversation::DistributionList(id), name);
    }

    /// Takes in what a message tells of names.
    pub fn learn(&mut self, summary: &EnvelopeSummary) {
        // Nearly all messages tell nothing of names.
        let is_deleted = summary.action == Some(SyncAction::Delete);
        if summary.name.is_none() && summary.nickname.is_none() && !is_deleted {
            return;
        }
        if let Some(conversation) = &summary.conversation {
            match &summary.name {
                _ if is_deleted => self.forget(conversation),
                Some(NameChange::Whole(name)) => self.set_whole(conversation, name),
                Some(NameChange::Parts { first, last }) => self.change(conversation, |known| {
                    for (part, told) in [(&mut known.first, first), (&mut known.last, last)] {
                        if let Some(told) = told {
                            part.clone_from(told);
                        }
                    }
                }),
                None => {}
            }
        }
        if let (Some(nickname), Some(who)) = (&summary.nickname, nicknamed(summary)) {
            self.change(&who, |known| known.nickname.clone_from(nickname));
        }
    }

    fn set_whole(&mut self, conversation: &Conversation, name: &Clean) {
        self.change(conversation, |known| known.first.clone_from(name));
    }

    /// Changes one of them; who has no name left, or none that fits, is forgotten.
    fn change(&mut self, conversation: &Conversation, change: impl FnOnce(&mut KnownName)) {
        let mut name = self.known.get(conversation).cloned().unwrap_or_default();
        change(&mut name);
        name.shown = name.display();
        if self.known.get(conversation) == Some(&name) {
            return;
        }
        self.forget(conversation);
        let cost = cost(conversation, &name);
        if !name.shown.is_empty() && self.bytes + cost <= MAX_NAME_BYTES {
            self.bytes += cost;
            self.known.insert(conversation.clone(), name);
            self.revision += 1;
        }
    }

    fn forget(&mut self, conversation: &Conversation) {
        if let Some(name) = self.known.remove(conversation) {
            self.bytes -= cost(conversation, &name);
            self.revision += 1;
        }
    }
}

impl KnownName {
    /// Its own name stands behind a tilde, as apps write it: anyone may call itself as somebody else is called.
    fn display(&self) -> Clean {
        match (self.first.as_str(), self.last.as_str(), self.nickname.as_str()) {
            ("", "", "") => Clean::default(),
            ("", "", nickname) => Clean::new(&format!("~{nickname}")),
            (_, "", _) => self.first.clone(),
            ("", _, _) => self.last.clone(),
            (first, last, _) => Clean::new(&format!("{first} {last}")),
        }
    }
}

/// What a name takes in memory. Texts of up to 24 bytes lie in the entry itself, and are counted all the same.
fn cost(conversation: &Conversation, name: &KnownName) -> usize {
    let texts = [&name.first, &name.last, &name.nickname, &name.shown].map(|text| text.as_str().len());
    let identity = match conversation {
        Conversation::Contact(identity) | Conversation::Group { creator: identity, .. } => identity.as_str().len(),
        Conversation::DistributionList(_) => 0,
    };
    size_of::<(Conversation, KnownName)>() + identity + texts.iter().sum::<usize>()
}

/// Whose nickname a message tells: its sender's, or that of the contact that it is about.
fn nicknamed(summary: &EnvelopeSummary) -> Option<Cow<'_, Conversation>> {
    match (summary.kind, &summary.sender) {
        (ContentKind::IncomingMessage, Some(sender)) => Some(Cow::Owned(Conversation::Contact(sender.clone()))),
        _ => summary.conversation.as_ref().map(Cow::Borrowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rendezvous::wire::MAX_NAMES;

    fn contact(identity: &str) -> Conversation {
        Conversation::Contact(Clean::new(identity))
    }

    fn told(conversation: &Conversation, name: Option<NameChange>, nickname: Option<&str>) -> EnvelopeSummary {
        EnvelopeSummary {
            conversation: Some(conversation.clone()),
            name,
            nickname: nickname.map(Clean::new),
            ..EnvelopeSummary::blank(ContentKind::ContactSync)
        }
    }

    fn parts(first: Option<&str>, last: Option<&str>) -> NameChange {
        NameChange::Parts { first: first.map(Clean::new), last: last.map(Clean::new) }
    }

    fn whole(name: &str) -> NameChange {
        NameChange::Whole(Clean::new(name))
    }

    fn shown<'a>(names: &'a ConversationNames, conversation: &Conversation) -> Option<&'a str> {
        names.of(conversation).map(Clean::as_str)
    }

    #[test]
    fn the_users_name_stands_before_the_contacts_own() {
        let (mut names, echo) = (ConversationNames::default(), contact("ECHOECHO"));
        assert_eq!(names.of(&echo), None);
        names.learn(&told(&echo, None, Some("echo")));
        assert_eq!(shown(&names, &echo), Some("~echo"));
        names.learn(&told(&echo, Some(parts(Some("Echo"), Some("Nymph"))), None));
        names.learn(&told(&echo, None, Some("still echo")));
        assert_eq!(shown(&names, &echo), Some("Echo Nymph"));
        names.learn(&told(&echo, Some(parts(Some(""), Some(""))), None));
        assert_eq!(shown(&names, &echo), Some("~still echo"));
        names.learn(&told(&echo, None, Some("")));
        assert_eq!(names.of(&echo), None);
        assert_eq!(names.bytes, 0);
    }

    #[test]
    fn a_part_that_is_left_out_stays_as_it_was() {
        let (mut names, echo) = (ConversationNames::default(), contact("ECHOECHO"));
        for (first, last, expected) in [
            (Some("Echo"), None, Some("Echo")),
            (None, Some("Nymph"), Some("Echo Nymph")),
            (Some("Eco"), None, Some("Eco Nymph")),
            (None, None, Some("Eco Nymph")),
            (None, Some(""), Some("Eco")),
            (None, Some("Ninfa"), Some("Eco Ninfa")),
            (Some(""), None, Some("Ninfa")),
            (None, Some(""), None),
        ] {
            names.learn(&told(&echo, Some(parts(first, last)), None));
            assert_eq!(shown(&names, &echo), expected, "after {first:?} {last:?}");
        }
    }

    #[test]
    fn names_known_from_elsewhere_go_on_with_what_messages_tell() {
        let (mut names, echo) = (ConversationNames::default(), contact("ECHOECHO"));
        let creator = Clean::literal("CREATOR1");
        let group = Conversation::Group { id: MessageId(1), creator: creator.clone() };
        let list = Conversation::DistributionList(MessageId(1));
        names.set_contact(
            &Clean::literal("ECHOECHO"),
            &Clean::literal("Echo"),
            &Clean::literal("Nymph"),
            &Clean::default(),
        );
        names.set_group(MessageId(1), &creator, &Clean::literal("Choir"));
        names.set_distribution_list(MessageId(1), &Clean::literal("Neighbours"));
        let all = [&echo, &group, &list];
        assert_eq!(
            all.map(|conversation| shown(&names, conversation)),
            ["Echo Nymph", "Choir", "Neighbours"].map(Some)
        );

        let revision = names.revision();
        names.learn(&told(&echo, Some(parts(None, Some("Oread"))), None));
        names.learn(&told(&group, Some(whole("Chorus")), None));
        names.learn(&told(&list, Some(whole("")), None));
        assert_eq!(all.map(|conversation| shown(&names, conversation)), [Some("Echo Oread"), Some("Chorus"), None]);
        assert!(names.revision() > revision);
        let revision = names.revision();
        names.learn(&told(&group, Some(whole("Chorus")), None));
        assert_eq!(names.revision(), revision, "nothing changed");
    }

    #[test]
    fn the_nickname_in_a_groups_message_is_its_senders() {
        let group = Conversation::Group { id: MessageId(1), creator: Clean::literal("CREATOR1") };
        let mut names = ConversationNames::default();
        let message = EnvelopeSummary {
            conversation: Some(group.clone()),
            sender: Some(Clean::literal("ECHOECHO")),
            nickname: Some(Clean::literal("echo")),
            ..EnvelopeSummary::blank(ContentKind::IncomingMessage)
        };
        names.learn(&message);
        assert_eq!((shown(&names, &contact("ECHOECHO")), names.of(&group)), (Some("~echo"), None));
        names.learn(&EnvelopeSummary { name: Some(whole("Choir")), ..message });
        assert_eq!((shown(&names, &contact("ECHOECHO")), shown(&names, &group)), (Some("~echo"), Some("Choir")));
    }

    #[test]
    fn what_is_deleted_has_no_name() {
        let list = Conversation::DistributionList(MessageId(1));
        let mut names = ConversationNames::default();
        names.learn(&told(&list, Some(whole("Neighbours")), None));
        names.learn(&EnvelopeSummary { action: Some(SyncAction::Delete), ..told(&list, None, None) });
        assert_eq!(names.of(&list), None);
    }

    #[test]
    fn a_flood_of_names_stays_bounded_and_a_full_join_fits() {
        let mut names = ConversationNames::default();
        let nth = |number: usize| Conversation::DistributionList(MessageId(number as u64));
        let long = Clean::new(&"x".repeat(200));
        for number in 0..MAX_NAMES {
            names.set_distribution_list(MessageId(number as u64), &Clean::literal("a name of twenty-four b."));
        }
        assert_eq!(names.known.len(), MAX_NAMES);
        for number in MAX_NAMES..4 * MAX_NAMES {
            names.set_distribution_list(MessageId(number as u64), &long);
        }
        assert!(names.bytes <= MAX_NAME_BYTES, "{} bytes", names.bytes);
        names.learn(&told(&nth(0), Some(whole("y")), None));
        assert_eq!((shown(&names, &nth(0)), shown(&names, &nth(4 * MAX_NAMES - 1))), (Some("y"), None));
    }
}
