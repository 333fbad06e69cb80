//! [`Revealed`]: whom the pseudonyms of a journal stand for, as far as names are known.

use std::collections::HashMap;

use super::row::HistoryRow;
use crate::group::{ConversationNames, FeedRow};
use crate::protocol::d2d::Conversation;
use crate::protocol::{Pseudonym, PseudonymKey};
use crate::text::Clean;

/// Everybody whose name is known, found by the pseudonym.
#[derive(Debug)]
pub struct Revealed {
    names: ConversationNames,
    conversations: HashMap<Pseudonym, Conversation>,
}

impl Revealed {
    /// Those that have a name.
    #[must_use]
    pub fn new(names: ConversationNames, key: &PseudonymKey) -> Self {
        let conversations =
            names.iter().map(|(conversation, _)| (key.conversation(conversation), conversation.clone()));
        Self { conversations: conversations.collect(), names }
    }

    /// The row with whom it was exchanged, where that is known; as [`HistoryRow::shown`] otherwise.
    #[must_use]
    pub fn row(&self, recorded: &HistoryRow) -> FeedRow {
        let mut row = recorded.shown();
        if let Ok(summary) = &mut row.content {
            if let Some(known) = recorded.conversation.and_then(|pseudonym| self.conversations.get(&pseudonym)) {
                summary.conversation = Some(known.clone());
            }
            if let Some(Conversation::Contact(known)) =
                recorded.sender.and_then(|pseudonym| self.conversations.get(&pseudonym))
            {
                summary.sender = Some(known.clone());
            }
        }
        row
    }

    /// What the row says, with names.
    #[must_use]
    pub fn sentence(&self, recorded: &HistoryRow) -> Clean {
        self.row(recorded).sentence(&self.names)
    }

    /// The names of the conversation and of who sent, where they are known.
    #[must_use]
    pub fn names(&self, recorded: &HistoryRow) -> (Option<&Clean>, Option<&Clean>) {
        let Ok(summary) = self.row(recorded).content else { return (None, None) };
        let conversation = summary.conversation.and_then(|conversation| self.names.of(&conversation));
        let sender = summary.sender.and_then(|sender| self.names.of(&Conversation::Contact(sender)));
        (conversation, sender)
    }
}
