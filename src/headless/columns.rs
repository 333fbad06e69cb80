//! What lines for people are made of: names that are cut or filled up, sizes, spans and marks.

use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The columns of a device's name.
pub(super) const DEVICE: usize = 16;

/// In the columns of a device: cut, or filled with spaces.
pub(super) fn fit(text: &str) -> String {
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

/// The marks that apply, in brackets.
pub(super) fn marks(marks: &[(bool, &str)]) -> String {
    let words: Vec<&str> = marks.iter().filter_map(|(is, word)| is.then_some(*word)).collect();
    if words.is_empty() { String::new() } else { format!("  [{}]", words.join(", ")) }
}

pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

pub(super) fn span(span: Duration) -> String {
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
