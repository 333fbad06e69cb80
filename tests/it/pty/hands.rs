//! Mouse, palette, files and what is remembered, in a real terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{demo, wait_until_live};
use crate::support::terminal::Terminal;

/// Where words stand on the screen, counted from one as the mouse does.
fn place(terminal: &Terminal, words: &str) -> (usize, usize) {
    let contents = terminal.contents();
    let found = contents.lines().enumerate().find_map(|(row, line)| line.find(words).map(|at| (row, &line[..at])));
    let (row, before) = found.unwrap_or_else(|| panic!("no {words}:\n{contents}"));
    (before.chars().count() + 1, row + 1)
}

/// Presses and releases a button of the mouse where the words are.
fn click(terminal: &mut Terminal, button: u8, words: &str) {
    let (column, row) = place(terminal, words);
    terminal.press(&format!("\u{1b}[<{button};{column};{row}M\u{1b}[<{button};{column};{row}m"));
}

const WHEEL_UP: u8 = 64;

/// Waits for a key in the bottom line. What the group tells meanwhile stands there instead, until the next key.
fn wait_for_hint(terminal: &mut Terminal, words: &str) {
    let is_told = |screen: &vt100::Screen| {
        let contents = screen.contents();
        let bottom = contents.lines().last().unwrap_or_default().trim_start();
        ["✓", "!"].iter().any(|sign| bottom.starts_with(sign))
    };
    loop {
        terminal.wait(words, |screen| screen.contents().contains(words) || is_told(screen));
        if terminal.contents().contains(words) {
            return;
        }
        terminal.press("\u{1b}");
        terminal.wait("the message to go", |screen| !is_told(screen));
    }
}

#[test]
fn the_mouse_selects_scrolls_presses_and_is_given_back() {
    let mut terminal = demo("dgk", 30, 100);
    wait_until_live(&mut terminal);
    terminal.wait_for("Devices ─ 5");
    for mode in ["\u{1b}[?1000h", "\u{1b}[?1002h", "\u{1b}[?1006h"] {
        terminal.wait_for_written(mode);
    }
    click(&mut terminal, 0, "Work laptop");
    terminal.wait_for("▸● on  Work laptop");
    terminal.wait_for("text from");
    // The wheel over the feed pauses it, and leaves the focus where it is.
    click(&mut terminal, WHEEL_UP, "stored");
    terminal.wait_for("paused at");
    assert!(terminal.contents().contains("▸1 Devices"), "{}", terminal.contents());
    click(&mut terminal, 0, "device  ");
    terminal.wait_for("↑ name");
    wait_for_hint(&mut terminal, "? help");
    click(&mut terminal, 0, "? help");
    terminal.wait_for("In the pane Devices");
    terminal.wait_for("Esc close");
    click(&mut terminal, 0, "Esc close");
    terminal.wait("the help to close", |screen| !screen.contents().contains("In the pane Devices"));
    // A dialog that a key has opened is not confirmed by a click.
    terminal.press("D");
    terminal.wait_for("[ Cancel ]");
    click(&mut terminal, 0, "  Drop");
    terminal.wait_for("Enter confirms it");
    terminal.wait_for("[ Drop ]");
    click(&mut terminal, 0, "[ Drop ]");
    terminal.press("n");
    terminal.wait("the dialog to close", |screen| !screen.contents().contains("[ Drop ]"));
    assert!(terminal.contents().contains("Devices ─ 5"), "{}", terminal.contents());
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
    let written = String::from_utf8_lossy(&terminal.raw).into_owned();
    for mode in ["1000", "1002", "1006"] {
        assert!(written.contains(&format!("\u{1b}[?{mode}l")), "{mode} is switched off");
    }
    for mode in ["1003", "1015", "2031"] {
        assert!(!written.contains(&format!("\u{1b}[?{mode}h")), "{mode} is never switched on");
    }
}

#[test]
fn without_the_mouse_nothing_is_asked_of_it() {
    let mut terminal = Terminal::start(&["demo", "--no-mouse"], 24, 80, &[]);
    wait_until_live(&mut terminal);
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    assert!(!String::from_utf8_lossy(&terminal.raw).contains("\u{1b}[?1000h"));
}

#[test]
fn the_palette_does_what_is_chosen_and_themes_change_at_once() {
    let mut terminal = Terminal::start(&["demo"], 30, 100, &[("COLORTERM", "truecolor")]);
    wait_until_live(&mut terminal);
    terminal.press("\u{10}");
    terminal.wait_for("Do or go to");
    terminal.press("nord\r");
    terminal.wait("the palette to close", |screen| !screen.contents().contains("Do or go to"));
    // Nord's blue, of the keys in the last line.
    terminal.wait_for_written("38;2;136;192;208");
    terminal.press(":zoom\r");
    terminal.wait("one pane alone", |screen| !screen.contents().contains("4 Feed"));
    terminal.press(":");
    terminal.wait_for("Do or go to");
    terminal.press("\u{1b}");
    terminal.wait("the palette to close", |screen| !screen.contents().contains("Do or go to"));
    terminal.press(":quit\r");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn rows_and_pictures_are_written_to_private_files() {
    let mut terminal = demo("mk", 30, 100);
    wait_until_live(&mut terminal);
    terminal.wait_for("text from");
    terminal.press("4 ");
    terminal.wait_for("paused at");
    let path = terminal.home().join("feed.csv");
    terminal.press(&format!("e\u{15}{}\r", path.display()));
    terminal.wait_for("[ All ");
    terminal.press("\r");
    terminal.wait_for("written to");
    let rows = fs::read_to_string(&path).unwrap();
    assert!(rows.starts_with("id,stored,from,what,") && rows.lines().count() > 1, "{rows}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    terminal.press("p");
    terminal.wait_for(".svg and d2mtop-");
    let names = fs::read_dir(terminal.home()).unwrap().map(|entry| entry.unwrap().path());
    let pictures: Vec<_> = names.filter(|path| path.extension().is_some_and(|ending| ending == "svg")).collect();
    let [picture] = pictures.as_slice() else { panic!("{pictures:?}") };
    let svg = fs::read_to_string(picture).unwrap();
    assert!(svg.contains("Feed") && svg.ends_with("</svg>\n"), "{svg}");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn the_screen_is_as_it_was_left_if_that_is_wanted() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(".config/d2mtop");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.toml"), "remember = true\n").unwrap();
    let start = || Terminal::start(&["demo"], 30, 100, &[("HOME", home.path().to_str().unwrap())]);
    let mut terminal = start();
    wait_until_live(&mut terminal);
    terminal.press("1S+");
    terminal.wait("the devices alone", |screen| !screen.contents().contains("4 Feed"));
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    let mut terminal = start();
    wait_until_live(&mut terminal);
    terminal.wait_for("─ ↑ ");
    assert!(!terminal.contents().contains("4 Feed"), "{}", terminal.contents());
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}
