//! Words in a text that stand out.

use crate::tui::theme::Role;
use std::ops::Range;

/// The text in pieces, with another style where one of the words occurs, whatever the case; the words are in lower case.
pub fn highlight(text: &str, words: &[String], plain: Role, found: Role) -> Vec<(String, Role)> {
    let mut pieces = Vec::new();
    let mut put = |part: Option<&str>, style| {
        pieces.extend(part.filter(|part| !part.is_empty()).map(|part| (part.to_owned(), style)));
    };
    let mut done = 0;
    for Range { start, end } in occurrences(text, words) {
        put(text.get(done..start), plain);
        put(text.get(start..end), found);
        done = end;
    }
    put(text.get(done..), plain);
    pieces
}

/// Where the words occur, in order and without overlaps.
fn occurrences(text: &str, words: &[String]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if words.is_empty() {
        return found;
    }
    for (start, _) in text.char_indices() {
        let is_within = found.last().is_some_and(|last| start < last.end);
        let rest = text.get(start..).unwrap_or_default();
        let longest = words.iter().filter_map(|word| begins(rest, word)).max();
        if let (false, Some(length)) = (is_within, longest) {
            found.push(start..start + length);
        }
    }
    found
}

/// The bytes of the text that the word takes at its beginning, if it stands there.
fn begins(text: &str, word: &str) -> Option<usize> {
    let mut wanted = word.chars();
    let mut taken = 0;
    for character in text.chars() {
        if wanted.as_str().is_empty() {
            break;
        }
        if character.to_lowercase().any(|lower| wanted.next() != Some(lower)) {
            return None;
        }
        taken += character.len_utf8();
    }
    (wanted.as_str().is_empty() && taken > 0).then_some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Role;

    #[test]
    fn words_stand_out_whatever_the_case_and_nothing_is_lost() {
        for (text, words, expected) in [
            ("text from ECHOECHO", &["echo"][..], "text from [ECHO][ECHO]"),
            ("text from ECHOECHO", &["text", "from echo"], "[text] [from ECHO]ECHO"),
            ("read 3 messages", &["nothing"], "read 3 messages"),
            ("Grüße, GRÜSSE", &["grü"], "[Grü]ße, [GRÜ]SSE"),
            ("İstanbul", &["i\u{307}s"], "[İs]tanbul"),
            ("端末", &["末"], "端[末]"),
            ("aaa", &["aa", "a"], "[aa][a]"),
            ("", &["a"], ""),
            ("a", &[""], "a"),
        ] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            let pieces = highlight(text, &words, Role::Text, Role::Heading);
            let mark = |(text, style): &(String, Role)| {
                if *style == Role::Heading { format!("[{text}]") } else { text.clone() }
            };
            assert_eq!(pieces.iter().map(mark).collect::<String>(), expected, "{words:?} in {text}");
        }
    }
}
