//! [`PrivateText`]: what a person wrote or is.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Clean, MAX_GRAPHEMES};

/// The most lines that are revealed.
const MAX_LINES: usize = 500;
/// The most graphemes of one line; a longer paragraph goes on in the next. Leaves room for what must be escaped.
const LINE: usize = MAX_GRAPHEMES / 2;

/// What a person wrote or is: a text, a name, a place. Shows itself to nobody who does not ask for it by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateText(String);

impl PrivateText {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn from_bytes(text: &[u8]) -> Self {
        Self(String::from_utf8_lossy(text).into_owned())
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, for somebody who asked to see it: a line for each that was written, long ones in several, and
    /// after the last that is shown how many bytes are not.
    #[must_use]
    pub fn reveal(&self) -> Vec<Clean> {
        let mut lines = Vec::new();
        let mut rest = self.0.as_str();
        while !rest.is_empty() {
            if lines.len() == MAX_LINES {
                lines.push(Clean::new(&format!("… {} bytes more", rest.len())));
                break;
            }
            let (line, after) = first_line(rest);
            lines.push(Clean::new(line));
            rest = after;
        }
        lines
    }
}

/// The first line to show, without its end, and what follows. Breaks a long one at a space if there is one.
fn first_line(text: &str) -> (&str, &str) {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let Some((longest, _)) = line.grapheme_indices(true).nth(LINE) else {
        return (line.strip_suffix('\r').unwrap_or(line), after);
    };
    let end = line.get(..longest).and_then(|head| head.rfind(' ')).map_or(longest, |space| space + 1);
    let (head, after) = text.split_at_checked(end).unwrap_or((text, ""));
    (head.trim_end_matches(' '), after)
}

impl fmt::Debug for PrivateText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Private({} bytes)", self.0.len())
    }
}
