//! The real binary in a real terminal: start, keys, quit, signals, panic, resize, both dialects.

mod appearance;
mod background;
mod config;
mod connection;
mod ends;
mod hands;
mod keys;
mod start;

use crate::support::terminal::Terminal;

const DIALECTS: [&str; 2] = ["dgk", "mk"];

fn demo(dialect: &str, rows: u16, columns: u16) -> Terminal {
    Terminal::start(&["demo", "--dialect", dialect, "--rate", "20", "--utc"], rows, columns, &[])
}

fn wait_until_live(terminal: &mut Terminal) {
    terminal.wait_for("live");
    terminal.wait_for("Pixel 9");
}
