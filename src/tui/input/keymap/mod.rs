//! One table of actions: it decides what a key does, what the last line offers, what the help says, and which names keys
//! of one's own have.

mod key;
mod layouts;
mod own;
mod table;

use crossterm::event::KeyCode::{self, Enter, Esc, Tab};
use crossterm::event::{KeyEvent, KeyModifiers};

use crate::tui::input::actions::Action;
use crate::tui::input::pane::Pane;
pub use key::Key;
pub use own::KeymapError;
pub use table::TABLE;

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputContext {
    /// Whatever is open.
    Everywhere,
    /// On the panes, with no dialog, help or detail open.
    Panes,
    /// With the focus on one pane.
    On(Pane),
    /// In the help or a detail view.
    Page,
    /// In the detail of a row.
    Row,
    Dialog,
    /// In a line that is typed into: what means nothing here is text.
    Line,
    /// In the palette, where it is text, too.
    Chooser,
    /// On the page that is shown where there is no profile yet.
    FirstRun,
}

/// Every place that a user can be in.
pub const EVERY_PLACE: [InputContext; 11] = [
    InputContext::On(Pane::Devices),
    InputContext::On(Pane::Lock),
    InputContext::On(Pane::Role),
    InputContext::On(Pane::Feed),
    InputContext::On(Pane::Latency),
    InputContext::Page,
    InputContext::Row,
    InputContext::Dialog,
    InputContext::Line,
    InputContext::Chooser,
    InputContext::FirstRun,
];

/// What can be done: one entry of the table.
#[derive(Debug)]
pub struct ActionEntry {
    pub action: Action,
    /// How the configuration calls it; empty where its keys cannot be changed.
    pub name: &'static str,
    pub words: &'static str,
    pub help: Help,
    pub uses: &'static [Use],
}

/// How the help tells an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// In a line of its own.
    Own,
    /// In a line for the actions of these names, in these words.
    For(&'static [&'static str], &'static str),
    /// Not at all: another line tells it.
    Elsewhere,
}

/// Where an action applies, by which keys, and what the last line says of it there; nothing, if empty.
#[derive(Debug)]
pub struct Use {
    pub place: InputContext,
    keys: &'static [Key],
    hint: &'static str,
}

impl ActionEntry {
    /// Its keys, unless they are changed.
    fn default_keys(&self) -> impl Iterator<Item = Key> {
        self.uses.iter().flat_map(|one| one.keys).copied()
    }

    /// What the help says of it.
    pub const fn help_words(&self) -> Option<&'static str> {
        match self.help {
            Help::Own => Some(self.words),
            Help::For(_, words) => Some(words),
            Help::Elsewhere => None,
        }
    }
}

impl InputContext {
    /// Whether what applies in this place applies where the user is now.
    pub fn covers(self, here: Self) -> bool {
        match (self, here) {
            (Self::Everywhere, _) | (Self::Panes, Self::On(_)) | (Self::Page, Self::Row) => true,
            _ => self == here,
        }
    }
}

/// Esc and a key in one read, as over a slow line, arrive as that key with Alt, which means nothing of its own here.
pub fn escape_and(event: KeyEvent) -> Option<[KeyEvent; 2]> {
    let is_typed = matches!(event.code, KeyCode::Char(_) | Enter | Tab);
    let modifiers = event.modifiers.difference(KeyModifiers::ALT);
    let both = [KeyEvent::new(Esc, KeyModifiers::NONE), KeyEvent { modifiers, ..event }];
    (is_typed && event.modifiers.contains(KeyModifiers::ALT)).then_some(both)
}

/// The keys in force: those of the table, but where the user has others.
#[derive(Debug, PartialEq, Eq)]
pub struct Keymap {
    /// A line a use, in the order of the table: the first that fits decides.
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq, Eq)]
struct Line {
    /// Which entry of the table.
    entry: usize,
    place: InputContext,
    keys: Vec<Key>,
    hint: &'static str,
    /// The keys as the last line shows them: its own, or those of all that its help tells.
    shown: String,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::of(|_| None)
    }
}

impl Keymap {
    /// The table with other keys for some entries.
    fn of(own: impl Fn(&ActionEntry) -> Option<Vec<Key>>) -> Self {
        let lines = TABLE.iter().enumerate().flat_map(|(entry, of)| {
            let keys = own(of);
            of.uses.iter().map(move |one| {
                // A key of the table stays where the table has it.
                let fits = |key: &&Key| one.keys.contains(key) || of.default_keys().all(|default| default != **key);
                let own = keys.as_ref().map(|keys| keys.iter().filter(fits).copied().collect());
                let keys = own.unwrap_or_else(|| one.keys.to_vec());
                Line { entry, place: one.place, keys, hint: one.hint, shown: String::new() }
            })
        });
        let mut keymap = Self { lines: lines.collect() };
        let shown: Vec<String> = keymap.lines.iter().map(|line| keymap.shown(line.entry, Some(line.place))).collect();
        for (line, shown) in keymap.lines.iter_mut().zip(shown) {
            line.shown = shown;
        }
        keymap
    }

    /// What a key does where the user is now, if anything. A letter of another script acts as the Latin one in its place,
    /// unless it has a meaning of its own.
    pub(in crate::tui) fn lookup(&self, event: KeyEvent, here: InputContext) -> Option<Action> {
        let key = Key::of(event)?;
        self.action(key, here).or_else(|| key.in_latin().and_then(|latin| self.action(latin, here)))
    }

    fn action(&self, key: Key, here: InputContext) -> Option<Action> {
        let fits = |line: &&Line| line.place.covers(here) && line.keys.contains(&key);
        self.lines.iter().find(fits).and_then(Line::of).map(|entry| entry.action)
    }

    /// What the last line offers: what each does, with its key, most important first.
    pub(in crate::tui) fn hints(&self, here: InputContext) -> impl Iterator<Item = (Action, &str, &'static str)> {
        let offered = move |line: &&Line| line.place.covers(here) && !line.hint.is_empty() && !line.shown.is_empty();
        let lines = self.lines.iter().filter(offered);
        lines.filter_map(|line| Some((line.of()?.action, line.shown.as_str(), line.hint)))
    }

    /// What does an action, as it is shown: its key or, without one, its name after the palette's.
    pub(in crate::tui) fn key(&self, action: Action) -> String {
        let named = TABLE.iter().find(|entry| entry.action == action && !entry.name.is_empty());
        named.map(|entry| self.way_to(entry.name)).unwrap_or_default()
    }

    fn way_to(&self, name: &str) -> String {
        let first_key = |name: &str| self.keys_at(place_of(name)?, None).first().map(Key::to_string);
        let by_name = || format!("{}{name}", first_key("palette").unwrap_or_default());
        first_key(name).unwrap_or_else(by_name)
    }

    /// The words with each `{action}` in them replaced by what does it. Only for words of our own.
    pub(in crate::tui) fn fill(&self, words: &'static str) -> String {
        let mut parts = words.split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for (name, rest) in parts.filter_map(|part| part.split_once('}')) {
            filled.push_str(&self.way_to(name));
            filled.push_str(rest);
        }
        filled
    }

    /// All keys of an entry as they are written; for what its help tells, too.
    pub(in crate::tui) fn keys_of(&self, entry: &ActionEntry) -> String {
        let index = TABLE.iter().position(|other| std::ptr::eq(other, entry));
        index.map(|index| self.shown(index, None)).unwrap_or_default()
    }

    /// Every key of an entry, once.
    pub(in crate::tui) fn all_keys_of(&self, entry: &ActionEntry) -> Vec<Key> {
        let lines = self.lines.iter().filter(|line| line.of().is_some_and(|other| std::ptr::eq(other, entry)));
        let mut keys: Vec<Key> = Vec::new();
        for key in lines.flat_map(|line| &line.keys) {
            if !keys.contains(key) {
                keys.push(*key);
            }
        }
        keys
    }

    /// The keys of an entry in a place; in none, or where it does not apply, those on the panes, if it has any there.
    fn keys_at(&self, entry: usize, place: Option<InputContext>) -> &[Key] {
        let lines = || self.lines.iter().filter(move |line| line.entry == entry);
        let has_keys = |line: &&Line| !line.keys.is_empty();
        let is_on_panes = |line: &&Line| matches!(line.place, InputContext::Panes | InputContext::On(_));
        let here = lines().find(|line| place == Some(line.place));
        let on_panes = || lines().filter(has_keys).find(is_on_panes);
        here.or_else(on_panes).or_else(|| lines().find(has_keys)).map_or(&[], |line| &line.keys)
    }

    /// The first key of each action that an entry's help tells, in one place; for the help itself the second ones, too.
    fn shown(&self, entry: usize, place: Option<InputContext>) -> String {
        let entries: Vec<usize> = match TABLE.get(entry).map(|of| of.help) {
            Some(Help::For(names, _)) => names.iter().filter_map(|name| place_of(name)).collect(),
            Some(Help::Own | Help::Elsewhere) | None => vec![entry],
        };
        let nth = |n: usize| entries.iter().filter_map(move |entry| self.keys_at(*entry, place).get(n));
        let most = if place.is_none() { 2 } else { 1 };
        (0..most).flat_map(nth).map(Key::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// Where the action of this name stands in the table.
fn place_of(name: &str) -> Option<usize> {
    let place = TABLE.iter().position(|entry| entry.name == name);
    debug_assert!(place.is_some(), "there is no action {name}");
    place
}

impl Line {
    fn of(&self) -> Option<&'static ActionEntry> {
        TABLE.get(self.entry)
    }
}

#[cfg(test)]
mod tests;
