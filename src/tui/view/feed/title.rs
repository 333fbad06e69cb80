//! What the feed's title tells.

use crate::group::JournalState;
use crate::output::figures;
use crate::text::Clean;
use crate::tui::context::FrameContext;
use crate::tui::state::Ui;
use crate::tui::state::feed::FeedState;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::theme::Role;
use crate::tui::view::TitlePart;

pub fn title(ctx: &FrameContext<'_>, ui: &Ui) -> Vec<TitlePart> {
    let feed_state = &ui.feed_state;
    let feed = ctx.group.feed();
    let counts = feed.counts();
    let mut pieces = vec![TitlePart::new(figure(ctx, feed_state), Role::Heading)];
    // That rows are left out comes first: rows that are missed must be explained. What was typed comes after all that is
    // short.
    pieces.extend(numbers(ctx, feed_state));
    pieces.extend(place(ctx, feed_state));
    pieces.extend(words(feed_state));
    if feed_state.filter.is_none() && feed_state.older.has_rows() {
        let count = figures::count(feed_state.older.len() as u64);
        pieces.push(TitlePart::new(format!("{count} from the journal"), Role::Text));
    }
    let keeps = *ctx.group.journal() == JournalState::Keeps;
    let gone = if keeps { 0 } else { feed.fell_out() };
    let outstanding = feed.outstanding() as u64;
    let notable = [
        (gone, "older rows gone", Role::Notice),
        (counts.undecryptable, "unreadable", Role::Notice),
        (counts.missing, "missing", Role::Notice),
        (counts.replays, "same nonce", Role::Alarm),
        (outstanding, "not acked", Role::Text),
    ];
    for (number, word, style) in notable.into_iter().filter(|(number, ..)| *number > 0) {
        pieces.push(TitlePart::new(format!("{} {word}", figures::count(number)), style));
    }
    if keeps && feed.fell_out() > 0 && !feed_state.older.has_rows() {
        pieces.push(TitlePart::new("older rows: journal", Role::Muted));
    }
    pieces
}

/// `1,203`, or `48 of 1,203` if not all are shown.
fn figure(ctx: &FrameContext<'_>, feed_state: &FeedState) -> String {
    let received = figures::count(ctx.group.feed().counts().received);
    match &feed_state.filter {
        Some(sieve) => {
            let shown = number(feed_state.lines(ctx.group).len(), sieve.is_complete(ctx.group));
            format!("{shown} of {received}")
        }
        None => received,
    }
}

fn number(count: usize, is_complete: bool) -> String {
    let more = if is_complete { "" } else { " so far" };
    format!("{}{more}", figures::count(count as u64))
}

/// How many rows are hit.
fn numbers(ctx: &FrameContext<'_>, feed_state: &FeedState) -> Vec<TitlePart> {
    let mut pieces = Vec::new();
    if let Some(search) = &feed_state.search {
        let count = number(search.count(), search.hits.is_complete(ctx.group));
        let hits = if count == "1" { "hit" } else { "hits" };
        pieces.push(TitlePart::new(format!("{count} {hits}"), Role::Text));
    }
    pieces
}

/// Where in the feed: at its end, or at which time.
fn place(ctx: &FrameContext<'_>, feed_state: &FeedState) -> Vec<TitlePart> {
    let Some((spot, row)) = feed_state.selected_row(ctx.group).filter(|_| feed_state.scroll.is_paused()) else {
        let is_narrowed = feed_state.filter.is_some() || feed_state.search.is_some();
        let following = (!is_narrowed).then(|| TitlePart::new("following", Role::Text));
        return following.into_iter().collect();
    };
    let at = if feed_state.scroll.has_slid() {
        "paused at the oldest row".to_owned()
    } else {
        format!("paused at {}", ctx.clock.zone().second(row.stored_at))
    };
    let mut pieces = vec![TitlePart::new(at, Role::Notice)];
    if matches!(spot, RowKey::Journal(_)) {
        pieces.push(TitlePart::joined("journal", Role::Notice));
    }
    let unseen = feed_state.scroll.unseen(feed_state.lines(ctx.group));
    if unseen > 0 {
        pieces.push(TitlePart::new(format!("+{} new", figures::count(unseen)), Role::Notice));
    }
    if feed_state.older.is_reading() {
        pieces.push(TitlePart::new("reading the journal…", Role::Text));
    }
    if let Some(mark) = feed_state.marked().filter(|mark| mark.spot != spot) {
        let apart = figures::apart(mark.row.stored_at, row.stored_at);
        pieces.push(TitlePart::new(format!("{apart} from the mark"), Role::Text));
    }
    pieces
}

/// What was typed.
fn words(feed_state: &FeedState) -> Vec<TitlePart> {
    let filter = feed_state.filter.as_ref().map(|sieve| ("filter", sieve.shown()));
    let search = feed_state.search.as_ref().map(|search| ("find", Clean::new(&search.words)));
    let both = filter.into_iter().chain(search);
    both.map(|(name, words)| TitlePart::words(format!("{name} {words}"), Role::Accent)).collect()
}
