//! What is on the screen: sizes, colours, characters, hostile text.

use d2mtop::protocol::Dialect;

use super::{DIALECTS, demo, wait_until_live};
use crate::support::hostile;
use crate::support::program::{Mediator, key_file};
use crate::support::terminal::Terminal;

#[test]
fn the_demo_moves_every_pane_at_both_sizes_in_both_dialects() {
    for dialect in DIALECTS {
        for (rows, columns) in [(24, 80), (50, 160)] {
            let mut terminal = demo(dialect, rows, columns);
            wait_until_live(&mut terminal);
            for pane in ["Devices", "Lock", "Role", "Feed", "Latency"] {
                terminal.wait_for(pane);
            }
            terminal.wait_for("follower");
            terminal.wait_for("text");
            terminal.wait_for("SYNC");
            terminal.wait_for("msg/s");
            terminal.press("q");
            assert_eq!(terminal.end().exit_code(), 0, "{dialect} at {columns}x{rows}");
            terminal.assert_restored();
        }
    }
}

#[test]
fn any_size_is_survived() {
    let mut terminal = demo("dgk", 24, 80);
    wait_until_live(&mut terminal);
    for (rows, columns) in [(1, 1), (2, 3), (1, 300), (100, 1), (9, 39), (8, 32)] {
        terminal.resize(rows, columns);
        terminal.press("jD\rL?\r+");
    }
    terminal.resize(8, 32);
    terminal.wait_for("40x10");
    terminal.resize(100, 300);
    terminal.wait_for("Devices");
    terminal.wait_for("Feed");
    terminal.resize(24, 80);
    terminal.wait_for("Feed");
    // Whatever is open by now.
    terminal.press("\u{3}");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn ascii_and_no_colour_are_honoured() {
    let mut terminal = Terminal::start(&["demo", "--ascii", "--utc", "--rate", "20"], 24, 80, &[("NO_COLOR", "1")]);
    wait_until_live(&mut terminal);
    terminal.wait_for("text");
    assert!(terminal.contents().is_ascii(), "{}", terminal.contents());
    assert!(!is_coloured(&terminal.raw), "no colour was asked for");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn hostile_text_changes_nothing_but_its_cells() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let key = key_file(mediator.home.path());
        let url = mediator.url();
        let name = dialect.to_string();
        let arguments =
            ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &name, "--stay-leader", "--utc"];
        let mut terminal = Terminal::start(&arguments, 50, 160, &[]);
        terminal.wait_for("live");
        hostile::visit(&mediator, dialect);
        terminal.press("r");
        terminal.wait_for("^[[2J^[]52");
        // A nickname, which its owner chose, has a tilde; a name out of the contacts has none.
        terminal.wait_for(match dialect {
            Dialect::Mk => "text from ~^[[2J",
            Dialect::Dgk => "text from ^[[2J",
        });
        // Through every place that shows it: the details of the row and of the device, the drop dialog.
        terminal.press("4\r");
        terminal.wait_for("Reflected message");
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 0);
        // Our own question for the background is the only such sequence.
        let raw = String::from_utf8_lossy(&terminal.raw).replace("\u{1b}]11;?\u{1b}\\", "");
        hostile::assert_harmless(&raw, "the terminal");
        terminal.assert_restored();
    }
}

#[test]
fn a_dumb_terminal_gets_ascii_and_a_free_port_is_told() {
    let arguments = ["demo", "--utc", "--metrics", "127.0.0.1:0"];
    let mut terminal = Terminal::start(&arguments, 50, 160, &[("TERM", "dumb")]);
    terminal.wait_for("! metrics: http://127.0.0.1:");
    terminal.wait_for("* live");
    terminal.press("3+");
    terminal.wait("the role with the port", |screen| {
        let text = screen.contents();
        text.contains("3 Role") && text.contains(" metrics: http://127.0.0.1:") && !text.contains(":0/metrics")
    });
    assert!(terminal.contents().is_ascii(), "{}", terminal.contents());
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

/// Whether colours are set; 39 and 49 set none.
fn is_coloured(raw: &[u8]) -> bool {
    let raw = String::from_utf8_lossy(raw).into_owned();
    raw.split("\u{1b}[").skip(1).filter_map(|sequence| sequence.split_once('m')).any(|(codes, _)| {
        codes.split(';').all(|code| code.parse::<u8>().is_ok())
            && codes.split(';').any(|code| matches!(code.parse::<u8>(), Ok(30..=38 | 40..=48 | 90..=107)))
    })
}

#[test]
fn no_color_that_is_empty_is_unset_and_without_colours_bold_and_reverse_stay() {
    for (value, coloured) in [("", true), ("1", false)] {
        let arguments = ["demo", "--utc", "--rate", "20", "--theme", "terminal"];
        let mut terminal = Terminal::start(&arguments, 24, 80, &[("NO_COLOR", value)]);
        wait_until_live(&mut terminal);
        terminal.press("4");
        terminal.wait("bold and reversed cells", |screen| {
            let cells = (0..24).flat_map(|row| (0..80).map(move |column| (row, column)));
            let cells: Vec<_> = cells.filter_map(|(row, column)| screen.cell(row, column)).collect();
            cells.iter().any(|cell| cell.bold()) && cells.iter().any(|cell| cell.inverse())
        });
        assert_eq!(is_coloured(&terminal.raw), coloured, "NO_COLOR={value}");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn ascii_is_drawn_where_the_locale_or_the_terminal_has_no_more_unless_told_otherwise() {
    for (environment, option, ascii) in [
        (("LANG", "C"), None, true),
        (("LC_ALL", "de_DE.ISO-8859-1"), None, true),
        (("TERM", "linux"), None, true),
        (("LANG", "C"), Some("never"), false),
        (("TERM", "linux"), Some("never"), false),
        (("LANG", "de_DE.utf8"), None, false),
        (("LANG", "de_DE.utf8"), Some("always"), true),
    ] {
        let mut arguments = vec!["demo", "--utc", "--rate", "20"];
        if let Some(value) = option {
            arguments.extend(["--ascii", value]);
        }
        let mut terminal = Terminal::start(&arguments, 24, 80, &[environment]);
        wait_until_live(&mut terminal);
        assert_eq!(terminal.contents().is_ascii(), ascii, "{environment:?} {option:?}: {}", terminal.contents());
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn gnu_screen_gets_no_copy_that_it_would_print() {
    for (environment, copies) in [(("STY", "1.tty"), false), (("LANG", "C.UTF-8"), true)] {
        let mut terminal = Terminal::start(&["demo", "--utc", "--rate", "20"], 50, 160, &[environment]);
        wait_until_live(&mut terminal);
        terminal.wait_for("text");
        terminal.press("4");
        terminal.press("y");
        terminal.wait_for("copied, ");
        // All of a detail is longer than a row.
        terminal.press("\r");
        terminal.wait_for("Reflected message");
        let before = terminal.raw.len();
        terminal.press("y");
        terminal.wait_for(if copies { "bytes, if the terminal allows it" } else { "not copied: GNU screen" });
        let sent = String::from_utf8_lossy(&terminal.raw[before..]).contains("\u{1b}]52;");
        assert!(copies || !sent, "{environment:?}");
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}
