//! The columns of a line for people, and the line of a message.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::group::FeedRow;
use crate::text::size;

/// The columns of a device's name.
pub const DEVICE: usize = 16;

/// In the columns of a device: cut, or filled with spaces.
#[must_use]
pub fn device_column(text: &str) -> String {
    let mut fitted = String::new();
    let mut left = DEVICE;
    for cluster in text.graphemes(true) {
        let Some(rest) = left.checked_sub(cluster.width()) else { break };
        left = rest;
        fitted.push_str(cluster);
    }
    fitted.extend(std::iter::repeat_n(' ', left));
    fitted
}

/// A line for each row, its cells below those of the row before.
#[must_use]
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let space = width.saturating_sub(cell.width());
            format!("{cell}{:space$}", "")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The line of a message: when, who reflected it, what it says, and what is unusual about it.
#[must_use]
pub fn message(time: &str, device: &str, sentence: &str, row: &FeedRow, is_unacknowledged: bool) -> String {
    let direction = row.direction().map_or_else(|| "?".to_owned(), |direction| direction.to_string());
    let marks = [
        (row.marks.repeated_nonce, "REPEATED NONCE"),
        (row.marks.redelivered, "again"),
        (row.marks.ephemeral, "ephemeral"),
        (is_unacknowledged, "no acknowledgement known"),
    ];
    let marks: Vec<&str> = marks.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
    format!("{time}  {}  {direction:4}  {:>7}  {sentence}{marks}", device_column(device), size(u64::from(row.size)))
}
