//! [`ConversationNames`]: what contacts, groups and lists are called, as far as the messages so far have told.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::protocol::d2d::{ContentKind, Conversation, EnvelopeSummary, SyncAction};
use crate::text::Clean;

/// The most conversations of which a name is kept; those that are learnt later stay without one.
pub const MAX_NAMES: usize = 20_000;

/// What contacts, groups and lists are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationNames {
    known: BTreeMap<Conversation, KnownDevices>,
    revision: u64,
}

/// What one of them is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KnownDevices {
    /// The name that the user gave.
    given: Clean,
    /// By itself, with the tilde that apps put before it: anyone may call itself as somebody else is called.
    own: Clean,
}

impl ConversationNames {
    /// An empty table: everything is called by its id.
    #[must_use]
    pub const fn none() -> Self {
        Self { known: BTreeMap::new(), revision: 0 }
    }

    /// The name of one, if it has one: rather that which the user gave than its own.
    #[must_use]
    pub fn of(&self, conversation: &Conversation) -> Option<&Clean> {
        let KnownDevices { given, own } = self.known.get(conversation)?;
        [given, own].into_iter().find(|name| !name.is_empty())
    }

    /// Changes whenever a name does.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes in what a message tells of names.
    pub fn learn(&mut self, summary: &EnvelopeSummary) {
        let is_deleted = summary.action == Some(SyncAction::Delete);
        // Nearly all messages tell nothing of names.
        if summary.name.is_none() && summary.nickname.is_none() && !is_deleted {
            return;
        }
        let Some(named) = named(summary) else { return };
        if is_deleted {
            self.revision += u64::from(self.known.remove(named.as_ref()).is_some());
            return;
        }
        if self.known.len() >= MAX_NAMES && !self.known.contains_key(named.as_ref()) {
            return;
        }
        let known = self.known.entry(named.into_owned()).or_default();
        let given = summary.name.as_ref().filter(|name| **name != known.given);
        let own = summary.nickname.as_ref().filter(|nickname| !known.goes_by(nickname));
        self.revision += u64::from(given.is_some() || own.is_some());
        if let Some(name) = given {
            known.given.clone_from(name);
        }
        if let Some(nickname) = own {
            known.own = if nickname.is_empty() { Clean::default() } else { Clean::new(&format!("~{nickname}")) };
        }
    }
}

impl KnownDevices {
    /// Whether it calls itself so already.
    fn goes_by(&self, nickname: &Clean) -> bool {
        self.own.as_str().strip_prefix('~').unwrap_or_default() == nickname.as_str()
    }
}

/// Whom the names in a message are of: the sender of a group's message, else that with which it is exchanged.
fn named(summary: &EnvelopeSummary) -> Option<Cow<'_, Conversation>> {
    match (summary.kind, &summary.sender) {
        (ContentKind::IncomingMessage, Some(sender)) => Some(Cow::Owned(Conversation::Contact(sender.clone()))),
        _ => summary.conversation.as_ref().map(Cow::Borrowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MessageId;

    fn contact(identity: &str) -> Conversation {
        Conversation::Contact(Clean::new(identity))
    }

    fn told(conversation: &Conversation, name: Option<&str>, nickname: Option<&str>) -> EnvelopeSummary {
        EnvelopeSummary {
            conversation: Some(conversation.clone()),
            name: name.map(Clean::new),
            nickname: nickname.map(Clean::new),
            ..EnvelopeSummary::blank(ContentKind::ContactSync)
        }
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
        names.learn(&told(&echo, Some("Echo Nymph"), None));
        names.learn(&told(&echo, None, Some("still echo")));
        assert_eq!(shown(&names, &echo), Some("Echo Nymph"));
        names.learn(&told(&echo, Some(""), None));
        assert_eq!(shown(&names, &echo), Some("~still echo"));
        names.learn(&told(&echo, None, Some("")));
        assert_eq!(names.of(&echo), None);
    }

    #[test]
    fn the_nickname_in_a_groups_message_is_its_senders() {
        let group = Conversation::Group { id: MessageId(1), creator: Clean::literal("CREATOR1") };
        let mut names = ConversationNames::default();
        names.learn(&EnvelopeSummary {
            conversation: Some(group.clone()),
            sender: Some(Clean::literal("ECHOECHO")),
            nickname: Some(Clean::literal("echo")),
            ..EnvelopeSummary::blank(ContentKind::IncomingMessage)
        });
        assert_eq!((shown(&names, &contact("ECHOECHO")), names.of(&group)), (Some("~echo"), None));
    }

    #[test]
    fn what_is_deleted_has_no_name() {
        let list = Conversation::DistributionList(MessageId(1));
        let mut names = ConversationNames::default();
        names.learn(&told(&list, Some("Neighbours"), None));
        names.learn(&EnvelopeSummary { action: Some(SyncAction::Delete), ..told(&list, None, None) });
        assert_eq!(names.of(&list), None);
    }

    #[test]
    fn a_flood_of_names_stays_bounded() {
        let mut names = ConversationNames::default();
        let nth = |number: usize| Conversation::DistributionList(MessageId(number as u64));
        for number in 0..MAX_NAMES + 10 {
            names.learn(&told(&nth(number), Some("x"), None));
        }
        assert_eq!(names.known.len(), MAX_NAMES);
        names.learn(&told(&nth(0), Some("y"), None));
        assert_eq!((shown(&names, &nth(0)), shown(&names, &nth(MAX_NAMES))), (Some("y"), None));
    }
}
