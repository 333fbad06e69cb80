//! Signs on the screen, and what stands for each where only ASCII can be shown.

use ratatui::buffer::Buffer;

pub const ON: &str = "●";
pub const OFF: &str = "○";
pub const OWN: &str = "◆";
pub const UNKNOWN: &str = "?";
pub const WAITING: &str = "◌";
pub const FILLING: &str = "◐";
pub const BAD: &str = "✖";
pub const ATTENTION: &str = "!";
pub const SELECTED: &str = "▸";
pub const MARKED: &str = "▪";
/// Before a row that is looked for.
pub const HIT: &str = "*";
/// Before a row out of the journal.
pub const IN_JOURNAL: &str = "·";
pub const INCOMING: &str = "←";
pub const OUTGOING: &str = "→";
pub const SYNC: &str = "⇄";
/// Between the median and the 95th percentile.
pub const SHADE: &str = "░";
/// On top of a bar that goes on beyond its scale.
pub const CAPPED: &str = "▲";
/// Eighths of a cell, from the lowest bar to the full block.
pub const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Replaces every character that is not ASCII, ours by its likeness and others by a question mark.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let likeness = ascii(cell.symbol());
            cell.set_symbol(likeness);
        }
    }
}

fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "─" | "▃" => "-",
        "│" => "|",
        "┬" | "┴" | "├" | "┤" | "┼" | "┌" | "┐" | "└" | "┘" | "▆" => "+",
        ON | "▇" => "*",
        OFF => "o",
        OWN => "@",
        WAITING => ".",
        FILLING => "%",
        BAD => "X",
        SELECTED | OUTGOING => ">",
        INCOMING => "<",
        SYNC | MARKED | "▅" | "━" => "=",
        "·" | "±" => "-",
        "…" => "~",
        "▁" => "_",
        "▂" | SHADE => ".",
        "▄" => ":",
        "█" | "┃" | "┏" | "┓" | "┗" | "┛" => "#",
        "↑" | CAPPED => "^",
        "↓" => "v",
        "✓" => "+",
        _ => UNKNOWN,
    }
}
