//! Keys of one's own, checked: what a configuration says of each action.

use std::collections::BTreeMap;

use crossterm::event::KeyCode::Enter;

use super::key::KeyError;
use super::{Action, ActionEntry, EVERY_PLACE, Key, Keymap, TABLE};

/// Why keys cannot be used as they are written; each names the action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// There is no action of this name.
    #[error("there is no action {name}{}; d2mtop config sample lists them", meant.as_ref().map_or_else(String::new, |meant| format!(" (is {meant} meant?)")))]
    UnknownAction {
        /// As it was written.
        name: String,
        /// The action whose name is most like it.
        meant: Option<&'static str>,
    },
    /// The text names no key.
    #[error("{name}: {cause}")]
    NoKey {
        name: String,
        /// What is wrong with the text.
        cause: KeyError,
    },
    /// The key does something else already.
    #[error("{name}: {key} is {other} already; give one of them another key, or none with {other} = []")]
    Taken {
        name: String,
        key: String,
        /// What has the key.
        other: &'static str,
    },
    /// The key is the same in every configuration.
    #[error("{name}: {key} always does the same ({words}), so that there is a way out")]
    Fixed { name: String, key: String, words: &'static str },
    /// The key would open a dialog and answer it.
    #[error("{name}: {key} also answers the dialog of {name}, so that a key held down would do it; take another")]
    AnswersItsDialog { name: String, key: String },
    /// Nobody would find the way out.
    #[error("{name} must have a key")]
    NeedsKey { name: String },
}

impl KeymapError {
    /// The action that the error is about, as it was written.
    #[must_use]
    pub fn action(&self) -> &str {
        match self {
            Self::UnknownAction { name, .. }
            | Self::NoKey { name, .. }
            | Self::Taken { name, .. }
            | Self::Fixed { name, .. }
            | Self::AnswersItsDialog { name, .. }
            | Self::NeedsKey { name } => name,
        }
    }
}

impl Keymap {
    /// The table with these keys instead, by the actions' names.
    ///
    /// # Errors
    /// If an action or a key is unknown, or a key would do two things.
    pub(in crate::tui) fn with(own: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut keys = BTreeMap::new();
        for (name, written) in own {
            let entry = entry(name)?;
            let parsed = written.iter().map(|text| text.parse()).collect::<Result<Vec<Key>, _>>();
            let parsed = parsed.map_err(|cause| KeymapError::NoKey { name: name.clone(), cause })?;
            if parsed.is_empty() && matches!(entry.action, Action::Help | Action::Back) {
                return Err(KeymapError::NeedsKey { name: name.clone() });
            }
            keys.insert(entry.name, parsed);
        }
        let keymap = Self::of(|entry| keys.get(entry.name).cloned());
        for (name, keys) in &keys {
            let entry = entry(name)?;
            let own = keys.iter().filter(|key| entry.default_keys().all(|default| default != **key));
            own.copied().try_for_each(|key| keymap.check(entry, key))?;
        }
        Ok(keymap)
    }

    /// A key that the table does not give to this entry must do nothing else wherever the entry applies.
    fn check(&self, entry: &'static ActionEntry, key: Key) -> Result<(), KeymapError> {
        let name = entry.name.to_owned();
        let asks = matches!(entry.action, Action::Drop | Action::Lock | Action::Probe);
        if asks && (key.code() == Enter || key == Key::character('y')) {
            return Err(KeymapError::AnswersItsDialog { name, key: key.to_string() });
        }
        let places = || EVERY_PLACE.into_iter().filter(|here| entry.uses.iter().any(|one| one.place.covers(*here)));
        let others = self.lines.iter().filter(|line| line.keys.contains(&key));
        let others = others.filter_map(|line| line.of().map(|of| (line, of)));
        let mut others = others.filter(|(_, of)| of.action != entry.action || of.name != entry.name);
        let Some((_, other)) = others.find(|(line, _)| places().any(|here| line.place.covers(here))) else {
            return Ok(());
        };
        let key = key.to_string();
        Err(match other.name {
            "" => KeymapError::Fixed { name, key, words: fixed_words(other) },
            other => KeymapError::Taken { name, key, other },
        })
    }
}

const fn fixed_words(entry: &ActionEntry) -> &'static str {
    if entry.words.is_empty() { "it answers or leaves what is open" } else { entry.words }
}

fn entry(name: &str) -> Result<&'static ActionEntry, KeymapError> {
    let named = || TABLE.iter().filter(|entry| !entry.name.is_empty());
    let unknown = || {
        let alike = named().map(|entry| (strsim::jaro_winkler(name, entry.name), entry.name));
        let meant = alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).filter(|(alike, _)| *alike > 0.8);
        let meant = meant.map(|(_, meant)| meant);
        KeymapError::UnknownAction { name: name.to_owned(), meant }
    };
    named().find(|entry| entry.name == name).ok_or_else(unknown)
}
