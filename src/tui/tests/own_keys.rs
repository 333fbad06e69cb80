//! Whoever has keys of their own is told no others, wherever a key is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::*;
use super::harm::{alarmed, clock_off, closed, left};
use super::screens::after;
use crate::group::*;
use crate::protocol::*;
use crate::tui::input::actions::Action;
use crate::tui::input::keymap::{InputContext, Keymap, TABLE};
use crate::tui::pages::first_run;
use crate::tui::preferences::Preferences;
use crate::tui::state::page::{Page, PageSubject};
use crate::tui::state::{Overlay, Ui};
use crate::tui::theme::Theme;
use crate::tui::{Colour, Pane, Settings, TERMINAL};

/// A letter of its own for each action that may have one.
fn own() -> BTreeMap<String, Vec<String>> {
    let letters = ('À'..='ȳ').filter(|letter| letter.is_alphabetic());
    let named = TABLE.iter().filter(|entry| !entry.name.is_empty());
    named.zip(letters).map(|(entry, letter)| (entry.name.to_owned(), vec![letter.to_string()])).collect()
}

/// The groups in which something is said about keys.
fn groups() -> Vec<Group> {
    let scope = Some(TransactionScope::GroupSync);
    let held = Event::Lock(LockEvent::HeldBy { holder: PHONE, scope });
    let retry = |cause| Event::Disconnected { cause, next: NextStep::RetryAt { at: later(60_000), attempt: 2 } };
    let refused = |why| after(vec![Event::Refused(why)]);
    let mut groups: Vec<Group> = (4_100..4_120).chain([1_006, 4_999]).map(|code| closed(normal(), code)).collect();
    groups.extend(vec![
        normal(),
        Group::default(),
        alarmed(),
        left(),
        clock_off(3_600_000),
        after(vec![Event::Promoted {}]),
        after(vec![retry(DisconnectCause::LeaderRole)]),
        after(vec![retry(DisconnectCause::VisitOver)]),
        after(vec![retry(DisconnectCause::NoAnswer)]),
        after(vec![Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::End }]),
        after(vec![held]),
        with_lock(LockEvent::Acquired { scope, expires_at: Some(later(60_000)) }),
        refused(Refusal::LockBusy),
        refused(Refusal::NotLocked),
        refused(Refusal::NotConnected),
    ]);
    let mut journal = Group::default();
    journal.apply(START, &login());
    journal.apply(NOW, &Event::Journal(JournalState::Keeps));
    groups.push(journal);
    let mut with_text = normal();
    with_text.apply(NOW, &Event::Reflected(vec![sealed(Dialect::Dgk, 9_000, 5_000, "words of a person")]));
    groups.push(with_text);
    groups
}

/// What names a key as it is without a configuration: the hints, and letters that are no words of a sentence.
fn named_defaults(shown: &str, place: InputContext) -> Vec<String> {
    let defaults = Keymap::default();
    let named = |action| TABLE.iter().any(|entry| entry.action == action && !entry.name.is_empty());
    // Back has a key of its own on the panes, and stays what it is on what lies over them.
    let is_fixed = |action| action == Action::Back && !matches!(place, InputContext::On(_));
    let hints = defaults.hints(place).filter(|(action, ..)| named(*action) && !is_fixed(*action));
    let hints = hints.map(|(_, key, what)| format!(" {key} {what}")).filter(|hint| shown.contains(hint.as_str()));
    // This line is about keys that nobody can change.
    let shown = shown.lines().filter(|line| !line.contains("in a dialog")).collect::<Vec<_>>().join("\n");
    let words = shown.split(|letter: char| letter.is_whitespace() || "();:,.".contains(letter));
    let letters = words.filter(|word| word.len() == 1 && "fnNmbyDLPrtcepzkjgGSq".contains(word));
    hints.chain(letters.map(|letter| format!("the key {letter}"))).collect()
}

#[test]
fn no_key_is_named_that_the_configuration_has_changed() {
    let keymap = Keymap::with(&own()).unwrap();
    let preferences = Arc::new(Preferences { keymap, ..Preferences::default() });
    let settings = Settings { preferences, ..settings() };
    let groups = groups();
    for (number, group) in groups.iter().enumerate() {
        let check = |ui: &mut Ui, what: &str| {
            let place = ui.place();
            let shown = symbols(&draw(ui, group, (110, 28)));
            let named = named_defaults(&shown, place);
            assert!(named.is_empty(), "group {number}, {what}: {named:?} in\n{shown}");
        };
        // Where nothing stands in the way and where there is something to show, all is tried.
        let is_usual = number >= groups.len() - 2;
        for entry in
            TABLE.iter().filter(|_| is_usual).filter(|entry| !entry.name.is_empty() && entry.action != Action::Suspend)
        {
            for pane in [Pane::Devices, Pane::Feed] {
                let mut ui = Ui::new(settings.clone());
                draw(&mut ui, group, (110, 28));
                ui.look_at(pane);
                ui.act(entry.action, group, NOW);
                check(&mut ui, entry.name);
            }
        }
        for pane in Pane::ALL {
            let mut ui = Ui::new(settings.clone());
            ui.look_at(pane);
            check(&mut ui, pane.name());
            ui.zoomed = true;
            check(&mut ui, pane.name());
            // All of the help, and of what was told.
            for (subject, lines) in
                [(PageSubject::Help(pane), if is_usual { 300 } else { 0 }), (PageSubject::Messages, 1)]
            {
                let mut page = Page::new(subject);
                for top in (0..lines).step_by(20) {
                    page.top = top;
                    ui.overlay = Overlay::Page(page.clone());
                    check(&mut ui, "a page");
                }
            }
        }
    }
}

#[test]
fn the_keys_that_are_named_are_those_of_the_configuration() {
    let own = own();
    let preferences = Arc::new(Preferences { keymap: Keymap::with(&own).unwrap(), ..Preferences::default() });
    let settings = Settings { preferences, ..settings() };
    let key = |name: &str| own[name][0].clone();
    let shown = |group: &Group| symbols(&draw(&mut Ui::new(settings.clone()), group, (110, 28)));
    let cause = DisconnectCause::NoAnswer;
    let waiting = after(vec![Event::Disconnected { cause, next: NextStep::RetryAt { at: later(60_000), attempt: 2 } }]);
    for (group, words) in [
        (&waiting, format!("{} now", key("connect"))),
        (&clock_off(3_600_000), format!("{} accept", key("accept-clock"))),
        (&alarmed(), format!("{} mark as known", key("mark-known"))),
        (&normal(), format!("{} Feed", key("feed"))),
        (&left(), format!("{} quit", key("quit"))),
    ] {
        assert!(shown(group).contains(&words), "{words} in\n{}", shown(group));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    first_run::draw(&mut buffer, Theme::new(&TERMINAL, Colour::None), &settings.preferences.keymap);
    let page = symbols(&buffer);
    assert!(page.contains("d start the demo") && page.contains(&format!("{} quit", key("quit"))), "{page}");
    assert!(!page.contains("q quit"), "{page}");
}
