//! The help: all keys, grouped and in the order in which one needs them, the language of the filter, words on the screen.

use crate::output::filter_help::FILTER_HELP;
use crate::tui::input::actions::{Action, Motion, PromptKind, SearchDirection};
use crate::tui::input::keymap::{ActionEntry, Keymap, TABLE};
use crate::tui::input::pane::Pane;
use crate::tui::pages::fact::Fact;

/// Keys by what they do; those that are needed first come first.
const GROUPS: [(&str, &[Action]); 4] = [
    (
        "Moving and leaving",
        &[
            Action::Move(Motion::Down),
            Action::FocusStep(1),
            Action::Focus(Pane::Devices),
            Action::Detail,
            Action::Back,
            Action::Answer(true),
            Action::Palette,
            Action::Help,
            Action::Quit,
        ],
    ),
    (
        "Reading the feed",
        &[
            Action::Ask(PromptKind::Filter),
            Action::Ask(PromptKind::Search),
            Action::Hit(SearchDirection::Older),
            Action::Ask(PromptKind::Time),
            Action::Pause,
            Action::Mark,
            Action::Ask(PromptKind::File),
            Action::Beside(Motion::Down),
            Action::Reveal,
            Action::Copy,
        ],
    ),
    (
        "The group and its devices",
        &[
            Action::Drop,
            Action::Lock,
            Action::Refresh,
            Action::Probe,
            Action::Connect,
            Action::Note,
            Action::AcceptClock,
            Action::Sort,
            Action::Reverse,
        ],
    ),
    (
        "Moving further, and the screen",
        &[
            Action::Move(Motion::First),
            Action::Move(Motion::PageDown),
            Action::Move(Motion::HalfPageDown),
            Action::Zoom,
            Action::Resize(1),
            Action::Picture,
            Action::Tab(1),
            Action::Messages,
            Action::Repaint,
            Action::Suspend,
        ],
    ),
];

/// Words and signs on the screen.
const WORDS: [(&str, &str); 9] = [
    ("on, off", "connected to the mediator now, or not"),
    ("persistent, volatile", "the slot stays, or goes some minutes after the device disconnects"),
    ("waited", "from being stored by the mediator to being received, clocks corrected"),
    ("ack", "from being received until the acknowledgement left"),
    ("not due", "only for devices that are connected; nobody acknowledges it"),
    ("again", "delivered again after a reconnect"),
    ("same nonce", "another message used this nonce: a replay, or a broken sender"),
    ("← → ⇄", "incoming, outgoing, between own devices"),
    ("▪ * ·", "before a row: the marked one, a hit of the search, out of the journal"),
];

/// What is of use in a pane above all.
const fn of_pane(pane: Pane) -> &'static [Action] {
    match pane {
        Pane::Devices => &[Action::Detail, Action::Sort, Action::Reverse, Action::Drop, Action::Note],
        Pane::Lock => &[Action::Lock],
        Pane::Role => &[Action::Connect],
        Pane::Feed => &[
            Action::Detail,
            Action::Ask(PromptKind::Filter),
            Action::Ask(PromptKind::Search),
            Action::Hit(SearchDirection::Older),
            Action::Ask(PromptKind::Time),
            Action::Pause,
            Action::Mark,
            Action::Copy,
        ],
        Pane::Latency => &[Action::Detail, Action::Refresh, Action::Probe],
    }
}

/// What there is to tell of these actions.
fn entries(actions: &[Action]) -> impl Iterator<Item = (&'static ActionEntry, &'static str)> {
    let told = |action: Action| {
        let of_action = TABLE.iter().filter(move |entry| entry.action == action);
        of_action.filter_map(|entry| Some((entry, entry.help_words()?)))
    };
    actions.iter().copied().flat_map(told)
}

/// The keys, those of the pane with the focus first.
pub fn facts(keymap: &Keymap, pane: Pane) -> Vec<Fact> {
    let fact = |(entry, words): (&ActionEntry, &'static str)| {
        let keys = keymap.keys_of(entry);
        let keys = if keys.is_empty() { "no key".to_owned() } else { keys };
        Fact::new(keys, keymap.fill(words))
    };
    let here = of_pane(pane);
    let mut facts = vec![Fact::heading(&format!("In the pane {}", pane.name()))];
    facts.extend(entries(here).map(fact));
    for (heading, actions) in GROUPS {
        facts.extend([Fact::blank(), Fact::heading(heading)]);
        let others: Vec<Action> = actions.iter().copied().filter(|action| !here.contains(action)).collect();
        facts.extend(entries(&others).map(fact));
    }
    facts.extend([Fact::blank(), Fact::heading("In the filter and the search")]);
    facts.extend(FILTER_HELP.iter().map(|line| Fact::new(line.syntax, line.meaning)));
    facts.extend([Fact::blank(), Fact::heading("On the screen")]);
    facts.extend(WORDS.map(|(word, meaning)| Fact::new(word, meaning)));
    facts
}

/// The keys as a Markdown table, for the README.
pub fn markdown() -> String {
    let keymap = Keymap::default();
    let mut table = "| key | what it does |\n|---|---|\n".to_owned();
    for (heading, actions) in GROUPS {
        let line = |(entry, words): (&ActionEntry, &'static str)| {
            format!("| {} | {} |\n", code(&keymap.keys_of(entry)), keymap.fill(words))
        };
        table.extend(std::iter::once(format!("| **{heading}** | |\n")).chain(entries(actions).map(line)));
    }
    table
}

/// Each key of a line as code.
fn code(keys: &str) -> String {
    keys.split(' ').map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_has_words_stands_in_one_group() {
        for (entry, words) in TABLE.iter().filter_map(|entry| Some((entry, entry.help_words()?))) {
            let groups = GROUPS.iter().filter(|(_, actions)| actions.contains(&entry.action)).count();
            assert_eq!(groups, 1, "{:?} ({words}) in the groups of the help", entry.action);
        }
        for action in Pane::ALL.into_iter().flat_map(of_pane) {
            assert!(GROUPS.iter().any(|(_, actions)| actions.contains(action)), "{action:?} is of a pane only");
        }
    }
}
