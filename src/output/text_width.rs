//! Fitting text into columns by the width that a terminal gives it, never splitting a grapheme cluster.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::text::screen::{is_plain, on_screen};

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// The columns that text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.chars().count() } else { on_screen(text).width() }
}

/// The text, or its beginning and an ellipsis, in at most `columns`.
#[must_use]
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    let is_plain = is_plain(text);
    let text = if is_plain { Cow::Borrowed(text) } else { on_screen(text) };
    let fits = if is_plain { text.chars().nth(columns).is_none() } else { text.width() <= columns };
    if fits {
        return text;
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    if is_plain {
        return Cow::Owned(with_ellipsis(text.chars().take(room).collect()));
    }
    let mut taken = String::new();
    let mut taken_width = 0;
    for cluster in text.graphemes(true) {
        taken_width += cluster.width();
        if taken_width > room {
            break;
        }
        taken.push_str(cluster);
    }
    Cow::Owned(with_ellipsis(taken))
}

/// What was cut short before needs no second sign of it.
fn with_ellipsis(mut taken: String) -> String {
    if !taken.ends_with('…') {
        taken.push('…');
    }
    taken
}

/// The text in at most so many columns, so that something is left of what comes after its first `same` grapheme
/// clusters: if that would be cut off, the beginning is.
#[must_use]
pub fn cut_apart(text: &str, same: usize, columns: usize) -> Cow<'_, str> {
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let clusters: Vec<(usize, &str)> = text.grapheme_indices(true).collect();
    let width_of = |part: Range<usize>| {
        clusters.iter().take(part.end).skip(part.start).map(|(_, cluster)| width(cluster)).sum::<usize>()
    };
    if width(text) <= columns || width_of(0..same + 1) <= room {
        return cut(text, columns);
    }
    // As much of the end as there is room for, unless what tells it apart comes sooner.
    let all = clusters.len();
    let tail = (0..all).find(|start| width_of(*start..all) <= room).unwrap_or(all);
    let start = clusters.get(tail.min(same)).map_or(text.len(), |(at, _)| *at);
    Cow::Owned(format!("…{}", cut(text.get(start..).unwrap_or_default(), room)))
}

/// The text in exactly so many columns.
#[must_use]
pub fn fit(text: &str, columns: usize, align: Align) -> String {
    let text = cut(text, columns);
    let spaces = " ".repeat(columns.saturating_sub(width(&text)));
    match align {
        Align::Left => format!("{text}{spaces}"),
        Align::Right => format!("{spaces}{text}"),
    }
}

/// The text in lines of at most so many columns, broken between words where possible; nothing of it is lost, but for what
/// is wider than a line.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if width(word) <= columns {
            line.push_str(&cut(word, columns));
            continue;
        }
        for cluster in on_screen(word).graphemes(true) {
            if !line.is_empty() && line.width() + width(cluster) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(&cut(cluster, columns));
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_by_columns_not_by_characters() {
        let cases = [
            ("Work laptop", 11, "Work laptop"),
            ("Work laptop", 6, "Work …"),
            ("group 746c…1f", 12, "group 746c…"),
            ("日本語の端末", 12, "日本語の端末"),
            ("日本語の端末", 6, "日本…"),
            ("日本語の端末", 1, "…"),
            ("日本語の端末", 0, ""),
            ("👨\u{200d}👩\u{200d}👧 family", 4, "👨 …"),
            ("❤\u{fe0f} phone", 9, "❤ phone"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(cut(text, columns), expected, "{text} in {columns}");
        }
        for (text, same, columns, expected) in [
            ("customer-alpha", 9, 14, "customer-alpha"),
            ("customer-alpha", 9, 8, "…r-alpha"),
            ("customer-alpha-production", 9, 8, "…alpha-…"),
            ("customer-alpha-production", 2, 8, "custome…"),
            ("customer-1", 10, 8, "…tomer-1"),
            ("端末の名前", 4, 5, "…名前"),
            ("alike", 3, 0, ""),
        ] {
            assert_eq!(cut_apart(text, same, columns), expected, "{text} in {columns} after {same}");
        }
        assert_eq!(fit("31 ms", 7, Align::Right), "  31 ms");
        assert_eq!(fit("iPad", 6, Align::Left), "iPad  ");
        assert_eq!(wrap("Pixel 9 or Work laptop leads", 12), ["Pixel 9 or", "Work laptop", "leads"]);
        assert_eq!(wrap("key 0123456789abcdef is its", 6), ["key", "012345", "6789ab", "cdef", "is its"]);
        assert_eq!(wrap("端末の名前", 5), ["端末", "の名", "前"]);
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in "\\PC{0,40}", columns in 0_usize..30) {
            prop_assert!(width(&cut(&text, columns)) <= columns);
            prop_assert!(width(&cut_apart(&text, columns / 2, columns)) <= columns);
            prop_assert!(wrap(&text, columns).iter().all(|line| width(line) <= columns));
        }
    }
}
