use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::InputContext::{Dialog, Line, On, Page, Panes, Row};
use super::*;
use crate::tui::input::actions::Motion;
use crossterm::event::KeyCode::Up;

fn keymap() -> &'static Keymap {
    static DEFAULT: LazyLock<Keymap> = LazyLock::new(Keymap::default);
    &DEFAULT
}

fn own(lines: &[(&str, &[&str])]) -> Result<Keymap, KeymapError> {
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    Keymap::with(&lines.iter().map(|(name, own)| ((*name).to_owned(), keys(own))).collect::<BTreeMap<_, _>>())
}

fn press(keymap: &Keymap, key: char, here: InputContext) -> Option<Action> {
    keymap.lookup(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE), here)
}

#[test]
fn keys_do_what_the_convention_says() {
    let plain = KeyModifiers::NONE;
    let ctrl = KeyModifiers::CONTROL;
    let cases = [
        (KeyCode::Char('?'), plain, Some(Action::Help)),
        (KeyCode::Char('q'), plain, Some(Action::Quit)),
        (KeyCode::Char('c'), ctrl, Some(Action::Quit)),
        (KeyCode::Char('c'), plain, Some(Action::Connect)),
        (KeyCode::Char('D'), KeyModifiers::SHIFT, Some(Action::Drop)),
        (KeyCode::Char('D'), plain, Some(Action::Drop)),
        (KeyCode::Char('d'), plain, None),
        (KeyCode::Char('d'), ctrl, Some(Action::Move(Motion::HalfPageDown))),
        (KeyCode::Char('D'), ctrl | KeyModifiers::SHIFT, Some(Action::Move(Motion::HalfPageDown))),
        (KeyCode::Char('L'), plain, Some(Action::Lock)),
        (KeyCode::Char('l'), plain, None),
        (KeyCode::Char('l'), ctrl, Some(Action::Repaint)),
        (KeyCode::Char('z'), ctrl, Some(Action::Suspend)),
        (KeyCode::Char(' '), plain, None),
        (KeyCode::Char('s'), plain, Some(Action::Sort)),
        (KeyCode::Char('4'), plain, Some(Action::Focus(Pane::Feed))),
        (KeyCode::BackTab, KeyModifiers::SHIFT, Some(Action::FocusStep(4))),
        (KeyCode::Char('q'), KeyModifiers::ALT, None),
        (KeyCode::Char('x'), plain, None),
        (KeyCode::F(5), plain, None),
        // The keyboard is Russian or Greek.
        (KeyCode::Char('й'), plain, Some(Action::Quit)),
        (KeyCode::Char('В'), KeyModifiers::SHIFT, Some(Action::Drop)),
        (KeyCode::Char('Δ'), plain, Some(Action::Drop)),
        (KeyCode::Char('с'), ctrl, Some(Action::Quit)),
        (KeyCode::Char('в'), plain, None),
    ];
    for (code, modifiers, action) in cases {
        assert_eq!(
            keymap().lookup(KeyEvent::new(code, modifiers), On(Pane::Devices)),
            action,
            "{modifiers:?} {code:?}"
        );
    }
    assert_eq!(press(keymap(), 'й', Line), None, "it is text");
}

#[test]
fn a_key_with_alt_is_escape_and_that_key() {
    let (alt, shift, none) = (KeyModifiers::ALT, KeyModifiers::SHIFT, KeyModifiers::NONE);
    for (code, with, then) in [
        (KeyCode::Char('x'), alt, Some(none)),
        (KeyCode::Char('D'), alt | shift, Some(shift)),
        (Enter, alt, Some(none)),
        (KeyCode::Char('x'), none, None),
        // The line that is typed into has a use for it: it deletes a word.
        (KeyCode::Backspace, alt, None),
        (Up, alt, None),
    ] {
        let both = then.map(|modifiers| [KeyEvent::new(Esc, none), KeyEvent::new(code, modifiers)]);
        assert_eq!(escape_and(KeyEvent::new(code, with)), both, "{with:?} {code:?}");
    }
}

#[test]
fn no_use_in_the_table_is_hidden_by_another_and_no_name_is_used_twice() {
    for entry in TABLE {
        for one in entry.uses {
            for key in one.keys {
                let mut here = EVERY_PLACE.into_iter().filter(|here| one.place.covers(*here));
                assert!(
                    here.any(|here| keymap().action(*key, here) == Some(entry.action)),
                    "{key} for {:?} is never reached",
                    entry.action
                );
            }
        }
        let same = TABLE.iter().filter(|other| !entry.name.is_empty() && other.name == entry.name).count();
        assert!(same <= 1, "{} is used twice", entry.name);
    }
}

#[test]
fn control_c_quits_from_everywhere() {
    for here in EVERY_PLACE {
        let event = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keymap().lookup(event, here), Some(Action::Quit));
    }
}

#[test]
fn own_keys_take_the_place_of_those_of_the_table_wherever_the_action_applies() {
    let keymap = own(&[("down", &["w", "Down"]), ("drop", &["X"]), ("refresh", &[])]).unwrap();
    for here in [On(Pane::Feed), Page] {
        assert_eq!(press(&keymap, 'w', here), Some(Action::Move(Motion::Down)), "{here:?}");
        assert_eq!(press(&keymap, 'j', here), None, "{here:?}");
    }
    assert_eq!(press(&keymap, 'X', On(Pane::Lock)), Some(Action::Drop));
    assert_eq!([press(&keymap, 'D', On(Pane::Lock)), press(&keymap, 'r', On(Pane::Lock))], [None, None]);
    let hints: Vec<_> = keymap.hints(On(Pane::Lock)).map(|(_, key, what)| format!("{key} {what}")).collect();
    assert!(hints.contains(&"X drop".to_owned()) && !hints.iter().any(|hint| hint.contains("refresh")), "{hints:?}");
    let scroll = keymap.hints(Page).find(|(.., what)| *what == "scroll").unwrap();
    assert_eq!(scroll.1, "w k", "the help and the last line tell both");
    // A Cyrillic letter may have a meaning of its own.
    let keymap = own(&[("probe", &["й"])]).unwrap();
    assert_eq!(press(&keymap, 'й', On(Pane::Feed)), Some(Action::Probe));
}

#[test]
fn keys_that_cannot_be_used_are_refused_with_what_is_wrong() {
    for (lines, words) in [
        (&[("dorp", &["X"][..])][..], "there is no action dorp"),
        (&[("refesh", &["X"])], "(is refresh meant?)"),
        (&[("drop", &["XX"])], "drop: XX is no key"),
        (&[("drop", &["Alt-x"])], "Alt cannot be told"),
        (&[("drop", &["r"])], "drop: r is refresh already"),
        (&[("drop", &["X"]), ("probe", &["X"])], "drop: X is probe already"),
        (&[("refresh", &["m"])], "refresh: m is mark already"),
        (&[("mark", &["r"])], "mark: r is refresh already"),
        (&[("drop", &["Enter"])], "answers the dialog of drop"),
        (&[("lock", &["y"])], "answers the dialog of lock"),
        (&[("quit", &["Ctrl-C"])], "Ctrl-C always does the same (quit at once"),
        (&[("down", &["Esc"])], "Esc always does the same (it answers or leaves"),
        (&[("help", &[])], "help must have a key"),
    ] {
        let error = own(lines).unwrap_err();
        assert!(error.to_string().contains(words), "{lines:?}: {error}");
        assert_eq!(error.action(), lines[0].0);
    }
    // What is as in the table is no change, and a key that was given away is free.
    assert!(own(&[("older-hit", &["n"]), ("mark-known", &["n"]), ("zoom", &["z"])]).is_ok());
    assert!(own(&[("drop", &["r"]), ("refresh", &["R"])]).is_ok());
}

#[test]
fn what_destroys_always_has_its_dialog_between_two_presses_of_a_key() {
    for asking in [Action::Drop, Action::Lock, Action::Probe] {
        let entry = TABLE.iter().find(|entry| entry.action == asking).unwrap();
        for key in entry.default_keys() {
            assert_ne!(keymap().action(key, Dialog), Some(Action::Confirm), "{key}");
        }
        assert!(entry.uses.iter().all(|one| one.place == Panes), "{asking:?}");
    }
    assert_eq!(press(keymap(), 'b', Row), Some(Action::Reveal));
}

#[test]
fn words_name_the_keys_in_force_or_the_palette() {
    let defaults = keymap();
    assert_eq!(defaults.fill("{up} reads on; {detail}, {find}, {copy} and {down}"), "k reads on; Enter, f, y and j");
    let keymap = own(&[("up", &["w", "Up"]), ("lock", &[]), ("palette", &["F2"]), ("connect", &["ö"])]).unwrap();
    assert_eq!(keymap.fill("{up} reads on ({lock})"), "w reads on (F2lock)");
    assert_eq!(keymap.fill("nothing"), "nothing");
    assert_eq!([keymap.key(Action::Connect), keymap.key(Action::Lock)], ["ö", "F2lock"]);
    let without = own(&[("lock", &[]), ("palette", &[])]).unwrap();
    assert_eq!(without.fill("{lock} takes it"), "lock takes it");
    let help = |keymap: &Keymap, name: &str| keymap.keys_of(TABLE.iter().find(|entry| entry.name == name).unwrap());
    assert_eq!([help(defaults, "down"), help(&keymap, "down")], ["j k ↓ ↑", "j w ↓ ↑"]);
}

#[test]
fn a_key_of_the_first_page_stays_its_own() {
    use super::InputContext::FirstRun;
    let taken = own(&[("quit", &["d"])]).unwrap_err();
    assert!(taken.to_string().contains("start the demo"), "{taken}");
    let keymap = own(&[("quit", &["x"])]).unwrap();
    assert_eq!(press(&keymap, 'x', FirstRun), Some(Action::Quit));
    assert_eq!([press(&keymap, 'q', FirstRun), press(&keymap, 'd', FirstRun)], [None, Some(Action::Demo)]);
}
