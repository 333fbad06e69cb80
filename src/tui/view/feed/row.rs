//! Rows as lines with columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::group::Row;
use crate::protocol::DeviceId;
use crate::protocol::d2d::{Conversation, Direction};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::format;
use crate::tui::input::pane::Pane;
use crate::tui::state::Ui;
use crate::tui::state::feed::FeedState;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::{ATTENTION, HIT, IN_JOURNAL, INCOMING, MARKED, OUTGOING, SELECTED, SYNC, UNKNOWN};
use crate::tui::view::feed::columns::{FeedColumns, RowText};
use crate::tui::view::feed::highlight::highlight;

/// How many rows a place of this height shows.
pub const fn rows_in(height: u16) -> u16 {
    if has_heading(height) { height - 1 } else { height }
}

const fn has_heading(height: u16) -> bool {
    height >= 4
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, ui: &Ui) {
    let feed_state = &ui.feed_state;
    let lines = feed_state.lines(ctx.group);
    let columns = FeedColumns::that_fit(usize::from(area.width));
    let mut run = TextRun::new(buffer, area, ctx.theme);
    if has_heading(area.height) {
        columns.put(&mut run, &heading(&columns));
    }
    if lines.len() == 0 {
        run.gap(1).text(feed_state.why_empty(ctx.group), Role::Quiet);
        return;
    }
    let scroll = feed_state.scroll;
    let selected = if ui.focus == Pane::Feed || scroll.is_paused() { scroll.selected(lines) } else { None };
    for (spot, row) in lines.from(scroll.top(lines), usize::from(rows_in(area.height))) {
        let cells = cells(ctx, feed_state, spot, &row, &columns, selected == Some(spot));
        columns.put(&mut run, &cells);
    }
}

fn heading(columns: &FeedColumns) -> RowText {
    RowText {
        mark: (" ", Role::Quiet),
        id: "id".to_owned(),
        stored: "stored".to_owned(),
        from: if columns.from > 2 { "from" } else { "by" }.to_owned(),
        what: vec![("what".to_owned(), Role::Quiet)],
        conversation: "conversation".to_owned(),
        size: "size".to_owned(),
        age: "age".to_owned(),
        ack: ("ack".to_owned(), Role::Quiet),
        style: Role::Quiet,
    }
}

fn cells(
    ctx: &FrameContext<'_>,
    feed_state: &FeedState,
    spot: RowKey,
    row: &Row,
    columns: &FeedColumns,
    selected: bool,
) -> RowText {
    let zone = ctx.clock.zone();
    let in_journal = matches!(spot, RowKey::Journal(_));
    let hit = feed_state.hit(row, ctx.group);
    let mark = match () {
        () if selected => (SELECTED, Role::Focus),
        () if feed_state.is_marked(spot) => (MARKED, Role::Attention),
        () if hit.is_some() => (HIT, Role::Focus),
        () if in_journal => (IN_JOURNAL, Role::Quiet),
        () => (" ", Role::Plain),
    };
    let plain = if in_journal { Role::Quiet } else { Role::Plain };
    RowText {
        mark,
        id: row.id.0.to_string(),
        stored: if columns.stored > 8 { zone.hundredth(row.stored_at) } else { zone.second(row.stored_at) },
        from: row.author().map_or_else(|| UNKNOWN.to_owned(), |author| from(ctx, author, columns.from)),
        what: what(ctx, row, if selected { Role::Strong } else { plain }, hit.unwrap_or_default()),
        conversation: row.conversation().map(conversation).unwrap_or_default(),
        size: format::size(row.size),
        age: format::span(ctx.group.age(row.stored_at, row.received_at)),
        ack: ack(row, in_journal),
        style: if selected { Role::Strong } else { plain },
    }
}

/// The author's label, or its first letter where there is room for no more.
fn from(ctx: &FrameContext<'_>, author: DeviceId, columns: usize) -> String {
    let label = ctx.label(author);
    let text = if columns > 2 { label.as_str() } else { label.as_str().graphemes(true).next().unwrap_or(UNKNOWN) };
    text.to_owned()
}

/// The direction, what is unusual, and the sentence, in which the words that are looked for stand out.
fn what(ctx: &FrameContext<'_>, row: &Row, style: Role, words: &[String]) -> Vec<(String, Role)> {
    let glyph = match row.direction() {
        Some(Direction::Incoming) => (INCOMING, Role::Quiet),
        Some(Direction::Outgoing) => (OUTGOING, Role::Quiet),
        Some(Direction::Sync) => (SYNC, Role::Quiet),
        None => (ATTENTION, Role::Attention),
    };
    let mut what = vec![(format!("{} ", glyph.0), glyph.1)];
    if row.marks.repeated_nonce {
        what.push(("same nonce: ".to_owned(), Role::Bad));
    }
    if row.marks.gap.is_some() {
        what.push(("gap before: ".to_owned(), Role::Attention));
    }
    if row.marks.redelivered {
        what.push(("again: ".to_owned(), Role::Focus));
    }
    let style = if row.content.is_err() { Role::Attention } else { style };
    what.extend(highlight(ctx.sentence(row).as_str(), words, style, Role::Found));
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

fn ack(row: &Row, in_journal: bool) -> (String, Role) {
    match row.acknowledged_after {
        Some(waited) => (format::span(waited), if in_journal { Role::Quiet } else { Role::Plain }),
        None if row.marks.ephemeral => ("ephem.".to_owned(), Role::Quiet),
        None if in_journal => (UNKNOWN.to_owned(), Role::Quiet),
        None => ("not yet".to_owned(), Role::Attention),
    }
}
