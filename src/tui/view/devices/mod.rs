//! Who is in the group.

mod activity;
mod columns;
mod device_text;

use std::time::Duration;

use columns::DeviceColumns;
pub use device_text::keep_word;
use device_text::{DeviceText, words};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::DeviceChange;
use crate::output::text_width::Align::{Left, Right};
use crate::output::text_width::wrap;
use crate::protocol::DeviceId;
use crate::runtime::ANOTHER_GROUP;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::state::Ui;
use crate::tui::state::click::ClickTarget;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::{ATTENTION, SELECTED};
use crate::tui::view::TitlePart;
use crate::tui::view::layout::split_top;

/// From which age on the list counts as old: it is asked for every minute.
const LIST_AGE: Duration = Duration::from_mins(2);

pub fn title(ctx: &FrameContext<'_>, ui: &Ui) -> Vec<TitlePart> {
    let devices = ctx.group.devices();
    let Some(as_of) = devices.as_of() else { return vec![TitlePart::new("no list yet", Role::Muted)] };
    let is_stale = ctx.stale_since().is_some();
    let figure = match (ctx.tells_who_is_on(), is_stale) {
        (true, false) => format!("{} of {} connected", devices.connected(), devices.len()),
        (true, true) => format!("{} of {} were connected", devices.connected(), devices.len()),
        (false, false) => format!("{}; this dialect does not tell who is on", devices.len()),
        (false, true) => devices.len().to_string(),
    };
    let mut pieces = vec![TitlePart::new(figure, Role::Heading)];
    if is_stale {
        pieces.push(TitlePart::new(format!("as of {}", ctx.clock.minute(as_of)), Role::Notice));
    }
    if devices.alarms() > 0 {
        let mut words: Vec<&str> = devices.changes().map(DeviceChange::word).collect();
        words.dedup();
        let words = if let [word] = words.as_slice() { word } else { "new or changed" };
        pieces.push(TitlePart::new(format!("{ATTENTION} {} {words}", devices.alarms()), Role::Notice));
    }
    if let Some(age) = ctx.clock.overdue(as_of, LIST_AGE).filter(|_| !is_stale) {
        pieces.push(TitlePart::new(format!("{age} old"), Role::Notice));
    }
    pieces.push(TitlePart::new(ui.order.sign(), Role::Muted));
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
        TextRun::new(buffer, area, ctx.theme).text(text, Role::Muted);
        return;
    }
    // Below the list, where each device keeps two lines at least.
    let chart = activity::lines(order.len());
    let has_chart = area.width >= 36 && usize::from(area.height) >= 16.max(chart + 2 * order.len());
    let area = if has_chart {
        let (list, below) = split_top(area, area.height - u16::try_from(chart).unwrap_or(0));
        activity::draw(buffer, below, ctx, order);
        list
    } else {
        area
    };
    let rows = usize::from(area.height);
    // A block of lines for each device where that leaves none out; a table otherwise.
    let lines = if has_chart || (rows >= 16 && area.width >= 40) { (rows / order.len()).min(5) } else { 1 };
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
    run.text(if selected { SELECTED } else { " " }, Role::Accent);
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
        let height = u16::try_from(lines).unwrap_or(1);
        ctx.mark(Rect { height, ..run.line() }.intersection(area), ClickTarget::Device(id));
        put_state(&mut run, &words, chosen);
        let room = run.room().saturating_sub(19);
        run.column(&words.label, room, Left, words.label_style).gap(1).column(&words.seen, 6, Right, Role::Text);
        run.gap(1).column(words.keep, 10, Right, Role::Muted);
        if chosen {
            run.bar(1);
        }
        run.next_line();
        let details = if words.details.is_empty() { String::new() } else { format!(" · {}", words.details) };
        if lines == 2 {
            run.gap(INDENT).text(&format!("{}{details} · {id}", words.app), Role::Muted).next_line();
            continue;
        }
        run.gap(INDENT).text(&format!("{}{details}", words.app), Role::Muted).next_line();
        if lines < 5 {
            run.gap(INDENT).text(&format!("{} · {id}", words.since), Role::Muted).next_line();
        } else {
            run.gap(INDENT).text(&words.since, Role::Muted).next_line();
            run.gap(INDENT).text(&id.to_string(), Role::Muted).next_line();
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
            run.gap(1).text(&line, Role::Muted).next_line();
        }
    }
}

fn table(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, order: &[DeviceId], selected: Option<DeviceId>) {
    let width = usize::from(area.width);
    let columns = DeviceColumns::that_fit(width);
    let mut run = TextRun::new(buffer, area, ctx.theme);
    let with_heading = usize::from(area.height) > order.len().min(3);
    if with_heading {
        for (place, sort) in columns.heads(run.line()) {
            ctx.mark(place, ClickTarget::Sort(sort));
        }
        run.gap(7);
        let seen = if ctx.tells_who_is_on() { "seen" } else { "login" };
        columns.put(&mut run, ["device", "app", seen, "slot", "details", "id"], [Role::Muted; 2]);
        run.next_line();
    }
    for id in visible(order, selected, usize::from(area.height).saturating_sub(usize::from(with_heading))) {
        let Some(device) = ctx.group.devices().get(id) else { continue };
        let words = words(ctx, id, device);
        let chosen = Some(id) == selected;
        ctx.mark(run.line(), ClickTarget::Device(id));
        put_state(&mut run, &words, chosen);
        let cells = [&words.label, &words.app, &words.seen, words.keep, &words.details, &id.to_string()];
        columns.put(&mut run, cells, [words.label_style, Role::Text]);
        if chosen {
            run.bar(1);
        }
        run.next_line();
    }
    say_alone(&mut run, ctx);
}
