//! The question for the background, and answers that must not act as keys.

use std::time::{Duration, Instant};

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

#[test]
fn an_answer_at_any_time_acts_as_no_key_and_loses_none() {
    for after in [0, 150, 300, 2_000].map(Duration::from_millis) {
        let mut terminal = Terminal::start(&["demo", "--rate", "20", "--utc"], 30, 100, &[("COLORTERM", "truecolor")]);
        terminal.wait_for_written("\x1b]11;?\x1b\\");
        let asked = Instant::now();
        // Typed before the answer, in its middle, and behind it: each of them does what it does. The time is what is
        // tested here, so it is waited for.
        terminal.press("2");
        terminal.wait_for("▸2 Lock");
        std::thread::sleep(after.saturating_sub(asked.elapsed()));
        let (first, rest) = LIGHT_BACKGROUND.split_at(9);
        terminal.press(first);
        // Not a hex digit, which would be of the answer.
        terminal.press("\t");
        terminal.press(rest);
        terminal.wait_for("▸3 Role");
        terminal.press("5");
        terminal.wait_for("▸5 Latency");
        let shown = terminal.contents();
        for opened in ["filter:", "find:", "go to:", "Drop device", "Moving and leaving"] {
            assert!(!shown.contains(opened), "after {after:?}: {shown}");
        }
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0, "after {after:?}");
        terminal.assert_restored();
        let asked = String::from_utf8_lossy(&terminal.raw).matches("\x1b]11;?").count();
        assert_eq!(asked, 1, "after {after:?}");
    }
}

#[test]
fn focus_that_comes_back_asks_again_and_not_twice_in_ten_seconds() {
    const QUESTION: &str = "\x1b]11;?\x1b\\";
    let asked = |terminal: &Terminal| String::from_utf8_lossy(&terminal.raw).matches(QUESTION).count();
    let mut terminal = Terminal::start(&["demo", "--rate", "20", "--utc"], 30, 100, &[("COLORTERM", "truecolor")]);
    terminal.wait_for_written(QUESTION);
    let first = Instant::now();
    wait_until_live(&mut terminal);
    // It comes back again and again; each round a key shows that it was seen.
    let mut panes = [("4", "▸4 Feed", "▸5"), ("5", "▸5 Latency", "▸4")].into_iter().cycle();
    while asked(&terminal) == 1 {
        let (key, pane, other) = panes.next().unwrap();
        terminal.press(&format!("\x1b[O\x1b[I{key}"));
        terminal.wait(pane, |screen| screen.contents().contains(pane) && !screen.contents().contains(other));
        assert!(first.elapsed() < Duration::from_secs(60), "it is never asked again");
    }
    assert!(first.elapsed() > Duration::from_secs(9), "asked again after {:?}", first.elapsed());
    // The colour of focused borders in the theme `light`.
    assert!(!String::from_utf8_lossy(&terminal.raw).contains("38;2;9;105;168"), "no theme is chosen yet");
    terminal.press(LIGHT_BACKGROUND);
    terminal.wait_for_written("38;2;9;105;168");
    terminal.press("\x1b[O\x1b[I4");
    terminal.wait_for("▸4 Feed");
    assert_eq!(asked(&terminal), 2, "asked a third time within ten seconds");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}
