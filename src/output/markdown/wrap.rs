//! Text that stands out in parts, broken into lines.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How a part of a text stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Plain,
    Strong,
    Code,
}

/// A part of a text.
#[derive(Clone, Debug)]
pub(super) struct StyledSpan {
    pub(super) text: String,
    pub(super) style: Style,
}

/// A line, and the columns that it takes.
#[derive(Debug, Default)]
pub(super) struct WrappedLine {
    parts: Vec<StyledSpan>,
    pub(super) width: usize,
}

/// Parts between two blanks.
type Word = Vec<StyledSpan>;

impl Style {
    /// What switches it on.
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("\x1b[1m"),
            Self::Code => Some("\x1b[36m"),
        }
    }
}

impl WrappedLine {
    /// The line as it is printed.
    pub(super) fn text(&self, styled: bool) -> String {
        let parts = self.parts.iter().map(|StyledSpan { text, style }| match style.code().filter(|_| styled) {
            Some(code) => format!("{code}{text}\x1b[0m"),
            None => text.clone(),
        });
        parts.collect()
    }

    fn push_word(&mut self, word: Word) {
        // A blank between two words that stand out alike is part of what stands out.
        let before = self.parts.last().map(|part| part.style);
        if let (Some(before), Some(first)) = (before, word.first()) {
            self.push(StyledSpan {
                text: " ".to_owned(),
                style: if before == first.style { before } else { Style::Plain },
            });
        }
        for part in word {
            self.push(part);
        }
    }

    fn push(&mut self, part: StyledSpan) {
        self.width += part.text.width();
        match self.parts.last_mut().filter(|last| last.style == part.style) {
            Some(last) => last.text.push_str(&part.text),
            None => self.parts.push(part),
        }
    }
}

/// Breaks the text into lines of at most so many columns.
pub(super) fn wrap(spans: &[StyledSpan], columns: usize) -> Vec<WrappedLine> {
    let mut lines = Vec::new();
    let mut line = WrappedLine::default();
    for word in words(spans).into_iter().flat_map(|word| cut(word, columns)) {
        if line.width > 0 && line.width + 1 + width(&word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        line.push_word(word);
    }
    lines.push(line);
    lines
}

/// The columns that the text takes if it is not broken.
pub(super) fn natural_width(spans: &[StyledSpan]) -> usize {
    let words = words(spans);
    words.iter().map(|word| width(word) + 1).sum::<usize>().saturating_sub(1)
}

/// The columns of the longest word.
pub(super) fn longest_word(spans: &[StyledSpan]) -> usize {
    words(spans).iter().map(|word| width(word)).max().unwrap_or(0)
}

fn width(word: &[StyledSpan]) -> usize {
    word.iter().map(|part| part.text.width()).sum()
}

fn words(spans: &[StyledSpan]) -> Vec<Word> {
    let mut words = vec![Word::new()];
    for StyledSpan { text, style } in spans {
        for (index, piece) in text.split(char::is_whitespace).enumerate() {
            if index > 0 {
                words.push(Word::new());
            }
            if let (Some(word), false) = (words.last_mut(), piece.is_empty()) {
                word.push(StyledSpan { text: piece.to_owned(), style: *style });
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A word that is wider than the column, in pieces that are not.
fn cut(word: Word, columns: usize) -> Vec<Word> {
    if width(&word) <= columns {
        return vec![word];
    }
    let mut pieces = Vec::new();
    let mut piece = Word::new();
    for StyledSpan { text, style } in word {
        for character in text.chars() {
            if width(&piece) + character.width().unwrap_or(0) > columns {
                pieces.push(std::mem::take(&mut piece));
            }
            match piece.last_mut().filter(|last| last.style == style) {
                Some(last) => last.text.push(character),
                None => piece.push(StyledSpan { text: character.to_string(), style }),
            }
        }
    }
    pieces.push(piece);
    pieces
}
