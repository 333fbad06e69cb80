//! The help: all keys, grouped and in the order in which one needs them, the language of the filter, words on the screen.

use crate::group::filter;
use crate::tui::input::actions::{Action, Motion, PromptKind, SearchDirection};
use crate::tui::input::keymap::{self, KeyBinding};
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
            Action::Tab(1),
            Action::Repaint,
            Action::Suspend,
        ],
    ),
];

/// Words and signs on the screen.
const WORDS: [(&str, &str); 9] = [
    ("on, off", "connected to the mediator now, or not"),
    ("keep, temp", "the slot is kept, or goes some minutes after disconnecting"),
    ("age", "from being stored by the mediator to being received, clocks corrected"),
    ("ack", "from being received until the acknowledgement left"),
    ("ephem.", "only for devices that are connected; nobody acknowledges it"),
    ("again", "delivered again after a reconnect"),
    ("same nonce", "another message used this nonce: a replay, or a broken sender"),
    ("← → ⇄", "incoming, outgoing, between own devices"),
    ("▪ * ·", "before a row: the marked one, a hit of f, out of the journal"),
];

/// Keys of a group with what they do.
fn keys(actions: &'static [Action]) -> impl Iterator<Item = &'static KeyBinding> {
    let told = |action: Action| keymap::TABLE.iter().filter(move |line| line.action == action && !line.help.is_empty());
    actions.iter().copied().flat_map(told)
}

pub fn facts() -> Vec<Fact> {
    let mut facts = Vec::new();
    for (heading, actions) in GROUPS {
        facts.push(Fact::heading(heading));
        facts.extend(keys(actions).map(|line| Fact::new(line.shown, line.help)));
        facts.push(Fact::blank());
    }
    facts.push(Fact::heading("In the filter and the search"));
    facts.extend(filter::HELP.iter().map(|line| Fact::new(line.syntax, line.meaning)));
    facts.extend([Fact::blank(), Fact::heading("On the screen")]);
    facts.extend(WORDS.map(|(word, meaning)| Fact::new(word, meaning)));
    facts
}

/// The keys as a Markdown table, for the README.
pub fn markdown() -> String {
    let mut table = "| key | what it does |\n|---|---|\n".to_owned();
    for (heading, actions) in GROUPS {
        let lines = keys(actions).map(|line| format!("| {} | {} |\n", code(line.shown), line.help));
        table.extend(std::iter::once(format!("| **{heading}** | |\n")).chain(lines));
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
    fn every_key_that_has_words_stands_in_one_group() {
        for line in keymap::TABLE.iter().filter(|line| !line.help.is_empty()) {
            let groups = GROUPS.iter().filter(|(_, actions)| actions.contains(&line.action)).count();
            assert_eq!(groups, 1, "{} ({}) in the groups of the help", line.shown, line.help);
        }
    }
}
