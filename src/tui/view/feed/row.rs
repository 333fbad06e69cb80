//! Rows as lines with columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::group::Row;
use crate::protocol::DeviceId;
use crate::protocol::d2d::{Conversation, Direction};
use crate::tui::context::View;
use crate::tui::draw::text_run::Pen;
use crate::tui::format;
use crate::tui::input::pane::Pane;
use crate::tui::state::Ui;
use crate::tui::state::feed::Reading;
use crate::tui::state::feed::row_key::Spot;
use crate::tui::theme::{ATTENTION, HIT, IN_JOURNAL, INCOMING, MARKED, OUTGOING, SELECTED, SYNC, Theme, UNKNOWN};
use crate::tui::view::feed::columns::{Cells, Columns};
use crate::tui::view::feed::highlight::highlight;

/// How many rows a place of this height shows.
pub const fn rows_in(height: u16) -> u16 {
    if has_heading(height) { height - 1 } else { height }
}

const fn has_heading(height: u16) -> bool {
    height >= 4
}

pub fn draw(buffer: &mut Buffer, area: Rect, view: &View<'_>, ui: &Ui) {
    let reading = &ui.reading;
    let lines = reading.lines(view.group);
    let columns = Columns::that_fit(usize::from(area.width));
    let mut pen = Pen::new(buffer, area);
    if has_heading(area.height) {
        columns.put(&mut pen, &heading(&columns));
    }
    if lines.len() == 0 {
        pen.gap(1).text(reading.why_empty(view.group), Theme::QUIET);
        return;
    }
    let scroll = reading.scroll;
    let selected = if ui.focus == Pane::Feed || scroll.is_paused() { scroll.selected(lines) } else { None };
    for (spot, row) in lines.from(scroll.top(lines), usize::from(rows_in(area.height))) {
        let cells = cells(view, reading, spot, &row, &columns, selected == Some(spot));
        columns.put(&mut pen, &cells);
    }
}

fn heading(columns: &Columns) -> Cells {
    Cells {
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
    }
}

fn cells(view: &View<'_>, reading: &Reading, spot: Spot, row: &Row, columns: &Columns, selected: bool) -> Cells {
    let zone = view.clock.zone();
    let in_journal = matches!(spot, Spot::Journal(_));
    let hit = reading.hit(row, view.group);
    let mark = match () {
        () if selected => (SELECTED, view.theme.focus()),
        () if reading.is_marked(spot) => (MARKED, view.theme.attention()),
        () if hit.is_some() => (HIT, view.theme.focus()),
        () if in_journal => (IN_JOURNAL, Theme::QUIET),
        () => (" ", Theme::PLAIN),
    };
    let plain = if in_journal { Theme::QUIET } else { Theme::PLAIN };
    Cells {
        mark,
        id: row.id.0.to_string(),
        stored: if columns.stored > 8 { zone.hundredth(row.stored_at) } else { zone.second(row.stored_at) },
        from: row.author().map_or_else(|| UNKNOWN.to_owned(), |author| from(view, author, columns.from)),
        what: what(view, row, if selected { Theme::STRONG } else { plain }, hit.unwrap_or_default()),
        conversation: row.conversation().map(conversation).unwrap_or_default(),
        size: format::size(row.size),
        age: format::span(view.group.age(row.stored_at, row.received_at)),
        ack: ack(view, row, in_journal),
        style: if selected { Theme::STRONG } else { plain },
    }
}

/// The author's label, or its first letter where there is room for no more.
fn from(view: &View<'_>, author: DeviceId, columns: usize) -> String {
    let label = view.label(author);
    let text = if columns > 2 { label.as_str() } else { label.as_str().graphemes(true).next().unwrap_or(UNKNOWN) };
    text.to_owned()
}

/// The direction, what is unusual, and the sentence, in which the words that are looked for stand out.
fn what(view: &View<'_>, row: &Row, style: Style, words: &[String]) -> Vec<(String, Style)> {
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
    if row.marks.gap.is_some() {
        what.push(("gap before: ".to_owned(), view.theme.attention()));
    }
    if row.marks.redelivered {
        what.push(("again: ".to_owned(), view.theme.focus()));
    }
    let style = if row.content.is_err() { view.theme.attention() } else { style };
    what.extend(highlight(view.sentence(row).as_str(), words, style, view.theme.found()));
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

fn ack(view: &View<'_>, row: &Row, in_journal: bool) -> (String, Style) {
    match row.acknowledged_after {
        Some(waited) => (format::span(waited), if in_journal { Theme::QUIET } else { Theme::PLAIN }),
        None if row.marks.ephemeral => ("ephem.".to_owned(), Theme::QUIET),
        None if in_journal => (UNKNOWN.to_owned(), Theme::QUIET),
        None => ("not yet".to_owned(), view.theme.attention()),
    }
}
