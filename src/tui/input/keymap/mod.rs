//! One table of keys: it decides what a key does, what the hint bar says, and what the help says.

mod table;

use crossterm::event::KeyCode::{Enter, Esc, Tab};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::tui::input::actions::Action;
use crate::tui::input::pane::Pane;
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
    /// In a dialog.
    Dialog,
    /// In a line that is typed into: what means nothing here is text.
    Line,
}

/// One line of the table.
pub struct KeyBinding {
    keys: &'static [Key],
    pub action: Action,
    pub place: InputContext,
    /// How the keys are written.
    pub shown: &'static str,
    /// In the hint bar; empty leaves it out.
    pub hint: &'static str,
    /// In the help; empty leaves it out, because the line before tells it.
    pub help: &'static str,
}

/// A key and whether Ctrl is held.
struct Key(KeyCode, bool);

impl InputContext {
    /// Whether a binding of this place applies where the user is now.
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

/// What a key does where the user is now, if anything.
pub fn lookup(event: KeyEvent, here: InputContext) -> Option<Action> {
    let held = event.modifiers.contains(KeyModifiers::CONTROL);
    // Letters differ by Shift alone; others mean nothing here, and must not act as the bare key.
    if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER) {
        return None;
    }
    let code = match event.code {
        // With Ctrl, some terminals tell Shift or Caps Lock and some do not.
        KeyCode::Char(character) if held => KeyCode::Char(character.to_ascii_lowercase()),
        code => code,
    };
    let fits = |binding: &&KeyBinding| {
        binding.place.covers(here) && binding.keys.iter().any(|Key(wanted, ctrl)| *wanted == code && *ctrl == held)
    };
    TABLE.iter().find(fits).map(|binding| binding.action)
}

/// The hint bar: keys and what they do, most important first.
pub fn hints(here: InputContext) -> impl Iterator<Item = (&'static str, &'static str)> {
    hints_of(here, |_| true)
}

/// The same, of those that do something.
pub fn hints_of(
    here: InputContext,
    does_something: impl Fn(Action) -> bool,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE
        .iter()
        .filter(move |binding| binding.place.covers(here) && !binding.hint.is_empty() && does_something(binding.action))
        .map(|binding| (binding.shown, binding.hint))
}

#[cfg(test)]
mod tests {
    use super::InputContext::{Dialog, Line, On, Page, Row};
    use super::*;
    use crate::tui::input::actions::Motion;
    use crossterm::event::KeyCode::Up;

    const EVERY_PLACE: [InputContext; 9] =
        [On(Pane::Devices), On(Pane::Lock), On(Pane::Role), On(Pane::Feed), On(Pane::Latency), Page, Row, Dialog, Line];

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
        ];
        for (code, modifiers, action) in cases {
            assert_eq!(lookup(KeyEvent::new(code, modifiers), On(Pane::Devices)), action, "{modifiers:?} {code:?}");
        }
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
    fn no_line_of_the_table_is_hidden_by_another() {
        for (index, binding) in TABLE.iter().enumerate() {
            for Key(code, ctrl) in binding.keys {
                let modifiers = if *ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                let reached = EVERY_PLACE
                    .into_iter()
                    .filter(|here| binding.place.covers(*here))
                    .any(|here| lookup(KeyEvent::new(*code, modifiers), here) == Some(binding.action));
                assert!(reached, "line {index} ({}) is never reached", binding.shown);
            }
        }
    }

    #[test]
    fn control_c_quits_from_everywhere() {
        for here in EVERY_PLACE {
            assert_eq!(lookup(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), here), Some(Action::Quit));
        }
    }
}
