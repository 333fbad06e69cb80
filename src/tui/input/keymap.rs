//! One table of keys: it decides what a key does, what the hint bar says, and what the help says.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::tui::input::pane::Pane;

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Help,
    Quit,
    Back,
    Confirm,
    Choose(isize),
    Move(Motion),
    Focus(Pane),
    FocusStep(usize),
    /// So many tabs on.
    Tab(isize),
    Sort,
    Reverse,
    Pause,
    Detail,
    Zoom,
    Refresh,
    Connect,
    Drop,
    Lock,
    Probe,
    AcceptClock,
    Note,
    /// Opens a line to type into.
    Ask(Question),
    /// Takes the next completion, or the one before.
    Complete(isize),
    /// The next hit of the search, or the one before.
    Hit(Way),
    Mark,
    Copy,
    /// Shows what people wrote, or hides it again.
    Reveal,
    Repaint,
    Suspend,
}

impl Action {
    /// Whether it may be done where nothing but the lack of room is shown.
    pub const fn works_unseen(self) -> bool {
        matches!(self, Self::Quit | Self::Suspend | Self::Repaint)
    }
}

/// What is typed into a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which rows are shown.
    Filter,
    /// Which row is looked for.
    Search,
    /// Which time to go to.
    Time,
}

/// Which way through the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To what came before.
    Older,
    /// To what came after.
    Newer,
}

/// A movement through rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Up,
    Down,
    HalfPageUp,
    HalfPageDown,
    PageUp,
    PageDown,
    First,
    Last,
}

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
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
pub struct Binding {
    keys: &'static [Key],
    pub action: Action,
    pub place: Place,
    /// How the keys are written.
    pub shown: &'static str,
    /// In the hint bar; empty leaves it out.
    pub hint: &'static str,
    /// In the help; empty leaves it out, because the line before tells it.
    pub help: &'static str,
}

/// A key and whether Ctrl is held.
struct Key(KeyCode, bool);

const fn key(character: char) -> Key {
    Key(KeyCode::Char(character), false)
}

const fn ctrl(character: char) -> Key {
    Key(KeyCode::Char(character), true)
}

const fn named(code: KeyCode) -> Key {
    Key(code, false)
}

const fn bind(
    place: Place,
    keys: &'static [Key],
    shown: &'static str,
    action: Action,
    hint: &'static str,
    help: &'static str,
) -> Binding {
    Binding { keys, action, place, shown, hint, help }
}

use KeyCode::{BackTab, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};
use Place::{Dialog, Everywhere, Line, On, Page, Panes, Row};

/// All keys. The first line that fits decides; the hint bar shows lines from top to bottom while there is room.
pub static TABLE: &[Binding] = &[
    bind(Everywhere, &[ctrl('c')], "Ctrl-C", Action::Quit, "", "quit at once, whatever is open"),
    bind(Everywhere, &[ctrl('l')], "Ctrl-L", Action::Repaint, "", "paint the whole screen anew"),
    bind(Everywhere, &[ctrl('z')], "Ctrl-Z", Action::Suspend, "", "suspend; fg brings it back"),
    // Dialogs.
    bind(Dialog, &[named(Esc), key('q')], "Esc", Action::Back, "cancel", ""),
    bind(Dialog, &[named(Tab), named(Down), named(Right), key('j'), key('l')], "Tab", Action::Choose(1), "choose", ""),
    bind(
        Dialog,
        &[named(BackTab), named(Up), named(Left), key('k'), key('h')],
        "Shift-Tab",
        Action::Choose(-1),
        "",
        "",
    ),
    bind(Dialog, &[named(Enter)], "Enter", Action::Confirm, "answer", ""),
    // Lines.
    bind(Line, &[named(Enter)], "Enter", Action::Confirm, "keep", ""),
    bind(Line, &[named(Esc)], "Esc", Action::Back, "as before", ""),
    bind(Line, &[named(Tab)], "Tab", Action::Complete(1), "complete", ""),
    bind(Line, &[named(BackTab)], "Shift-Tab", Action::Complete(-1), "", ""),
    // Help and details.
    bind(Page, &[named(Esc), key('q'), key('?')], "Esc", Action::Back, "close", ""),
    bind(Page, &[named(Enter)], "Enter", Action::Confirm, "", ""),
    bind(Row, &[key('b')], "b", Action::Reveal, "text", "in the detail of a row: show what was written, or hide it"),
    bind(Page, &[key('y')], "y", Action::Copy, "copy", ""),
    bind(Page, &[key('j'), named(Down)], "j k", Action::Move(Motion::Down), "scroll", ""),
    bind(Page, &[key('k'), named(Up)], "k", Action::Move(Motion::Up), "", ""),
    bind(Page, &[named(PageDown), ctrl('d'), key(' ')], "PgDn", Action::Move(Motion::PageDown), "", ""),
    bind(Page, &[named(PageUp), ctrl('u')], "PgUp", Action::Move(Motion::PageUp), "", ""),
    bind(Page, &[key('g'), named(Home)], "g", Action::Move(Motion::First), "", ""),
    bind(Page, &[key('G'), named(End)], "G", Action::Move(Motion::Last), "", ""),
    // Devices.
    bind(
        On(Pane::Devices),
        &[named(Enter)],
        "Enter",
        Action::Detail,
        "detail",
        "all facts of the device, the row or the latency",
    ),
    bind(On(Pane::Devices), &[key('s')], "s", Action::Sort, "sort", "sort devices by the next property"),
    bind(Panes, &[key('S')], "S", Action::Reverse, "", "reverse the order of devices"),
    // Feed.
    bind(On(Pane::Feed), &[key(' ')], "Space", Action::Pause, "pause/follow", "pause the feed, or follow it again"),
    bind(On(Pane::Feed), &[named(Enter)], "Enter", Action::Detail, "detail", ""),
    bind(
        On(Pane::Feed),
        &[key('n')],
        "n N",
        Action::Hit(Way::Older),
        "",
        "the next older hit of f, and the next newer; without a search n notes devices",
    ),
    bind(On(Pane::Feed), &[key('N')], "N", Action::Hit(Way::Newer), "", ""),
    bind(On(Pane::Feed), &[key('m')], "m", Action::Mark, "", "mark the row: others show how they differ from it"),
    bind(On(Pane::Feed), &[key('y')], "y", Action::Copy, "", "copy the row, or all of a detail (OSC 52)"),
    bind(On(Pane::Latency), &[named(Enter)], "Enter", Action::Detail, "detail", ""),
    // All panes.
    bind(Panes, &[key('s')], "s", Action::Sort, "", ""),
    bind(Panes, &[key('D')], "D", Action::Drop, "drop", "drop the selected device from the group (asks first)"),
    bind(Panes, &[key('L')], "L", Action::Lock, "lock", "take the group's lock, or release it (asks first)"),
    bind(Panes, &[key('P')], "P", Action::Probe, "", "measure with a reflection (asks first; dgk only)"),
    bind(Panes, &[key('/')], "/", Action::Ask(Question::Filter), "filter", "show only some rows of the feed"),
    bind(Panes, &[key('r')], "r", Action::Refresh, "refresh", "ask for the device list; measures the round trip"),
    bind(Panes, &[key('f')], "f", Action::Ask(Question::Search), "", "find a row of the feed"),
    bind(Panes, &[key('t')], "t", Action::Ask(Question::Time), "", "go to a time in the feed: 14:02, 2h, 2026-11-01"),
    bind(Panes, &[key('c')], "c", Action::Connect, "", "connect now instead of waiting"),
    bind(Panes, &[key('n')], "n", Action::Note, "", "take note of new and changed devices: they count as known"),
    bind(Panes, &[key('a')], "a", Action::AcceptClock, "", "accept for this session that the clocks differ"),
    bind(Panes, &[named(Tab)], "Tab", Action::FocusStep(1), "pane", "next pane; Shift-Tab the one before"),
    bind(Panes, &[named(BackTab)], "Shift-Tab", Action::FocusStep(4), "", ""),
    bind(Panes, &[key(']')], "[ ]", Action::Tab(1), "", "previous and next tab, where several groups are open"),
    bind(Panes, &[key('[')], "[", Action::Tab(-1), "", ""),
    bind(Panes, &[key('1')], "1-5", Action::Focus(Pane::Devices), "", "the pane of that number"),
    bind(Panes, &[key('2')], "2", Action::Focus(Pane::Lock), "", ""),
    bind(Panes, &[key('3')], "3", Action::Focus(Pane::Role), "", ""),
    bind(Panes, &[key('4')], "4", Action::Focus(Pane::Feed), "", ""),
    bind(Panes, &[key('5')], "5", Action::Focus(Pane::Latency), "", ""),
    bind(
        Panes,
        &[key('+'), key('_'), key('z')],
        "+",
        Action::Zoom,
        "zoom",
        "the focused pane alone, or all panes again",
    ),
    bind(Panes, &[key('j'), named(Down)], "j k", Action::Move(Motion::Down), "", "down and up; the arrows do the same"),
    bind(Panes, &[key('k'), named(Up)], "k", Action::Move(Motion::Up), "", ""),
    bind(Panes, &[ctrl('d')], "Ctrl-D", Action::Move(Motion::HalfPageDown), "", "half a page down; Ctrl-U up"),
    bind(Panes, &[ctrl('u')], "Ctrl-U", Action::Move(Motion::HalfPageUp), "", ""),
    bind(Panes, &[named(PageDown)], "PgDn", Action::Move(Motion::PageDown), "", "a page down; PgUp up"),
    bind(Panes, &[named(PageUp)], "PgUp", Action::Move(Motion::PageUp), "", ""),
    bind(
        Panes,
        &[key('g'), named(Home)],
        "g G",
        Action::Move(Motion::First),
        "",
        "first and last; Home and End do the same",
    ),
    bind(Panes, &[key('G'), named(End)], "G", Action::Move(Motion::Last), "", ""),
    bind(Panes, &[named(Esc)], "Esc", Action::Back, "", "one level back"),
    bind(Panes, &[key('q')], "q", Action::Quit, "quit", "quit"),
    bind(Panes, &[key('?')], "?", Action::Help, "help", "this help"),
];

impl Place {
    /// Whether a binding of this place applies where the user is now.
    pub fn covers(self, here: Self) -> bool {
        match (self, here) {
            (Everywhere, _) | (Panes, On(_)) | (Page, Row) => true,
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
pub fn lookup(event: KeyEvent, here: Place) -> Option<Action> {
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
    let fits = |binding: &&Binding| {
        binding.place.covers(here) && binding.keys.iter().any(|Key(wanted, ctrl)| *wanted == code && *ctrl == held)
    };
    TABLE.iter().find(fits).map(|binding| binding.action)
}

/// The hint bar: keys and what they do, most important first.
pub fn hints(here: Place) -> impl Iterator<Item = (&'static str, &'static str)> {
    hints_of(here, |_| true)
}

/// The same, of those that do something.
pub fn hints_of(
    here: Place,
    does_something: impl Fn(Action) -> bool,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE
        .iter()
        .filter(move |binding| binding.place.covers(here) && !binding.hint.is_empty() && does_something(binding.action))
        .map(|binding| (binding.shown, binding.hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_PLACE: [Place; 9] =
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
