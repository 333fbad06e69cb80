//! The code in a real terminal, dark and light, is read from a picture of the screen.

use d2mtop::output::qr::{CodeRoom, Letters, Qr};

use crate::support::xterm::Display;

const DARK: (&str, &str) = ("#101010", "#e0e0e0");
const LIGHT: (&str, &str) = ("#f8f8f0", "#202020");

/// As long as a link to the usual relay; another for each number.
fn link(number: u8) -> String {
    format!("threema://device-group/join#{}{number}", "EgIKABqLARIg".repeat(17).get(..195).unwrap())
}

#[test]
fn a_terminal_shows_what_a_reader_takes() {
    let Some(display) = Display::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let (columns, rows) = (130, 62);
    let drawings = [(false, rows), (false, 28), (true, rows)];
    let cases = drawings.into_iter().flat_map(|drawing| [DARK, LIGHT].map(|colors| (drawing, colors)));
    for (number, ((is_ascii, rows), colors)) in (0..).zip(cases) {
        let screen = CodeRoom { columns, rows, is_ascii, letters: Letters::HalfBlocks };
        let lines = Qr::new(&link(number)).unwrap().shown_on(screen).unwrap();
        let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
        let file = home.path().join("lines");
        // Beside the code stands text, and around it is what the terminal's owner likes.
        std::fs::write(&file, format!("\r\n{}\r\nScan this.\r\n", lines.join(" tap here\r\n"))).unwrap();
        let command = format!("cat '{}'; exec cat >/dev/null", file.display());
        let _terminal = display.terminal(colors, &format!("{columns}x{}", lines.len() + 4), &command);
        let read = display.read_code(home.path());
        assert_eq!(read.as_deref(), Some(link(number).as_str()), "ascii {is_ascii}, {rows} rows, on {}", colors.0);
    }
}
