//! Keys: devices, lock, filter and search from the keyboard.

use super::{DIALECTS, demo, wait_until_live};
use crate::support::one_shot;
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
fn a_look_at_the_lock_tells_who_holds_it_and_takes_it_from_nobody() {
    for dialect in one_shot::BOTH {
        let mediator = one_shot::mediator();
        let watching = ["--device-id", one_shot::MONITOR, "--stay-leader", "--utc"];
        let mut terminal = one_shot::in_terminal(&mediator, dialect, &watching);
        terminal.wait_for("live");
        terminal.wait_for("no lock seen");
        let look = |terminal: &mut Terminal| {
            terminal.press("L");
            terminal.wait_for("Look who holds it");
            terminal.press(&"j".repeat(20));
            terminal.wait_for("iPhone that is linking");
            terminal.press("\r");
        };
        look(&mut terminal);
        terminal.wait_for("nobody held the lock at");
        terminal.wait_for("(SETTINGS_SYNC by");
        terminal.wait_for("this device ended)");
        let holding = ["lock", "group-sync", "--", "sh", "-c", "echo ready; exec sleep 1000"];
        let holder = one_shot::Started::new(one_shot::command(&mediator, dialect, &holding));
        holder.wait_for("ready");
        look(&mut terminal);
        terminal.wait_for("holds the lock, for GROUP_SYNC");
        terminal.wait_for("told 1 s ago");
        one_shot::signal(&holder.child, rustix::process::Signal::TERM);
        terminal.wait_for("(GROUP_SYNC by");
        assert_eq!(holder.end().0, Some(143), "{dialect}: it kept its lock");
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
    terminal.wait_for("The group's lock");
    terminal.press("\u{1b}?");
    terminal.wait("the dialog closed and the help open", |screen| {
        screen.contents().contains("Keys") && !screen.contents().contains("The group's lock")
    });
    terminal.press("\u{1b}/");
    terminal.wait_for("filter:");
    terminal.press("kind\u{1b}q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}
