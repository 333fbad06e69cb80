//! [`PrivateText`]: what a person wrote.

use std::fmt;

use prost::Message as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::message_type::{GroupHeader, MessageType};
use crate::protocol::proto::csp_e2e;
use crate::text::{Clean, MAX_GRAPHEMES};

/// The bytes of a group's creator and id before the body itself.
const GROUP_HEADER: usize = 16;
/// The most lines that are revealed.
const MAX_LINES: usize = 500;
/// The most graphemes of one line; a longer paragraph goes on in the next. Leaves room for what must be escaped.
const LINE: usize = MAX_GRAPHEMES / 2;

/// What a person wrote: a text, an edited text or a caption. Shows itself to nobody who does not ask for it by name.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateText(String);

impl PrivateText {
    /// What a person wrote in the body of a message, if it is of a type that has such a text.
    pub(super) fn in_body(message_type: MessageType, body: &[u8]) -> Option<Self> {
        let body = match message_type.group_header() {
            Some(GroupHeader::CreatorAndId) => body.get(GROUP_HEADER..)?,
            Some(GroupHeader::IdOnly) => return None,
            None => body,
        };
        Some(Self(match message_type {
            MessageType::TEXT | MessageType::GROUP_TEXT => String::from_utf8_lossy(body).into_owned(),
            MessageType::EDIT | MessageType::GROUP_EDIT => csp_e2e::EditMessage::decode(body).ok()?.text,
            MessageType::FILE | MessageType::GROUP_FILE => {
                let file: serde_json::Value = serde_json::from_slice(body).ok()?;
                file.get("d")?.as_str()?.to_owned()
            }
            _ => return None,
        }))
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
