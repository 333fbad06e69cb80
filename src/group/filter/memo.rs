//! [`Memo`]: what was found out about the values that rows share, so that it is found out once and not for every row.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::subject::Kept;
use crate::group::feed::interned::Symbol;
use crate::group::feed::packed::{Content, Packed};

/// How many sentences are remembered.
const SENTENCES: usize = 4_096;

/// Answers about one condition.
#[derive(Debug, Default)]
pub(super) struct Memo {
    symbols: Vec<Option<(u32, bool)>>,
    sentences: Vec<Option<(Wording, bool)>>,
}

/// All that the text of a row is made of; symbols with their stamps, since they may come to name something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Wording {
    content: (Content, u8),
    count: u32,
    symbols: [(Symbol, u32); 3],
}

impl Wording {
    fn of(Kept { packed, tables }: Kept<'_>) -> Self {
        let Packed { author, party, detail, .. } = *packed;
        Self {
            content: packed.wording(),
            count: packed.count,
            symbols: [
                (author, tables.authors.stamp(author)),
                (party, tables.parties.stamp(party)),
                (detail, tables.details.stamp(detail)),
            ],
        }
    }
}

impl Memo {
    /// The answer about what a symbol names.
    pub(super) fn of_symbol(&mut self, symbol: Symbol, stamp: u32, find_out: impl FnOnce() -> bool) -> bool {
        if symbol == Symbol::NONE {
            return find_out();
        }
        if self.symbols.len() <= symbol.index() {
            self.symbols.resize(symbol.index() + 1, None);
        }
        match self.symbols.get_mut(symbol.index()) {
            Some(Some((known, answer))) if *known == stamp => *answer,
            place => {
                let answer = find_out();
                if let Some(place) = place {
                    *place = Some((stamp, answer));
                }
                answer
            }
        }
    }

    /// The answer about the text of a row.
    pub(super) fn of_text(&mut self, row: Kept<'_>, find_out: impl FnOnce() -> bool) -> bool {
        // What cannot be read shares nothing.
        if row.packed.is_unreadable() {
            return find_out();
        }
        if self.sentences.is_empty() {
            self.sentences.resize(SENTENCES, None);
        }
        let wording = Wording::of(row);
        let mut hasher = DefaultHasher::new();
        wording.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % SENTENCES as u64).unwrap_or(0);
        match self.sentences.get_mut(place) {
            Some(Some((known, answer))) if *known == wording => *answer,
            place => {
                let answer = find_out();
                if let Some(place) = place {
                    *place = Some((wording, answer));
                }
                answer
            }
        }
    }
}
