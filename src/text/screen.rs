//! What of clean text goes to a terminal: only clusters on whose width all terminals agree.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for a cluster of which nothing can be shown.
const PLACEHOLDER: char = '□';

/// The text with each cluster of disputed width reduced to its first character. A family of emoji takes two, six or eight
/// columns, as the terminal sees it; whoever counts otherwise leaves ghosts in other rows.
pub(crate) fn on_screen(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !(is_ligature(text) || text.graphemes(true).any(is_disputed)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut is_after_lam = false;
    for cluster in text.graphemes(true) {
        let first = cluster.chars().next().unwrap_or(PLACEHOLDER);
        // Joined with the lam before it by some terminals, in one column.
        if is_after_lam && is_alef(first) {
            is_after_lam = false;
            continue;
        }
        is_after_lam = first == LAM;
        if is_disputed(cluster) {
            // A keycap is not the digit that it has on it: an iPhone 7 may be another device.
            let stands_alone =
                first.width().is_some_and(|width| width > 0) && !is_half_a_flag(first) && !first.is_ascii();
            out.push(if stands_alone { first } else { PLACEHOLDER });
        } else {
            out.push_str(cluster);
        }
    }
    Cow::Owned(out)
}

/// Whether each character is a cluster of its own and takes one column, for everyone: what most text and all charts are made
/// of. Such text needs none of the tables by which other text is taken apart, and those take most of the time of a frame.
pub(crate) fn is_plain(text: &str) -> bool {
    // The processor looks at many bytes at once.
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || text.chars().all(is_plain_character)
}

const fn is_plain_character(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{17f}' | '\u{391}'..='\u{3a1}'
        | '\u{3a3}'..='\u{3c9}' | '\u{400}'..='\u{481}' | '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{21ff}'
        | '\u{2500}'..='\u{25fc}' | '\u{2800}'..='\u{28ff}')
}

const LAM: char = '\u{644}';

const fn is_alef(character: char) -> bool {
    matches!(character, '\u{622}' | '\u{623}' | '\u{625}' | '\u{627}')
}

fn is_ligature(text: &str) -> bool {
    text.contains(LAM) && text.contains(is_alef)
}

const fn is_half_a_flag(character: char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

fn is_disputed(cluster: &str) -> bool {
    if cluster.is_ascii() {
        return false;
    }
    // Joiner, selectors, keycap, skin tones, tags.
    let asks_for_a_form = |character: char| {
        matches!(character, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}'
            | '\u{e0020}'..='\u{e007f}')
    };
    let mut characters = cluster.chars();
    let first = characters.next().unwrap_or(PLACEHOLDER);
    let sum: usize = cluster.chars().filter_map(UnicodeWidthChar::width).sum();
    is_half_a_flag(first) || characters.any(asks_for_a_form) || sum != cluster.width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clusters_of_disputed_width_are_reduced() {
        for (text, shown) in [
            ("Pixel 9", "Pixel 9"),
            ("e\u{301} 日本 한국", "e\u{301} 日本 한국"),
            ("👨\u{200d}👩\u{200d}👧 home", "👨 home"),
            ("👍\u{1f3fd}", "👍"),
            ("7\u{fe0f}\u{20e3}", "□"),
            ("iPhone #\u{fe0f}\u{20e3}", "iPhone □"),
            ("❤\u{fe0f}", "❤"),
            ("\u{1f1e9}\u{1f1ea}!", "□!"),
            ("\u{633}\u{644}\u{627}\u{645}", "\u{633}\u{644}\u{645}"),
            ("\u{644}\u{645}\u{627}", "\u{644}\u{645}\u{627}"),
        ] {
            assert_eq!(on_screen(text), shown, "{text:?}");
        }
    }

    #[test]
    fn each_plain_character_is_a_cluster_of_one_column_beside_any_other() {
        let plain: Vec<char> = ('\0'..=char::MAX).filter(|character| is_plain_character(*character)).collect();
        for character in &plain {
            let text = format!("a{character}{character}a");
            assert_eq!((text.graphemes(true).count(), text.width()), (4, 4), "{character:?}");
            assert!(!is_disputed(&character.to_string()), "{character:?}");
        }
        let all: String = plain.iter().chain(plain.iter().rev()).collect();
        assert_eq!((all.graphemes(true).count(), all.width()), (2 * plain.len(), 2 * plain.len()));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_as_wide_as_its_characters(text in "\\PC{0,20}") {
            let clean = crate::text::Clean::new(&text);
            let text = clean.as_str();
            let shown = on_screen(text);
            let clusters: usize = shown.graphemes(true).map(UnicodeWidthStr::width).sum();
            let again = on_screen(&shown).into_owned();
            prop_assert_eq!(again.as_str(), shown.as_ref());
            prop_assert_eq!(shown.width(), clusters);
        }
    }
}
