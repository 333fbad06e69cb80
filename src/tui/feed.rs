//! What was reflected, newest last. Only the rows in sight are read, so the cost of a frame does not depend on how many
//! there are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::cut::Align::{Left, Right};
use super::format;
use super::pen::Pen;
use super::theme::{ATTENTION, INCOMING, OUTGOING, SELECTED, SYNC, Theme, UNKNOWN};
use super::view::{Piece, View};
use crate::group::{Feed, Row};
use crate::protocol::DeviceId;
use crate::protocol::d2d::{Conversation, Direction};

/// What part of the feed is in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scroll {
    /// Where it stands still; [`None`] follows the newest row.
    paused: Option<Paused>,
    /// How many rows were in sight last.
    rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Paused {
    /// The selected row.
    at: u64,
    /// The first row in sight.
    top: u64,
    /// One more than the newest row when it was paused.
    seen: u64,
}

impl Scroll {
    /// Remembers how many rows are in sight.
    pub(super) const fn show(&mut self, rows: u16) {
        self.rows = rows as u64;
    }

    pub(super) const fn page(self) -> u64 {
        self.rows
    }

    pub(super) const fn is_paused(self) -> bool {
        self.paused.is_some()
    }

    /// The selected row; the newest while following.
    pub(super) fn selected(self, feed: &Feed) -> Option<u64> {
        let newest = feed.end().checked_sub(1).filter(|_| !feed.is_empty())?;
        Some(self.paused.map_or(newest, |paused| paused.at.clamp(feed.first(), newest)))
    }

    fn top(self, feed: &Feed) -> u64 {
        let tail = feed.end().saturating_sub(self.rows);
        self.paused.map_or(tail, |paused| paused.top.min(tail)).max(feed.first())
    }

    /// How many rows came since it was paused.
    fn unseen(self, feed: &Feed) -> u64 {
        self.paused.map_or(0, |paused| feed.end().saturating_sub(paused.seen))
    }

    pub(super) const fn follow(&mut self) {
        self.paused = None;
    }

    pub(super) fn pause(&mut self, feed: &Feed) {
        if let (None, Some(at)) = (self.paused, self.selected(feed)) {
            self.paused = Some(Paused { at, top: self.top(feed), seen: feed.end() });
        }
    }

    pub(super) fn up(&mut self, feed: &Feed, by: u64) {
        self.pause(feed);
        let (rows, top) = (self.rows, self.top(feed));
        if let (Some(at), Some(paused)) = (self.selected(feed), &mut self.paused) {
            paused.at = at.saturating_sub(by).max(feed.first());
            paused.top = in_sight(top, paused.at, rows);
        }
    }

    /// Going beyond the newest row follows again.
    pub(super) fn down(&mut self, feed: &Feed, by: u64) {
        let (rows, top) = (self.rows, self.top(feed));
        if let (Some(at), Some(paused)) = (self.selected(feed), &mut self.paused) {
            if at.saturating_add(by) >= feed.end() {
                self.paused = None;
                return;
            }
            paused.at = at + by;
            paused.top = in_sight(top, paused.at, rows);
        }
    }
}

/// The first row in sight such that `at` is, moved as little as possible.
fn in_sight(top: u64, at: u64, rows: u64) -> u64 {
    top.min(at).max((at + 1).saturating_sub(rows.max(1)))
}

pub(super) fn title(view: &View<'_>, scroll: Scroll) -> Vec<Piece> {
    let feed = view.group.feed();
    let counts = feed.counts();
    let mut pieces = vec![Piece::new(format::count(counts.received), Theme::STRONG)];
    match scroll.selected(feed).and_then(|at| feed.get(at)) {
        Some(row) if scroll.is_paused() => {
            let at = view.clock.zone().second(row.stored_at);
            pieces.push(Piece::new(format!("paused at {at}"), view.theme.attention()));
            let unseen = scroll.unseen(feed);
            if unseen > 0 {
                pieces.push(Piece::new(format!("+{} new", format::count(unseen)), view.theme.attention()));
            }
        }
        _ => pieces.push(Piece::new("following", Theme::PLAIN)),
    }
    let outstanding = feed.outstanding() as u64;
    let notable = [
        (feed.fell_out(), "fell out", view.theme.attention()),
        (counts.undecryptable, "unreadable", view.theme.attention()),
        (counts.replays, "same nonce", view.theme.bad()),
        (outstanding, "not acked", Theme::PLAIN),
    ];
    for (number, word, style) in notable.into_iter().filter(|(number, ..)| *number > 0) {
        pieces.push(Piece::new(format!("{} {word}", format::count(number)), style));
    }
    pieces
}

/// How many rows a place of this height shows.
pub(super) const fn rows_in(height: u16) -> u16 {
    if has_heading(height) { height - 1 } else { height }
}

const fn has_heading(height: u16) -> bool {
    height >= 4
}

pub(super) fn draw(buffer: &mut Buffer, area: Rect, view: &View<'_>, scroll: Scroll, focused: bool) {
    let feed = view.group.feed();
    let columns = Columns::that_fit(usize::from(area.width));
    let mut pen = Pen::new(buffer, area);
    if has_heading(area.height) {
        let heading = Cells {
            mark: (" ", Theme::QUIET),
            id: "id".to_owned(),
            stored: "stored".to_owned(),
            from: if columns.from > 2 { "from" } else { "by" }.to_owned(),
            what: vec![("what".to_owned(), Theme::QUIET)],
            conversation: "conversation".to_owned(),
            size: "size".to_owned(),
            age: "age".to_owned(),
            ack: ("ack".to_owned(), Theme::QUIET),
            style: Theme::QUIET,
        };
        columns.put(&mut pen, &heading);
    }
    if feed.is_empty() {
        pen.gap(1).text("nothing was reflected yet", Theme::QUIET);
        return;
    }
    let selected = if focused || scroll.is_paused() { scroll.selected(feed) } else { None };
    for (number, row) in feed.rows_from(scroll.top(feed), usize::from(rows_in(area.height))) {
        let cells = cells(view, &row, &columns, selected == Some(number));
        columns.put(&mut pen, &cells);
    }
}

/// One row, as text.
struct Cells {
    mark: (&'static str, Style),
    id: String,
    stored: String,
    from: String,
    what: Vec<(String, Style)>,
    conversation: String,
    size: String,
    age: String,
    ack: (String, Style),
    style: Style,
}

fn cells(view: &View<'_>, row: &Row, columns: &Columns, selected: bool) -> Cells {
    let zone = view.clock.zone();
    Cells {
        mark: (if selected { SELECTED } else { " " }, view.theme.focus()),
        id: row.id.0.to_string(),
        stored: if columns.stored > 8 { zone.hundredth(row.stored_at) } else { zone.second(row.stored_at) },
        from: row.author().map_or_else(|| UNKNOWN.to_owned(), |author| from(view, author, columns.from)),
        what: what(view, row, selected),
        conversation: row.conversation().map(conversation).unwrap_or_default(),
        size: format::size(row.size),
        age: format::span(view.group.age(row.stored_at, row.received_at)),
        ack: ack(view, row),
        style: if selected { Theme::STRONG } else { Theme::PLAIN },
    }
}

/// The author's label, or its first letter where there is room for no more.
fn from(view: &View<'_>, author: DeviceId, columns: usize) -> String {
    let label = view.label(author);
    let text = if columns > 2 { label.as_str() } else { label.as_str().graphemes(true).next().unwrap_or(UNKNOWN) };
    text.to_owned()
}

/// The direction, what is unusual, and the sentence.
fn what(view: &View<'_>, row: &Row, selected: bool) -> Vec<(String, Style)> {
    let style = if selected { Theme::STRONG } else { Theme::PLAIN };
    let glyph = match row.direction() {
        Some(Direction::Incoming) => (INCOMING, Theme::QUIET),
        Some(Direction::Outgoing) => (OUTGOING, Theme::QUIET),
        Some(Direction::Sync) => (SYNC, Theme::QUIET),
        None => (ATTENTION, view.theme.attention()),
    };
    let mut what = vec![(format!("{} ", glyph.0), glyph.1)];
    if row.marks.repeated_nonce {
        what.push(("same nonce: ".to_owned(), view.theme.bad()));
    }
    if row.marks.redelivered {
        what.push(("again: ".to_owned(), view.theme.focus()));
    }
    what.push((
        row.sentence(view.group.names()).to_string(),
        if row.content.is_err() { view.theme.attention() } else { style },
    ));
    what
}

/// The group's creator tells groups with the same id apart; a contact stands in the sentence already.
fn conversation(conversation: &Conversation) -> String {
    match conversation {
        Conversation::Contact(identity) => identity.to_string(),
        Conversation::Group { id, creator } => format!("{creator}/{id}"),
        Conversation::DistributionList(id) => format!("list {id}"),
    }
}

fn ack(view: &View<'_>, row: &Row) -> (String, Style) {
    match row.acknowledged_after {
        Some(waited) => (format::span(waited), Theme::PLAIN),
        None if row.marks.ephemeral => ("ephem.".to_owned(), Theme::QUIET),
        None => ("not yet".to_owned(), view.theme.attention()),
    }
}

/// The columns, by their widths; 0 is left out. As the width shrinks they leave in this order: conversation, id, age, size,
/// the fraction of the time, the author down to a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    id: usize,
    stored: usize,
    from: usize,
    what: usize,
    conversation: usize,
    size: usize,
    age: usize,
    ack: usize,
}

impl Columns {
    /// What the sentence should have before other columns may stay.
    const WHAT: usize = 30;

    fn that_fit(width: usize) -> Self {
        let mut columns = Self { id: 10, stored: 11, from: 14, what: 0, conversation: 25, size: 8, age: 6, ack: 7 };
        let steps: [fn(&mut Self); 7] = [
            |columns| columns.conversation = 0,
            |columns| columns.id = 0,
            |columns| columns.from = 11,
            |columns| columns.age = 0,
            |columns| columns.size = 0,
            |columns| columns.stored = 8,
            |columns| columns.from = 2,
        ];
        for step in steps {
            if width >= columns.taken() + Self::WHAT {
                break;
            }
            step(&mut columns);
        }
        columns.what = width.saturating_sub(columns.taken());
        columns
    }

    /// All but the sentence, with a column between each two and one for the mark.
    fn taken(&self) -> usize {
        let others = [self.id, self.stored, self.from, self.conversation, self.size, self.age, self.ack];
        1 + others.into_iter().filter(|width| *width > 0).map(|width| width + 1).sum::<usize>()
    }

    fn put(&self, pen: &mut Pen<'_>, cells: &Cells) {
        pen.text(cells.mark.0, cells.mark.1);
        let before = [(&cells.id, self.id, Right), (&cells.stored, self.stored, Left), (&cells.from, self.from, Left)];
        for (text, width, align) in before.into_iter().filter(|(_, width, _)| *width > 0) {
            pen.column(text, width, align, cells.style).gap(1);
        }
        pen.spans(&cells.what, self.what);
        let after = [
            (&cells.conversation, self.conversation, Left, Theme::QUIET),
            (&cells.size, self.size, Right, cells.style),
            (&cells.age, self.age, Right, cells.style),
            (&cells.ack.0, self.ack, Right, cells.ack.1),
        ];
        for (text, width, align, style) in after.into_iter().filter(|(_, width, ..)| *width > 0) {
            pen.gap(1).column(text, width, align, style);
        }
        pen.next_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_in_a_fixed_order() {
        let at = |width| Columns::that_fit(width);
        let shown = |width| {
            let columns = at(width);
            [columns.conversation, columns.id, columns.age, columns.size, columns.stored, columns.from, columns.what]
        };
        assert_eq!(shown(120), [25, 10, 6, 8, 11, 14, 31]);
        assert_eq!(shown(106), [0, 10, 6, 8, 11, 14, 43]);
        assert_eq!(shown(80), [0, 0, 6, 8, 11, 11, 31]);
        assert_eq!(shown(73), [0, 0, 0, 8, 11, 11, 31]);
        assert_eq!(shown(70), [0, 0, 0, 0, 11, 11, 37]);
        assert_eq!(shown(60), [0, 0, 0, 0, 8, 11, 30]);
        assert_eq!(shown(54), [0, 0, 0, 0, 8, 2, 33]);
        assert_eq!(shown(40), [0, 0, 0, 0, 8, 2, 19]);
        for width in 0..200 {
            let columns = at(width);
            assert!(columns.what == 0 || columns.taken() + columns.what == width);
        }
    }
}
