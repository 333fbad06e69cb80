//! Rows as lines with columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::group::FeedRow;
use crate::output::figures;
use crate::protocol::DeviceId;
use crate::protocol::d2d::{Conversation, Direction};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::pane::Pane;
use crate::tui::preferences::Thresholds;
use crate::tui::state::Ui;
use crate::tui::state::click::ClickTarget;
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
    let columns = FeedColumns::for_user(usize::from(area.width), ctx);
    let mut run = TextRun::new(buffer, area, ctx.theme);
    if has_heading(area.height) {
        columns.put(&mut run, &heading(&columns));
    }
    if lines.len() == 0 {
        run.gap(1).text(&ctx.keyed(feed_state.why_empty(ctx.group)), Role::Muted);
        return;
    }
    let scroll = feed_state.scroll;
    let selected = if ui.focus == Pane::Feed || scroll.is_paused() { scroll.selected(lines) } else { None };
    for (spot, row) in lines.from(scroll.top(lines), usize::from(rows_in(area.height))) {
        let cells = cells(ctx, feed_state, spot, &row, &columns, selected == Some(spot));
        ctx.mark(run.line(), ClickTarget::Row(spot));
        columns.put(&mut run, &cells);
    }
}

fn heading(columns: &FeedColumns) -> RowText {
    RowText {
        mark: (" ", Role::Muted),
        id: "id".to_owned(),
        stored: "stored".to_owned(),
        from: (if columns.from > 2 { "from" } else { "by" }.to_owned(), Role::Muted),
        what: vec![("what".to_owned(), Role::Muted)],
        conversation: "conversation".to_owned(),
        size: "size".to_owned(),
        age: ("waited".to_owned(), Role::Muted),
        ack: ("ack".to_owned(), Role::Muted),
        selected: false,
    }
}

fn cells(
    ctx: &FrameContext<'_>,
    feed_state: &FeedState,
    spot: RowKey,
    row: &FeedRow,
    columns: &FeedColumns,
    selected: bool,
) -> RowText {
    let in_journal = matches!(spot, RowKey::Journal(_));
    let hit = feed_state.hit(row, ctx.group);
    let mark = match () {
        () if selected => (SELECTED, Role::Accent),
        () if feed_state.is_marked(spot) => (MARKED, Role::Notice),
        () if hit.is_some() => (HIT, Role::Accent),
        () if in_journal => (IN_JOURNAL, Role::Muted),
        () => (" ", Role::Text),
    };
    let waited = ctx.group.age(row.stored_at, row.received_at);
    let thresholds = &ctx.settings.preferences.thresholds;
    RowText {
        mark,
        id: row.id.0.to_string(),
        stored: stored(ctx, row, columns),
        from: row.author().map_or_else(
            || (UNKNOWN.to_owned(), Role::Muted),
            |author| (from(ctx, author, columns.from), ctx.device_role(author)),
        ),
        what: what(ctx, row, in_journal, hit.unwrap_or_default()),
        conversation: row.conversation().map(conversation).unwrap_or_default(),
        size: figures::precise_size(row.size),
        age: (figures::span(waited), thresholds.waited.role(waited)),
        ack: ack(row, in_journal, thresholds),
        selected,
    }
}

/// The time as the user wants it, or with hundredths where there is room for them.
fn stored(ctx: &FrameContext<'_>, row: &FeedRow, columns: &FeedColumns) -> String {
    let zone = ctx.clock.zone();
    match &ctx.settings.preferences.time_format {
        Some(format) => zone.show(row.stored_at, format),
        None if columns.stored > 8 => zone.hundredth(row.stored_at),
        None => zone.second(row.stored_at),
    }
}

/// The author's label, or its first letter where there is room for no more.
fn from(ctx: &FrameContext<'_>, author: DeviceId, columns: usize) -> String {
    let label = ctx.label(author);
    let text = if columns > 2 { label.as_str() } else { label.as_str().graphemes(true).next().unwrap_or(UNKNOWN) };
    text.to_owned()
}

/// The direction, what is unusual, and the sentence, in which the kind, the name, and the words that are looked for stand
/// out.
fn what(ctx: &FrameContext<'_>, row: &FeedRow, in_journal: bool, words: &[String]) -> Vec<(String, Role)> {
    let (glyph, kind) = match row.direction() {
        Some(Direction::Incoming) => (INCOMING, Role::Incoming),
        Some(Direction::Outgoing) => (OUTGOING, Role::Outgoing),
        Some(Direction::Sync) => (SYNC, Role::Sync),
        None => (ATTENTION, Role::Alarm),
    };
    let mut what = vec![(format!("{glyph} "), kind)];
    if row.marks.repeated_nonce {
        what.push(("same nonce: ".to_owned(), Role::Alarm));
    }
    if row.marks.gap.is_some() {
        what.push(("gap before: ".to_owned(), Role::Notice));
    }
    if row.marks.redelivered {
        what.push(("again: ".to_owned(), Role::Notice));
    }
    let sentence = ctx.sentence(row);
    let sentence = sentence.as_str();
    if row.content.is_err() {
        what.extend(highlight(sentence, words, Role::Alarm, Role::Found));
        return what;
    }
    // What nobody waits for, and what was looked up, is quiet; its kind still tells.
    let is_quiet = row.marks.ephemeral || in_journal;
    let (rest, name) = if is_quiet { (Role::Muted, Role::Muted) } else { (Role::Text, Role::Heading) };
    let kind = if is_quiet { Role::Muted } else { kind };
    for (part, role) in parts(ctx, row, sentence, [kind, rest, name]) {
        what.extend(highlight(part, words, role, Role::Found));
    }
    what
}

/// The sentence in up to four parts: its first word, which tells the kind, and the name in the rest.
fn parts<'a>(
    ctx: &FrameContext<'_>,
    row: &FeedRow,
    sentence: &'a str,
    [kind, rest, name]: [Role; 3],
) -> impl Iterator<Item = (&'a str, Role)> {
    let (first, tail) = sentence.split_at(sentence.find(' ').unwrap_or(sentence.len()));
    let of = row.conversation().and_then(|conversation| {
        let known = ctx.group.names().of(conversation).map(|known| known.as_str().to_owned());
        known.or_else(|| match conversation {
            Conversation::Contact(identity) => Some(identity.to_string()),
            _ => None,
        })
    });
    let place = of.filter(|of| !of.is_empty()).and_then(|of| tail.find(&of).map(|start| (start, start + of.len())));
    let (start, end) = place.unwrap_or((tail.len(), tail.len()));
    let part = move |from: usize, to: usize| tail.get(from..to).unwrap_or_default();
    [(first, kind), (part(0, start), rest), (part(start, end), name), (part(end, tail.len()), rest)].into_iter()
}

/// The group's creator tells groups with the same id apart; a contact stands in the sentence already.
fn conversation(conversation: &Conversation) -> String {
    match conversation {
        Conversation::Contact(identity) => identity.to_string(),
        Conversation::Group { creator, .. } if conversation.is_stand_in() => creator.to_string(),
        Conversation::Group { id, creator } => format!("{creator}/{id}"),
        Conversation::DistributionList(id) => format!("list {id}"),
    }
}

fn ack(row: &FeedRow, in_journal: bool, thresholds: &Thresholds) -> (String, Role) {
    match row.acknowledged_after {
        Some(waited) => (figures::span(waited), thresholds.ack.role(waited)),
        None if row.marks.ephemeral => ("not due".to_owned(), Role::Muted),
        None if in_journal => (UNKNOWN.to_owned(), Role::Muted),
        None => ("not yet".to_owned(), Role::Notice),
    }
}
