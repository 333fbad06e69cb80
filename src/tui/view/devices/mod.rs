//! Who is in the group.

mod columns;
mod device_text;

use std::time::Duration;

use columns::DeviceColumns;
pub use device_text::keep_word;
use device_text::{DeviceText, words};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::DeviceChange;
use crate::protocol::DeviceId;
use crate::runtime::ANOTHER_GROUP;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::text_width::Align::{Left, Right};
use crate::tui::draw::text_width::wrap;
use crate::tui::state::Ui;
use crate::tui::state::device_order::DeviceOrder;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::{ATTENTION, SELECTED};
use crate::tui::view::TitlePart;

/// From which age on the list counts as old: it is asked for every minute.
const LIST_AGE: Duration = Duration::from_mins(2);

pub fn title(ctx: &FrameContext<'_>, ui: &Ui) -> Vec<TitlePart> {
    let devices = ctx.group.devices();
    let Some(as_of) = devices.as_of() else { return vec![TitlePart::new("no list yet", Role::Quiet)] };
    let figure = if ctx.tells_who_is_on() {
        let are = if ctx.stale_since().is_some() { "were on" } else { "on" };
        format!("{} of {} {are}", devices.connected(), devices.len())
    } else {
        format!("{}, who is on is not told", devices.len())
    };
    let mut pieces = vec![TitlePart::new(figure, Role::Strong)];
    if devices.alarms() > 0 {
        let mut words: Vec<&str> = devices.changes().map(DeviceChange::word).collect();
        words.dedup();
        let words = if let [word] = words.as_slice() { word } else { "new or changed" };
        pieces.push(TitlePart::new(format!("{ATTENTION} {} {words}", devices.alarms()), Role::Attention));
    }
    if ctx.stale_since().is_some() {
        pieces.push(TitlePart::new(format!("as of {}", ctx.clock.minute(as_of)), Role::Attention));
    } else if let Some(age) = ctx.clock.overdue(as_of, LIST_AGE) {
        pieces.push(TitlePart::new(format!("{age} old"), Role::Attention));
    }
    if ui.order != DeviceOrder::default() {
        pieces.push(TitlePart::new(ui.order.words(), Role::Quiet));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, ui: &Ui) {
    let order = &ui.order.of(ctx.group);
    let selected = ui.selected_of(order);
    if order.is_empty() {
        let text = match ctx.group.devices().as_of() {
            Some(_) => " no devices",
            None => " the list comes with the first login",
        };
        TextRun::new(buffer, area, ctx.theme).text(text, Role::Quiet);
        return;
    }
    let rows = usize::from(area.height);
    // A block of lines for each device where that leaves none out; a table otherwise.
    let lines = if rows >= 16 && area.width >= 40 { (rows / order.len()).min(5) } else { 1 };
    if lines > 1 {
        blocks(buffer, area, ctx, order, selected, lines);
    } else {
        table(buffer, area, ctx, order, selected);
    }
}

/// The part of the list that shows the selected device.
fn visible(order: &[DeviceId], selected: Option<DeviceId>, places: usize) -> impl Iterator<Item = DeviceId> {
    let index = order.iter().position(|id| Some(*id) == selected).unwrap_or(0);
    order.iter().copied().skip((index + 1).saturating_sub(places)).take(places)
}

fn put_state(run: &mut TextRun<'_>, words: &DeviceText, selected: bool) {
    run.text(if selected { SELECTED } else { " " }, Role::Focus);
    run.text(words.glyph, words.style).gap(1).column(words.state, 4, Left, words.style);
}

fn blocks(
    buffer: &mut Buffer,
    area: Rect,
    ctx: &FrameContext<'_>,
    order: &[DeviceId],
    selected: Option<DeviceId>,
    lines: usize,
) {
    const INDENT: usize = 7;
    let mut run = TextRun::new(buffer, area, ctx.theme);
    for id in visible(order, selected, usize::from(area.height) / lines) {
        let Some(device) = ctx.group.devices().get(id) else { continue };
        let words = words(ctx, id, device);
        let chosen = Some(id) == selected;
        put_state(&mut run, &words, chosen);
        let style = if chosen { words.label_style.selected() } else { words.label_style };
        let room = run.room().saturating_sub(13);
        run.column(&words.label, room, Left, style).gap(1).column(&words.seen, 6, Right, Role::Plain);
        run.gap(1).column(words.keep, 4, Right, Role::Quiet).next_line();
        let details = if words.details.is_empty() { String::new() } else { format!(" · {}", words.details) };
        if lines == 2 {
            run.gap(INDENT).text(&format!("{}{details} · {id}", words.app), Role::Quiet).next_line();
            continue;
        }
        run.gap(INDENT).text(&format!("{}{details}", words.app), Role::Quiet).next_line();
        if lines < 5 {
            run.gap(INDENT).text(&format!("{} · {id}", words.since), Role::Quiet).next_line();
        } else {
            run.gap(INDENT).text(&words.since, Role::Quiet).next_line();
            run.gap(INDENT).text(&id.to_string(), Role::Quiet).next_line();
        }
        if lines > 3 {
            run.next_line();
        }
    }
    say_alone(&mut run, ctx);
}

/// Where there is room.
fn say_alone(run: &mut TextRun<'_>, ctx: &FrameContext<'_>) {
    if !ctx.is_alone() {
        return;
    }
    let lines = wrap(&format!("alone in the group; {ANOTHER_GROUP}"), run.room().saturating_sub(2));
    if lines.len() <= run.lines_left() {
        for line in lines {
            run.gap(1).text(&line, Role::Quiet).next_line();
        }
    }
}

fn table(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, order: &[DeviceId], selected: Option<DeviceId>) {
    let width = usize::from(area.width);
    let columns = DeviceColumns::that_fit(width);
    let mut run = TextRun::new(buffer, area, ctx.theme);
    let with_heading = usize::from(area.height) > order.len().min(3);
    if with_heading {
        run.gap(7);
        let seen = if ctx.tells_who_is_on() { "seen" } else { "login" };
        columns.put(&mut run, ["device", "app", seen, "slot", "details", "id"], [Role::Quiet; 2]);
        run.next_line();
    }
    for id in visible(order, selected, usize::from(area.height).saturating_sub(usize::from(with_heading))) {
        let Some(device) = ctx.group.devices().get(id) else { continue };
        let words = words(ctx, id, device);
        let chosen = Some(id) == selected;
        put_state(&mut run, &words, chosen);
        let style = if chosen { words.label_style.selected() } else { words.label_style };
        let cells = [&words.label, &words.app, &words.seen, words.keep, &words.details, &id.to_string()];
        columns.put(&mut run, cells, [style, Role::Plain]);
        run.next_line();
    }
    say_alone(&mut run, ctx);
}
