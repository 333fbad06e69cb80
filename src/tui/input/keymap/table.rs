//! The table of actions.

use crossterm::event::KeyCode::{BackTab, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};

use super::Help::{Elsewhere, For, Own};
use super::InputContext::{self, Chooser, Dialog, Everywhere, FirstRun, Line, On, Page, Panes, Row};
use super::{ActionEntry, Help, Key, Use};
use crate::tui::input::actions::{Action, Motion, PromptKind, SearchDirection};
use crate::tui::input::pane::Pane;

/// Everything that can be done. The first use that fits a key decides; the last line offers uses from top to bottom while
/// there is room.
pub static TABLE: &[ActionEntry] = &[
    fixed(Action::Quit, "quit at once, whatever is open", Own, &[on(Everywhere, &[ctrl('c')], "")]),
    fixed(Action::Repaint, "paint the whole screen anew", Own, &[on(Everywhere, &[ctrl('l')], "")]),
    fixed(Action::Suspend, "suspend; fg brings it back", Own, &[on(Everywhere, &[ctrl('z')], "")]),
    // Dialogs.
    fixed(Action::Answer(false), "", Elsewhere, &[on(Dialog, &[named(Esc), key('q'), key('n')], "cancel")]),
    fixed(
        Action::Choose(1),
        "",
        Elsewhere,
        &[on(Dialog, &[named(Tab), named(Down), named(Right), key('j'), key('l')], "switch")],
    ),
    fixed(
        Action::Choose(-1),
        "",
        Elsewhere,
        &[on(Dialog, &[named(BackTab), named(Up), named(Left), key('k'), key('h')], "")],
    ),
    fixed(Action::Answer(true), "in a dialog: choose what does it; n leaves", Own, &[on(Dialog, &[key('y')], "")]),
    fixed(Action::Confirm, "", Elsewhere, &[on(Dialog, &[named(Enter)], "confirm")]),
    // Lines.
    fixed(Action::Confirm, "", Elsewhere, &[on(Line, &[named(Enter)], "apply")]),
    fixed(Action::Back, "", Elsewhere, &[on(Line, &[named(Esc)], "cancel")]),
    fixed(Action::Complete(1), "", Elsewhere, &[on(Line, &[named(Tab)], "complete")]),
    fixed(Action::Complete(-1), "", Elsewhere, &[on(Line, &[named(BackTab)], "")]),
    // The palette.
    fixed(Action::Confirm, "", Elsewhere, &[on(Chooser, &[named(Enter)], "do")]),
    fixed(Action::Back, "", Elsewhere, &[on(Chooser, &[named(Esc)], "close")]),
    fixed(Action::Choose(1), "", Elsewhere, &[on(Chooser, &[named(Down), named(Tab), ctrl('n')], "next")]),
    fixed(Action::Choose(-1), "", Elsewhere, &[on(Chooser, &[named(Up), named(BackTab), ctrl('p')], "")]),
    // Where there is no profile yet.
    fixed(Action::Demo, "start the demo", Elsewhere, &[on(FirstRun, &[key('d')], "start the demo")]),
    fixed(Action::Join, "join your group", Elsewhere, &[on(FirstRun, &[key('j')], "join your group")]),
    // Help and details.
    fixed(Action::Back, "", Elsewhere, &[on(Page, &[named(Esc), key('q'), key('?')], "close")]),
    fixed(Action::Confirm, "", Elsewhere, &[on(Page, &[named(Enter)], "")]),
    entry(
        "show-text",
        Action::Reveal,
        "in the detail of a row: show what was written, or hide it",
        Own,
        &[on(Row, &[key('b')], "text")],
    ),
    entry(
        "copy",
        Action::Copy,
        "copy the row, or all of a detail (OSC 52)",
        Own,
        &[on(Page, &[key('y')], "copy"), on(On(Pane::Feed), &[key('y')], "")],
    ),
    entry(
        "newer-row",
        Action::Beside(Motion::Down),
        "in the detail of a row: the newer row",
        For(&["older-row", "newer-row"], "in the detail of a row: the older and the newer row"),
        &[on(Page, &[named(Right)], "")],
    ),
    entry(
        "older-row",
        Action::Beside(Motion::Up),
        "in the detail of a row: the older row",
        Elsewhere,
        &[on(Page, &[named(Left)], "")],
    ),
    // Feed, and what the pane with the focus has.
    entry(
        "pause",
        Action::Pause,
        "pause the feed, or follow it again",
        Own,
        &[on(On(Pane::Feed), &[key(' ')], "pause/follow")],
    ),
    entry(
        "detail",
        Action::Detail,
        "details of the device, the row or the latency",
        Own,
        &[
            on(On(Pane::Devices), &[named(Enter)], "detail"),
            on(On(Pane::Feed), &[named(Enter)], "detail"),
            on(On(Pane::Latency), &[named(Enter)], "detail"),
            on(Panes, &[named(Enter)], ""),
        ],
    ),
    entry(
        "older-hit",
        Action::Hit(SearchDirection::Older),
        "the next older hit of the search",
        For(
            &["older-hit", "newer-hit"],
            "the next older and newer hit of a search; without one, the first marks devices as known",
        ),
        &[on(On(Pane::Feed), &[key('n')], "")],
    ),
    entry(
        "newer-hit",
        Action::Hit(SearchDirection::Newer),
        "the next newer hit of the search",
        Elsewhere,
        &[on(On(Pane::Feed), &[key('N')], "")],
    ),
    entry(
        "mark",
        Action::Mark,
        "mark the row: others show how they differ from it",
        Own,
        &[on(On(Pane::Feed), &[key('m')], "")],
    ),
    entry(
        "sort",
        Action::Sort,
        "sort devices by the next property",
        Own,
        &[on(On(Pane::Devices), &[key('s')], "sort"), on(Panes, &[key('s')], "")],
    ),
    entry("reverse", Action::Reverse, "reverse the order of devices", Own, &[on(Panes, &[key('S')], "")]),
    // All panes.
    entry(
        "drop",
        Action::Drop,
        "drop the selected device from the group (asks first)",
        Own,
        &[on(Panes, &[key('D')], "drop")],
    ),
    entry(
        "lock",
        Action::Lock,
        "take the lock, look at it or release it (asks first)",
        Own,
        &[on(Panes, &[key('L')], "lock")],
    ),
    entry(
        "probe",
        Action::Probe,
        "measure with a reflection (asks first; dgk only)",
        Own,
        &[on(Panes, &[key('P')], "")],
    ),
    entry(
        "filter",
        Action::Ask(PromptKind::Filter),
        "show only some rows of the feed",
        Own,
        &[on(Panes, &[key('/')], "filter")],
    ),
    entry(
        "refresh",
        Action::Refresh,
        "ask for the device list; measures the round trip",
        Own,
        &[on(Panes, &[key('r')], "refresh")],
    ),
    entry(
        "find",
        Action::Ask(PromptKind::Search),
        "find a row of the feed, or lines of what is open",
        Own,
        &[on(Page, &[key('f'), key('/')], "find"), on(Panes, &[key('f')], "")],
    ),
    entry(
        "go-to-time",
        Action::Ask(PromptKind::Time),
        "go to a time in the feed: 14:02, 2h, 2026-11-01",
        Own,
        &[on(Panes, &[key('t')], "")],
    ),
    entry("connect", Action::Connect, "connect now instead of waiting", Own, &[on(Panes, &[key('c')], "")]),
    entry("mark-known", Action::Note, "mark new or changed devices as known", Own, &[on(Panes, &[key('n')], "")]),
    entry(
        "accept-clock",
        Action::AcceptClock,
        "accept for this session that the clocks differ",
        Own,
        &[on(Panes, &[key('a')], "")],
    ),
    entry("messages", Action::Messages, "the messages of this session", Own, &[on(Panes, &[key('!')], "")]),
    entry(
        "next-pane",
        Action::FocusStep(1),
        "the next pane",
        For(&["next-pane"], "the next pane; {previous-pane} the one before"),
        &[on(Panes, &[named(Tab)], "pane")],
    ),
    entry("previous-pane", Action::FocusStep(4), "the pane before", Elsewhere, &[on(Panes, &[named(BackTab)], "")]),
    entry(
        "next-tab",
        Action::Tab(1),
        "the next tab",
        For(&["previous-tab", "next-tab"], "previous and next tab, where several groups are open"),
        &[on(Panes, &[key(']')], "")],
    ),
    entry("previous-tab", Action::Tab(-1), "the tab before", Elsewhere, &[on(Panes, &[key('[')], "")]),
    entry(
        "devices",
        Action::Focus(Pane::Devices),
        "go to the devices",
        For(&["devices", "lock-pane", "role", "feed", "latency"], "the pane of that number"),
        &[on(Panes, &[key('1')], "")],
    ),
    entry("lock-pane", Action::Focus(Pane::Lock), "go to the lock", Elsewhere, &[on(Panes, &[key('2')], "")]),
    entry("role", Action::Focus(Pane::Role), "go to the role", Elsewhere, &[on(Panes, &[key('3')], "")]),
    entry("feed", Action::Focus(Pane::Feed), "go to the feed", Elsewhere, &[on(Panes, &[key('4')], "")]),
    entry("latency", Action::Focus(Pane::Latency), "go to the latency", Elsewhere, &[on(Panes, &[key('5')], "")]),
    entry(
        "zoom",
        Action::Zoom,
        "the focused pane alone, or all panes again",
        Own,
        &[on(Panes, &[key('+'), key('_'), key('z')], "zoom")],
    ),
    entry(
        "down",
        Action::Move(Motion::Down),
        "down",
        For(&["down", "up"], "down and up"),
        &[on(Page, &[key('j'), named(Down)], "scroll"), on(Panes, &[key('j'), named(Down)], "")],
    ),
    entry(
        "up",
        Action::Move(Motion::Up),
        "up",
        Elsewhere,
        &[on(Page, &[key('k'), named(Up)], ""), on(Panes, &[key('k'), named(Up)], "")],
    ),
    entry(
        "half-page-down",
        Action::Move(Motion::HalfPageDown),
        "half a page down",
        For(&["half-page-down", "half-page-up"], "half a page down and up"),
        &[on(Panes, &[ctrl('d')], "")],
    ),
    entry(
        "half-page-up",
        Action::Move(Motion::HalfPageUp),
        "half a page up",
        Elsewhere,
        &[on(Panes, &[ctrl('u')], "")],
    ),
    entry(
        "page-down",
        Action::Move(Motion::PageDown),
        "a page down",
        For(&["page-down", "page-up"], "a page down and up"),
        &[on(Page, &[named(PageDown), ctrl('d'), key(' ')], ""), on(Panes, &[named(PageDown)], "")],
    ),
    entry(
        "page-up",
        Action::Move(Motion::PageUp),
        "a page up",
        Elsewhere,
        &[on(Page, &[named(PageUp), ctrl('u')], ""), on(Panes, &[named(PageUp)], "")],
    ),
    entry(
        "first",
        Action::Move(Motion::First),
        "the first",
        For(&["first", "last"], "first and last"),
        &[on(Page, &[key('g'), named(Home)], ""), on(Panes, &[key('g'), named(Home)], "")],
    ),
    entry(
        "last",
        Action::Move(Motion::Last),
        "the last",
        Elsewhere,
        &[on(Page, &[key('G'), named(End)], ""), on(Panes, &[key('G'), named(End)], "")],
    ),
    entry(
        "wider",
        Action::Resize(1),
        "more room for the focused pane",
        For(&["narrower", "wider"], "less and more room for the focused pane"),
        &[on(Panes, &[key('>')], "")],
    ),
    entry("narrower", Action::Resize(-1), "less room for the focused pane", Elsewhere, &[on(Panes, &[key('<')], "")]),
    entry(
        "export",
        Action::Ask(PromptKind::File),
        "write the rows of the feed to a file: NDJSON, CSV or Markdown",
        Own,
        &[on(Panes, &[key('e')], "")],
    ),
    entry(
        "picture",
        Action::Picture,
        "write the screen to files, as SVG and ANSI, without what people wrote",
        Own,
        &[on(Panes, &[key('p')], ""), on(Page, &[key('p')], "")],
    ),
    entry(
        "palette",
        Action::Palette,
        "everything to do or go to, found by a few letters",
        Own,
        &[on(Panes, &[key(':'), ctrl('p')], "palette"), on(Page, &[key(':'), ctrl('p')], "")],
    ),
    entry("back", Action::Back, "one level back", Own, &[on(Panes, &[named(Esc)], "")]),
    entry("quit", Action::Quit, "quit", Own, &[on(Panes, &[key('q')], "quit"), on(FirstRun, &[key('q')], "quit")]),
    entry("help", Action::Help, "this help", Own, &[on(Panes, &[key('?')], "help")]),
];

const fn key(character: char) -> Key {
    Key::character(character)
}

const fn ctrl(character: char) -> Key {
    Key::ctrl(character)
}

const fn named(code: crossterm::event::KeyCode) -> Key {
    Key::named(code)
}

const fn on(place: InputContext, keys: &'static [Key], hint: &'static str) -> Use {
    Use { place, keys, hint }
}

const fn entry(
    name: &'static str,
    action: Action,
    words: &'static str,
    help: Help,
    uses: &'static [Use],
) -> ActionEntry {
    ActionEntry { action, name, words, help, uses }
}

/// What stays as it is, so that every dialog and line can be answered and left.
const fn fixed(action: Action, words: &'static str, help: Help, uses: &'static [Use]) -> ActionEntry {
    entry("", action, words, help, uses)
}
