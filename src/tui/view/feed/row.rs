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
use crate::tui::draw::text_width::Align::{Left, Right};
use crate::tui::format;
use crate::tui::state::feed::Reading;
use crate::tui::state::feed::rows::Spot;
use crate::tui::theme::{ATTENTION, HIT, IN_JOURNAL, INCOMING, MARKED, OUTGOING, SELECTED, SYNC, Theme, UNKNOWN};
use crate::tui::view::feed::highlight::highlight;

/// How many rows a place of this height shows.
pub const fn rows_in(height: u16) -> u16 {
    if has_heading(height) { height - 1 } else { height }
}

const fn has_heading(height: u16) -> bool {
    height >= 4
}

pub fn draw(buffer: &mut Buffer, area: Rect, view: &View<'_>, reading: &Reading, focused: bool) {
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
    let selected = if focused || scroll.is_paused() { scroll.selected(lines) } else { None };
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
