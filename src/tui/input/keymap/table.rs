//! The table of keys.

use crossterm::event::KeyCode::{self, BackTab, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};

use super::InputContext::{self, Dialog, Everywhere, Line, On, Page, Panes, Row};
use super::{Key, KeyBinding};
use crate::tui::input::actions::{Action, Motion, PromptKind, SearchDirection};
use crate::tui::input::pane::Pane;

/// All keys. The first line that fits decides; the hint bar shows lines from top to bottom while there is room.
pub static TABLE: &[KeyBinding] = &[
    bind(Everywhere, &[ctrl('c')], "Ctrl-C", Action::Quit, "", "quit at once, whatever is open"),
    bind(Everywhere, &[ctrl('l')], "Ctrl-L", Action::Repaint, "", "paint the whole screen anew"),
    bind(Everywhere, &[ctrl('z')], "Ctrl-Z", Action::Suspend, "", "suspend; fg brings it back"),
    // Dialogs.
    bind(Dialog, &[named(Esc), key('q')], "Esc", Action::Back, "cancel", ""),
    bind(Dialog, &[named(Tab), named(Down), named(Right), key('j'), key('l')], "Tab", Action::Choose(1), "switch", ""),
    bind(
        Dialog,
        &[named(BackTab), named(Up), named(Left), key('k'), key('h')],
        "Shift-Tab",
        Action::Choose(-1),
        "",
        "",
    ),
    bind(Dialog, &[named(Enter)], "Enter", Action::Confirm, "confirm", ""),
    // Lines.
    bind(Line, &[named(Enter)], "Enter", Action::Confirm, "apply", ""),
    bind(Line, &[named(Esc)], "Esc", Action::Back, "cancel", ""),
    bind(Line, &[named(Tab)], "Tab", Action::Complete(1), "complete", ""),
    bind(Line, &[named(BackTab)], "Shift-Tab", Action::Complete(-1), "", ""),
    // Help and details.
    bind(Page, &[named(Esc), key('q'), key('?')], "Esc", Action::Back, "close", ""),
    bind(Page, &[named(Enter)], "Enter", Action::Confirm, "", ""),
    bind(Row, &[key('b')], "b", Action::Reveal, "text", "in the detail of a row: show what was written, or hide it"),
    bind(Page, &[key('y')], "y", Action::Copy, "copy", ""),
    bind(
        Page,
        &[named(Right)],
        "← →",
        Action::Beside(Motion::Down),
        "",
        "in the detail of a row: the older and the newer row",
    ),
    bind(Page, &[named(Left)], "←", Action::Beside(Motion::Up), "", ""),
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
        "details of the device, the row or the latency",
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
        Action::Hit(SearchDirection::Older),
        "",
        "the next older hit of f, and the next newer; without a search n marks devices as known",
    ),
    bind(On(Pane::Feed), &[key('N')], "N", Action::Hit(SearchDirection::Newer), "", ""),
    bind(On(Pane::Feed), &[key('m')], "m", Action::Mark, "", "mark the row: others show how they differ from it"),
    bind(On(Pane::Feed), &[key('y')], "y", Action::Copy, "", "copy the row, or all of a detail (OSC 52)"),
    bind(On(Pane::Latency), &[named(Enter)], "Enter", Action::Detail, "detail", ""),
    // All panes.
    bind(Panes, &[named(Enter)], "Enter", Action::Detail, "", ""),
    bind(Panes, &[key('s')], "s", Action::Sort, "", ""),
    bind(Panes, &[key('D')], "D", Action::Drop, "drop", "drop the selected device from the group (asks first)"),
    bind(Panes, &[key('L')], "L", Action::Lock, "lock", "take the group's lock, or release it (asks first)"),
    bind(Panes, &[key('P')], "P", Action::Probe, "", "measure with a reflection (asks first; dgk only)"),
    bind(Panes, &[key('/')], "/", Action::Ask(PromptKind::Filter), "filter", "show only some rows of the feed"),
    bind(Panes, &[key('r')], "r", Action::Refresh, "refresh", "ask for the device list; measures the round trip"),
    bind(Panes, &[key('f')], "f", Action::Ask(PromptKind::Search), "", "find a row of the feed"),
    bind(Panes, &[key('t')], "t", Action::Ask(PromptKind::Time), "", "go to a time in the feed: 14:02, 2h, 2026-11-01"),
    bind(Panes, &[key('c')], "c", Action::Connect, "", "connect now instead of waiting"),
    bind(Panes, &[key('n')], "n", Action::Note, "", "mark new or changed devices as known"),
    bind(Panes, &[key('a')], "a", Action::AcceptClock, "", "accept for this session that the clocks differ"),
    bind(Panes, &[key('!')], "!", Action::Messages, "", "the messages of this session"),
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
    place: InputContext,
    keys: &'static [Key],
    shown: &'static str,
    action: Action,
    hint: &'static str,
    help: &'static str,
) -> KeyBinding {
    KeyBinding { keys, action, place, shown, hint, help }
}
