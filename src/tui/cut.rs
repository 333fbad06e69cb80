//! Fitting text into columns by the width that a terminal gives it, never splitting a grapheme cluster.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Asks for an emoji's coloured form. Terminals disagree on whether that is one column wide or two, so it is not sent.
const EMOJI_FORM: char = '\u{fe0f}';

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The columns that text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text, or its beginning and an ellipsis, in at most `columns`.
pub(super) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    let text = if text.contains(EMOJI_FORM) { Cow::Owned(text.replace(EMOJI_FORM, "")) } else { Cow::Borrowed(text) };
    if text.width() <= columns {
        return text;
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let mut taken = String::new();
    let mut taken_width = 0;
    for cluster in text.graphemes(true) {
        taken_width += cluster.width();
        if taken_width > room {
            break;
        }
        taken.push_str(cluster);
    }
    taken.push('…');
    Cow::Owned(taken)
}

/// The text in exactly so many columns.
pub(super) fn fit(text: &str, columns: usize, align: Align) -> String {
    let text = cut(text, columns);
    let spaces = " ".repeat(columns.saturating_sub(text.width()));
    match align {
        Align::Left => format!("{text}{spaces}"),
        Align::Right => format!("{spaces}{text}"),
    }
}

/// The text in lines of at most so many columns, broken between words where possible.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cut(word, columns));
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
            ("日本語の端末", 12, "日本語の端末"),
            ("日本語の端末", 6, "日本…"),
            ("日本語の端末", 1, "…"),
            ("日本語の端末", 0, ""),
            ("👨\u{200d}👩\u{200d}👧 family", 4, "👨\u{200d}👩\u{200d}👧 …"),
            ("❤\u{fe0f} phone", 9, "❤ phone"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(cut(text, columns), expected, "{text} in {columns}");
        }
        assert_eq!(fit("31 ms", 7, Align::Right), "  31 ms");
        assert_eq!(fit("iPad", 6, Align::Left), "iPad  ");
        assert_eq!(wrap("Pixel 9 or Work laptop leads", 12), ["Pixel 9 or", "Work laptop", "leads"]);
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in "\\PC{0,40}", columns in 0_usize..30) {
            prop_assert!(width(&cut(&text, columns)) <= columns);
            prop_assert!(wrap(&text, columns).iter().all(|line| width(line) <= columns));
        }
    }
}
