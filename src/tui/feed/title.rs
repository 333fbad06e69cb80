//! What the feed's title tells.

use super::Reading;
use crate::text::Clean;
use crate::tui::cut::cut;
use crate::tui::format;
use crate::tui::theme::Theme;
use crate::tui::view::{Piece, View};

/// The columns of what was typed.
const WORDS: usize = 32;

pub(in crate::tui) fn title(view: &View<'_>, reading: &Reading) -> Vec<Piece> {
    let feed = view.group.feed();
    let counts = feed.counts();
    let mut pieces = vec![Piece::new(format::count(counts.received), Theme::STRONG)];
    // What is left out matters more than where one is: rows that are missed must be explained.
    let (words, counts_of_them) = narrowed(view, reading);
    let is_narrowed = !words.is_empty();
    pieces.extend(words);
    pieces.extend(place(view, reading, is_narrowed));
    pieces.extend(counts_of_them);
    let outstanding = feed.outstanding() as u64;
    let notable = [
        (feed.fell_out(), "fell out", view.theme.attention()),
        (counts.undecryptable, "unreadable", view.theme.attention()),
        (counts.missing, "missing", view.theme.attention()),
        (counts.replays, "same nonce", view.theme.bad()),
        (outstanding, "not acked", Theme::PLAIN),
    ];
    for (number, word, style) in notable.into_iter().filter(|(number, ..)| *number > 0) {
        pieces.push(Piece::new(format!("{} {word}", format::count(number)), style));
    }
    pieces
}

/// Where in the feed: at its end, or at which time.
fn place(view: &View<'_>, reading: &Reading, is_narrowed: bool) -> Vec<Piece> {
    let Some((spot, row)) = reading.selected_row(view.group).filter(|_| reading.scroll.is_paused()) else {
        let following = (!is_narrowed).then(|| Piece::new("following", Theme::PLAIN));
        return following.into_iter().collect();
    };
    let at = view.clock.zone().second(row.stored_at);
    let mut pieces = vec![Piece::new(format!("paused at {at}"), view.theme.attention())];
    let unseen = reading.scroll.unseen(reading.lines(view.group));
    if unseen > 0 {
        pieces.push(Piece::new(format!("+{} new", format::count(unseen)), view.theme.attention()));
    }
    if reading.older.is_reading() {
        pieces.push(Piece::new("reading the journal…", Theme::PLAIN));
    }
    if let Some(mark) = reading.marked().filter(|mark| mark.spot != spot) {
        let apart = format::apart(mark.row.stored_at, row.stored_at);
        pieces.push(Piece::new(format!("{apart} from the mark"), Theme::PLAIN));
    }
    pieces
}

/// What is left out and what is looked for; and how much that comes to.
fn narrowed(view: &View<'_>, reading: &Reading) -> (Vec<Piece>, Vec<Piece>) {
    let shown = |count: usize, complete: bool| {
        let more = if complete { "" } else { " so far" };
        format!("{}{more}", format::count(count as u64))
    };
    let (mut pieces, mut counts) = (Vec::new(), Vec::new());
    if let Some(sieve) = &reading.filter {
        let count = shown(reading.lines(view.group).len(), sieve.is_complete(view.group));
        let words = sieve.shown();
        let words = cut(words.as_str(), WORDS);
        pieces.push(Piece::new(format!("filter: {words}"), view.theme.focus()));
        counts.push(Piece::new(format!("{count} shown"), Theme::PLAIN));
    }
    if let Some(search) = &reading.search {
        let count = shown(search.hits.matches().len(), search.hits.is_complete(view.group));
        let words = Clean::new(&search.words);
        let words = cut(words.as_str(), WORDS);
        let hits = if count == "1" { "hit" } else { "hits" };
        pieces.push(Piece::new(format!("find: {words}"), view.theme.focus()));
        counts.push(Piece::new(format!("{count} {hits}"), Theme::PLAIN));
    }
    (pieces, counts)
}
