//! What the feed's title tells.

use crate::group::JournalState;
use crate::text::Clean;
use crate::tui::context::View;
use crate::tui::format;
use crate::tui::state::Ui;
use crate::tui::state::feed::Reading;
use crate::tui::state::feed::row_key::Spot;
use crate::tui::theme::Role;
use crate::tui::view::Piece;

pub fn title(view: &View<'_>, ui: &Ui) -> Vec<Piece> {
    let reading = &ui.reading;
    let feed = view.group.feed();
    let counts = feed.counts();
    let mut pieces = vec![Piece::new(format::count(counts.received), Role::Strong)];
    // That rows are left out comes first: rows that are missed must be explained. What was typed comes after all that is
    // short.
    pieces.extend(numbers(view, reading));
    pieces.extend(place(view, reading));
    pieces.extend(words(reading));
    if reading.filter.is_none() && reading.older.has_rows() {
        let count = format::count(reading.older.len() as u64);
        pieces.push(Piece::new(format!("{count} from the journal"), Role::Plain));
    }
    let keeps = *view.group.journal() == JournalState::Keeps;
    let gone = if keeps { 0 } else { feed.fell_out() };
    let outstanding = feed.outstanding() as u64;
    let notable = [
        (gone, "older rows gone", Role::Attention),
        (counts.undecryptable, "unreadable", Role::Attention),
        (counts.missing, "missing", Role::Attention),
        (counts.replays, "same nonce", Role::Bad),
        (outstanding, "not acked", Role::Plain),
    ];
    for (number, word, style) in notable.into_iter().filter(|(number, ..)| *number > 0) {
        pieces.push(Piece::new(format!("{} {word}", format::count(number)), style));
    }
    if keeps && feed.fell_out() > 0 && !reading.older.has_rows() {
        pieces.push(Piece::new("older rows: journal", Role::Quiet));
    }
    pieces
}

/// How many rows are shown and hit, if those are not all.
fn numbers(view: &View<'_>, reading: &Reading) -> Vec<Piece> {
    let number = |count: usize, is_complete: bool| {
        let more = if is_complete { "" } else { " so far" };
        format!("{}{more}", format::count(count as u64))
    };
    let mut pieces = Vec::new();
    if let Some(sieve) = &reading.filter {
        let count = number(reading.lines(view.group).len(), sieve.is_complete(view.group));
        pieces.push(Piece::new(format!("filter: {count}"), Role::Plain));
    }
    if let Some(search) = &reading.search {
        let count = number(search.count(), search.hits.is_complete(view.group));
        let hits = if count == "1" { "hit" } else { "hits" };
        pieces.push(Piece::new(format!("{count} {hits}"), Role::Plain));
    }
    pieces
}

/// Where in the feed: at its end, or at which time.
fn place(view: &View<'_>, reading: &Reading) -> Vec<Piece> {
    let Some((spot, row)) = reading.selected_row(view.group).filter(|_| reading.scroll.is_paused()) else {
        let is_narrowed = reading.filter.is_some() || reading.search.is_some();
        let following = (!is_narrowed).then(|| Piece::new("following", Role::Plain));
        return following.into_iter().collect();
    };
    let at = if reading.scroll.has_slid() {
        "paused at the oldest row".to_owned()
    } else {
        format!("paused at {}", view.clock.zone().second(row.stored_at))
    };
    let mut pieces = vec![Piece::new(at, Role::Attention)];
    if matches!(spot, Spot::Journal(_)) {
        pieces.push(Piece::joined("journal", Role::Attention));
    }
    let unseen = reading.scroll.unseen(reading.lines(view.group));
    if unseen > 0 {
        pieces.push(Piece::new(format!("+{} new", format::count(unseen)), Role::Attention));
    }
    if reading.older.is_reading() {
        pieces.push(Piece::new("reading the journal…", Role::Plain));
    }
    if let Some(mark) = reading.marked().filter(|mark| mark.spot != spot) {
        let apart = format::apart(mark.row.stored_at, row.stored_at);
        pieces.push(Piece::new(format!("{apart} from the mark"), Role::Plain));
    }
    pieces
}

/// What was typed.
fn words(reading: &Reading) -> Vec<Piece> {
    let filter = reading.filter.as_ref().map(|sieve| ("filter", sieve.shown()));
    let search = reading.search.as_ref().map(|search| ("find", Clean::new(&search.words)));
    let both = filter.into_iter().chain(search);
    both.map(|(name, words)| Piece::words(format!("{name}: {words}"), Role::Focus)).collect()
}
