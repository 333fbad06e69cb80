//! What lines for people are made of: times, names that are cut or filled up, sizes and spans; and the line of a message.

use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::group::FeedRow;
use crate::text::size;

/// The columns of a device's name.
pub const DEVICE: usize = 16;

/// In the columns of a device: cut, or filled with spaces.
#[must_use]
pub fn fit(text: &str) -> String {
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
    format!("{time}  {}  {direction:4}  {:>7}  {sentence}{marks}", fit(device), size(u64::from(row.size)))
}

/// A span in the unit that leaves few digits.
#[must_use]
pub fn span(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0 => "0".to_owned(),
        1..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..120_000_000 => format!("{} s", micros / 1_000_000),
        120_000_000..7_200_000_000 => format!("{} min", micros / 60_000_000),
        7_200_000_000..172_800_000_000 => format!("{} h", micros / 3_600_000_000),
        _ => format!("{} d", micros / 86_400_000_000),
    }
}
