//! [`Clean`]: the only way untrusted bytes become displayable text.
//!
//! A label, a version, a nickname or a close reason comes from the network, and may carry escape sequences, bidi
//! overrides, zero-width characters or ten thousand letters. It passes [`Clean::new`] once, at the boundary; screen, log,
//! NDJSON, clipboard and exit text take [`Clean`] only. What is not shown as it is, is shown escaped, not deleted: a
//! hostile name should look odd.
//!
//! ```
//! use d2mtop::text::Clean;
//!
//! assert_eq!(Clean::new("Pixel 9").as_str(), "Pixel 9");
//! assert!(!Clean::new("\u{1b}[2J").as_str().contains('\u{1b}'));
//! ```

pub(crate) mod figures;
mod private;
#[cfg(feature = "app")]
pub(crate) mod screen;
pub(crate) mod units;

pub use private::PrivateText;

use std::borrow::{Borrow, Cow};
use std::fmt;

use compact_str::CompactString;
use serde::{Serialize, Serializer};
use unicode_segmentation::UnicodeSegmentation;

/// The most grapheme clusters that a [`Clean`] keeps; the rest becomes one ellipsis.
pub const MAX_GRAPHEMES: usize = 256;

/// The most characters of one grapheme cluster that are kept as they are. Family emoji take seven to eleven; a longer
/// cluster is stacked combining marks, which some terminals draw over other rows.
const MAX_CLUSTER: usize = 12;

/// Text that may be shown: no control, format or direction-changing characters, and a bounded length.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clean(CompactString);

impl Clean {
    /// Cleans untrusted text. Idempotent: cleaning clean text changes nothing.
    #[must_use]
    pub fn new(untrusted: &str) -> Self {
        // Most of what comes is plain and short: then every byte is a cluster, and none is hostile.
        if untrusted.len() <= MAX_GRAPHEMES && untrusted.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Self(CompactString::new(untrusted));
        }
        let mut out = CompactString::with_capacity(untrusted.len().min(MAX_GRAPHEMES * 4));
        let mut graphemes = 0;
        // Escaping lengthens text and splits clusters, so the limit counts what is written, not what was read.
        for cluster in untrusted.graphemes(true) {
            let piece = clean_cluster(cluster);
            let width = piece.graphemes(true).count();
            if graphemes + width > MAX_GRAPHEMES {
                // What is already out may have filled the limit exactly; the ellipsis takes the place of the last one.
                if graphemes == MAX_GRAPHEMES {
                    let end = out.grapheme_indices(true).next_back().map_or(0, |(start, _)| start);
                    out.truncate(end);
                }
                out.push('…');
                return Self(out);
            }
            graphemes += width;
            out.push_str(&piece);
        }
        Self(out)
    }

    /// Cleans bytes that should be UTF-8; invalid sequences become U+FFFD.
    #[must_use]
    pub fn from_bytes(untrusted: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(untrusted))
    }

    /// Text of our own, known at compile time.
    #[must_use]
    pub const fn literal(ours: &'static str) -> Self {
        Self(CompactString::const_new(ours))
    }

    /// The text as it may be shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A size for people: in bytes, kB or MB.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn clean_cluster(cluster: &str) -> Cow<'_, str> {
    let joins = cluster.chars().count() > 1 && cluster.chars().any(is_emoji);
    let is_key = |character: char| matches!(character, '0'..='9' | '#' | '*');
    // Behind a digit, joiners and selectors show nothing, and two labels would look the same: only a whole keycap stays.
    let joins = joins && (!cluster.starts_with(is_key) || matches!(cluster.get(1..), Some("\u{fe0f}\u{20e3}")));
    let safe = |character: char| !is_hostile(character) || (joins && is_emoji_part(character));
    if cluster.chars().all(safe) && cluster.chars().count() <= MAX_CLUSTER && !starts_with_mark(cluster) {
        return Cow::Borrowed(cluster);
    }
    let mut out = String::new();
    // Behind what is escaped a mark has no base either.
    let mut is_bare = true;
    for (index, character) in cluster.chars().enumerate() {
        if index >= MAX_CLUSTER {
            out.push('…');
            break;
        }
        let escapes = is_hostile(character) || (is_bare && is_mark(character));
        is_bare = escapes;
        match character {
            '\u{0}'..='\u{1f}' => {
                out.push('^');
                out.push(char::from((character as u8) ^ 0x40));
            }
            '\u{7f}' => out.push_str("^?"),
            _ if escapes => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// A mark with no base would be drawn over whatever stands before the field.
fn starts_with_mark(cluster: &str) -> bool {
    cluster.chars().next().is_some_and(is_mark)
}

fn is_mark(character: char) -> bool {
    unicode_width::UnicodeWidthChar::width(character) == Some(0)
}

/// The joiners and selectors that are part of emoji sequences.
const fn is_emoji_part(character: char) -> bool {
    matches!(character, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' | '\u{e0020}'..='\u{e007f}')
}

/// Pictographs, flags and keycaps: the bases that emoji parts may follow.
const fn is_emoji(character: char) -> bool {
    matches!(character, '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}' | '0'..='9' | '#' | '*' | '\u{a9}' | '\u{ae}')
}

/// Characters that move the cursor, change direction, or show nothing at all.
const fn is_hostile(character: char) -> bool {
    matches!(character,
        // C0, DEL, C1
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers, Khmer inherent vowels
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        // Mongolian selectors
        | '\u{180b}'..='\u{180f}'
        // zero-width space and joiners, direction marks
        | '\u{200b}'..='\u{200f}'
        // line and paragraph separators, embeddings and overrides
        | '\u{2028}'..='\u{202e}'
        // word joiner, invisible operators, isolates, deprecated format characters
        | '\u{2060}'..='\u{206f}'
        // selectors, byte order mark, interlinear annotation, noncharacters
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        // shorthand and musical format characters
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // tags, selectors supplement, private planes
        | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..)
}

impl fmt::Display for Clean {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl Serialize for Clean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Borrow<str> for Clean {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_shown_not_obeyed() {
        let cases = [
            ("\u{1b}]52;c;aGk=\u{7}", "^[]52;c;aGk=^G"),
            ("a\r\nb\tc", "a^M^Jb^Ic"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("evil\u{202e}cod.exe", "evil\\u{202e}cod.exe"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("\u{7f}", "^?"),
            ("\u{301}x", "\\u{301}x"),
            ("e\u{301}", "e\u{301}"),
            // Two final consonants of Hangul, which join each other but no other base.
            ("\u{d7fa}\u{d7da}", "\\u{d7fa}\\u{d7da}"),
            ("שלום", "שלום"),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
            ("Ada's iPhone", "Ada's iPhone"),
            ("iPhone 7\u{200d}", "iPhone 7\\u{200d}"),
            ("iPhone 7\u{fe0f}", "iPhone 7\\u{fe0f}"),
            ("#\u{fe0e}", "#\\u{fe0e}"),
            ("*\u{e0061}", "*\\u{e0061}"),
            ("7\u{fe0f}\u{200d}", "7\\u{fe0f}\\u{200d}"),
            ("iPhone 7\u{fe0f}\u{20e3}", "iPhone 7\u{fe0f}\u{20e3}"),
        ];
        for (untrusted, shown) in cases {
            assert_eq!(Clean::new(untrusted).as_str(), shown, "cleaning {untrusted:?}");
        }
    }

    #[test]
    fn long_text_is_cut_to_the_limit() {
        let clean = Clean::new(&"x".repeat(10_000));
        assert_eq!(clean.as_str().graphemes(true).count(), MAX_GRAPHEMES);
        assert!(clean.as_str().ends_with('…'));
    }

    #[test]
    fn stacked_marks_do_not_grow_a_cell() {
        let clean = Clean::new(&format!("z{}", "\u{335}".repeat(4_000)));
        assert!(clean.as_str().chars().count() <= MAX_CLUSTER + 1);
    }

    fn turns_text(character: char) -> bool {
        matches!(character, '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent(text in any::<String>()) {
            let once = Clean::new(&text);
            prop_assert_eq!(Clean::new(once.as_str()), once);
        }

        /// Of Hangul, marks, joiners, selectors, flags and prepended signs, each of which joins others in its own way.
        #[test]
        fn what_joins_is_cleaned_once(
            text in "[a1\u{300}-\u{305}\u{600}-\u{605}\u{903}\u{e33}\u{1100}-\u{1102}\u{1160}-\u{1163}\u{11a8}-\u{11aa}\
                     \u{ac00}\u{d7b0}\u{d7fa}\u{200d}\u{fe0f}\u{1f1e6}\u{1f3fb}\u{1f468}\u{e0062}\u{202e}\u{7}]{1,16}"
        ) {
            let once = Clean::new(&text);
            prop_assert_eq!(Clean::new(once.as_str()), once);
        }

        #[test]
        fn cleaned_text_has_no_control_and_is_bounded(text in "(\\PC|\\p{C}|[\u{0}-\u{ff}\u{2000}-\u{206f}]){0,400}") {
            let clean = Clean::new(&text);
            prop_assert!(!clean.as_str().chars().any(char::is_control));
            prop_assert!(!clean.as_str().chars().any(turns_text));
            prop_assert!(clean.as_str().graphemes(true).count() <= MAX_GRAPHEMES);
        }
    }
}
