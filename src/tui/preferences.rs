//! What a person prefers: keys, columns, thresholds and the like, as the configuration says.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::output::device_order::DeviceOrder;
use crate::text::Clean;
use crate::tui::input::keymap::Keymap;
use crate::tui::input::pane::Pane;
use crate::tui::theme::Role;

/// What a person prefers; what nobody has chosen is as the default says.
#[derive(Debug, Default)]
pub struct Preferences {
    /// Which key does what.
    pub keymap: Keymap,
    /// Filters by name.
    pub filters: SavedFilters,
    /// Which columns of the feed are shown where there is room.
    pub columns: Columns,
    /// From when on a time deserves a look.
    pub thresholds: Thresholds,
    /// How the time of a row is written; in full, or in seconds where there is less room, if nothing is said.
    pub time_format: Option<String>,
    /// The order of the devices at the start.
    pub order: DeviceOrder,
    /// Where the focus is at the start; where it is best, if nothing is said.
    pub start_pane: Option<Pane>,
}

/// A column of the feed that can be left out; what happened always stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedColumn {
    /// The id of the message.
    Id,
    /// When the mediator stored it.
    Stored,
    /// The device that reflected it.
    From,
    /// What it belongs to.
    Conversation,
    /// How large it is.
    Size,
    /// How long it waited at the mediator.
    Waited,
    /// How long its acknowledgement took.
    Ack,
}

impl FeedColumn {
    /// With their names, in the order in which they stand.
    pub const ALL: [(&'static str, Self); 7] = [
        ("id", Self::Id),
        ("stored", Self::Stored),
        ("from", Self::From),
        ("conversation", Self::Conversation),
        ("size", Self::Size),
        ("waited", Self::Waited),
        ("ack", Self::Ack),
    ];

    pub(in crate::tui) fn names() -> Vec<String> {
        Self::ALL.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

/// The columns that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<FeedColumn>);

impl Default for Columns {
    fn default() -> Self {
        Self(FeedColumn::ALL.map(|(_, column)| column).to_vec())
    }
}

impl Columns {
    pub(in crate::tui) const fn of(columns: Vec<FeedColumn>) -> Self {
        Self(columns)
    }

    pub(in crate::tui) fn has(&self, column: FeedColumn) -> bool {
        self.0.contains(&column)
    }
}

/// From which times on a row deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// From when on it is slow.
    pub slow: Duration,
    /// From when on it is late.
    pub late: Duration,
}

impl Threshold {
    pub(in crate::tui) fn role(&self, time: Duration) -> Role {
        match () {
            () if time >= self.late => Role::Late,
            () if time >= self.slow => Role::Slow,
            () => Role::Fast,
        }
    }
}

/// Both thresholds of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Between the mediator's clock and ours.
    pub waited: Threshold,
    /// Between the arrival of a message and its acknowledgement, which this program sends itself.
    pub ack: Threshold,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            // What came while this device was connected takes less.
            waited: Threshold { slow: Duration::from_secs(1), late: Duration::from_secs(60) },
            ack: Threshold { slow: Duration::from_millis(100), late: Duration::from_secs(1) },
        }
    }
}

/// Filters by name, written `@name` in a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedFilters(BTreeMap<String, String>);

impl SavedFilters {
    pub(in crate::tui) const fn of(filters: BTreeMap<String, String>) -> Self {
        Self(filters)
    }

    /// Names with what they stand for.
    pub(in crate::tui) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, words)| (name.as_str(), words.as_str()))
    }

    /// The words with what each name stands for in its place.
    ///
    /// # Errors
    /// If there is no filter of that name; in words.
    pub(in crate::tui) fn expand(&self, words: &str) -> Result<String, Clean> {
        let mut expanded = String::with_capacity(words.len());
        let mut in_quotes = false;
        // Blanks stay, so that what is in quotes stays.
        for word in words.split_inclusive(char::is_whitespace) {
            let name = word.trim_end().strip_prefix('@').filter(|name| !in_quotes && !name.is_empty());
            in_quotes ^= word.matches('"').count() % 2 == 1;
            let Some(name) = name else {
                expanded.push_str(word);
                continue;
            };
            let saved = self.0.get(name).ok_or_else(|| self.unknown(name))?;
            expanded.push_str(saved);
            expanded.push(' ');
        }
        Ok(expanded)
    }

    fn unknown(&self, name: &str) -> Clean {
        let names: Vec<String> = self.0.keys().map(|name| format!("@{name}")).collect();
        Clean::new(&if names.is_empty() {
            format!("no filter is saved as @{name}; config.toml names filters under [filters]")
        } else {
            format!("no filter is saved as @{name}; there is {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_filter_stands_for_its_words() {
        let saved = [("mine", "from:me"), ("big", "size>10k !kind:typing")];
        let saved = SavedFilters::of(saved.map(|(name, words)| (name.to_owned(), words.to_owned())).into());
        for (typed, meant) in [
            ("", ""),
            ("kind:text", "kind:text"),
            ("@mine", "from:me "),
            ("@mine kind:text", "from:me kind:text"),
            ("@mine @big", "from:me size>10k !kind:typing "),
            ("\"a @mine b\"", "\"a @mine b\""),
            ("a@mine", "a@mine"),
            ("@", "@"),
        ] {
            assert_eq!(saved.expand(typed).unwrap(), meant, "{typed}");
        }
        assert_eq!(saved.expand("@min").unwrap_err().as_str(), "no filter is saved as @min; there is @big, @mine");
        assert!(SavedFilters::default().expand("@x").unwrap_err().as_str().contains("[filters]"));
    }
}
