//! The question for the background, and answers that must not act as keys.

use crate::support::terminal::Terminal;

use super::wait_until_live;

/// How a terminal with a light background answers OSC 11.
const LIGHT_BACKGROUND: &str = "\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\";

#[test]
fn the_background_chooses_the_theme_and_no_answer_acts_as_keys() {
    let mut terminal = Terminal::start(&["demo", "--rate", "20", "--utc"], 30, 100, &[("COLORTERM", "truecolor")]);
    terminal.wait_for_written("\x1b]11;?\x1b\\");
    terminal.wait_for_written("\x1b[?1004h");
    // Keys before and behind it, in one read.
    terminal.press(&format!("4{LIGHT_BACKGROUND}?"));
    terminal.wait_for("Moving and leaving");
    terminal.press("?");
    wait_until_live(&mut terminal);
    terminal.wait_for("▸4 Feed");
    // Much later, in pieces, with a key between: none of `1`, `/`, `c`, `d`, `f`, `g` does anything.
    for piece in ["\x1b", "]11;rgb:fdfd/f6", "f6/e3e3\x1b", "\\", "5"] {
        terminal.press(piece);
    }
    terminal.wait_for("▸5 Latency");
    terminal.press(&format!("{LIGHT_BACKGROUND}2"));
    terminal.wait_for("▸2 Lock");
    assert!(!terminal.contents().contains("filter:"), "{}", terminal.contents());
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
    let written = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(!written.contains("\x1b[?2031") && !written.contains("$p"), "their answers would eat keys");
}
