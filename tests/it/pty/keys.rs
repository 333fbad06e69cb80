//! Keys: devices, lock, filter and search from the keyboard.

use super::{DIALECTS, demo, wait_until_live};
use crate::support::terminal::Terminal;

#[test]
fn a_device_is_dropped_from_the_keyboard_and_cancel_is_the_default() {
    for dialect in DIALECTS {
        let mut terminal = demo(dialect, 30, 100);
        wait_until_live(&mut terminal);
        terminal.wait_for("Devices ─ 5");
        // The last in the list: own device comes first.
        terminal.press("G");
        terminal.press("D");
        terminal.wait_for("Cancel");
        terminal.press("\r");
        terminal.wait("the dialog to close", |screen| !screen.contents().contains("Cancel"));
        terminal.press("D");
        terminal.wait_for("Cancel");
        terminal.press("\t\r");
        terminal.wait_for("Devices ─ 4");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn the_lock_is_taken_and_released_from_the_keyboard() {
    for dialect in DIALECTS {
        let mut terminal = demo(dialect, 30, 100);
        wait_until_live(&mut terminal);
        terminal.press("L");
        terminal.wait_for("CONTACT_SYNC");
        terminal.press("j\r");
        terminal.wait("the lock to be ours", |screen| screen.contents().contains("Lock ─ ours"));
        terminal.press("L");
        terminal.wait_for("Cancel");
        terminal.press("\t\r");
        terminal.wait("the lock to be released", |screen| !screen.contents().contains("Lock ─ ours"));
        terminal.wait_for("✓ the lock is released");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn keys_that_make_no_sense_do_nothing() {
    let mut terminal = demo("dgk", 24, 80);
    wait_until_live(&mut terminal);
    terminal.press("\u{1b}[99~\u{1b}[1;5Zxyz@%&*()\u{7f}\u{1b}OP\u{1b}[200~D\rL\r\u{1b}[201~");
    terminal.press("?");
    terminal.wait_for("Keys");
    terminal.press("\u{1b}");
    terminal.wait("the help to close", |screen| !screen.contents().contains("quit at once"));
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_filter_is_typed_and_taken_back_and_a_search_found() {
    for dialect in DIALECTS {
        let mut terminal = demo(dialect, 30, 100);
        wait_until_live(&mut terminal);
        terminal.press("4/nothing-of-this-name");
        terminal.wait_for("no row fits the filter");
        terminal.press("\u{1}\u{b}kind:text");
        terminal.wait_for("filter kind:text");
        terminal.wait("texts alone", |screen| {
            let contents = screen.contents();
            contents.contains("text from") && !contents.contains("no row fits")
        });
        terminal.press("\u{1b}");
        terminal.wait("all rows again", |screen| !screen.contents().contains("filter kind"));
        terminal.press("/size>lots\r");
        terminal.wait_for("is not a size");
        // Escape and what follows at once would be one key with Alt.
        terminal.press("\u{1b}");
        terminal.wait("the line to close", |screen| !screen.contents().contains("is not a size"));
        terminal.press("ftext\rnN@%");
        terminal.wait_for("find text");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0, "{dialect}");
        terminal.assert_restored();
    }
}

#[test]
fn escape_and_a_key_in_one_read_are_both_heard() {
    let mut terminal = Terminal::start(&["demo", "--utc"], 24, 80, &[]);
    wait_until_live(&mut terminal);
    terminal.press("L");
    terminal.wait_for("Take the lock");
    terminal.press("\u{1b}?");
    terminal.wait("the dialog closed and the help open", |screen| {
        screen.contents().contains("Keys") && !screen.contents().contains("Take the lock")
    });
    terminal.press("\u{1b}/");
    terminal.wait_for("filter:");
    terminal.press("kind\u{1b}q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}
