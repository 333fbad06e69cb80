//! How long things took, and how much there was.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::latency::{SECONDS, Second, Spread};
use crate::protocol::Millis;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::text_width::Align::{Left, Right};
use crate::tui::format;
use crate::tui::state::Ui;
use crate::tui::theme::glyphs::BARS;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::TitlePart;

/// After so much silence the charts stand still, so that an idle screen costs nothing.
const QUIET_AFTER: Duration = Duration::from_secs(6);

pub fn title(ctx: &FrameContext<'_>, _: &Ui) -> Vec<TitlePart> {
    let latency = ctx.group.latency();
    if latency.acknowledgement.count() == 0 {
        return vec![TitlePart::new("nothing measured yet", Role::Quiet)];
    }
    let figures = figures(&latency.acknowledgement);
    figures
        .into_iter()
        .enumerate()
        .map(|(index, (name, figure))| match index {
            0 => TitlePart::new(format!("ack {name} {figure}"), Role::Strong),
            _ => TitlePart::joined(format!("{name} {figure}"), Role::Strong),
        })
        .collect()
}

fn figures(spread: &Spread) -> [(&'static str, String); 4] {
    let show = |span: Option<Duration>| span.map_or_else(|| "?".to_owned(), format::span);
    [
        ("p50", show(spread.quantile(0.5))),
        ("p95", show(spread.quantile(0.95))),
        ("p99", show(spread.quantile(0.99))),
        ("max", show(spread.max())),
    ]
}

/// Until when the charts go.
fn chart_end(ctx: &FrameContext<'_>) -> Millis {
    let newest = ctx.group.latency().newest();
    let quiet_from = newest.after(QUIET_AFTER);
    let now = ctx.clock.now();
    if now >= quiet_from || newest == Millis(0) {
        return quiet_from;
    }
    ctx.clock.becomes_wrong(Millis((now.0 / 1_000 + 1) * 1_000));
    now
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, _: &Ui) {
    if area.height == 0 {
        return;
    }
    let end = chart_end(ctx);
    let seconds = ctx.group.latency().course(end, SECONDS);
    if area.height < 5 {
        line(buffer, Rect { height: 1, ..area }, ctx, &seconds, end);
    } else {
        charts(buffer, area, ctx, &seconds, end);
    }
}

fn rate_words(ctx: &FrameContext<'_>, end: Millis) -> String {
    format!("{} msg/s", format::count(u64::from(ctx.group.latency().rate(end))))
}

/// Both courses side by side on one line.
fn line(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, seconds: &[Second], end: Millis) {
    let half = area.width / 2;
    let left = Rect { width: half, ..area };
    let right = Rect { x: area.x + half, width: area.width - half, ..area };
    let label = 12.min(half);
    let bars = |area: Rect| Rect { x: area.x + label, width: area.width.saturating_sub(label + 1), ..area };
    TextRun::new(buffer, left, ctx.theme).column(&rate_words(ctx, end), usize::from(label) - 1, Right, Role::Plain);
    chart(buffer, bars(left), &received(seconds), ctx.theme);
    TextRun::new(buffer, right, ctx.theme).column(
        &format!("ack {}", peak_ack(seconds)),
        usize::from(label) - 1,
        Right,
        Role::Plain,
    );
    chart(buffer, bars(right), &slowest(seconds), ctx.theme);
}

fn charts(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, seconds: &[Second], end: Millis) {
    const LABEL: u16 = 14;
    let mut run = TextRun::new(buffer, area, ctx.theme);
    round_trips(&mut run, ctx);
    let height = (area.height - 1) / 2;
    let gap = (area.height - 1) % 2;
    let shown: usize = usize::from(area.width.saturating_sub(LABEL + 1));
    let seconds = seconds.get(seconds.len().saturating_sub(shown)..).unwrap_or_default();
    let peak = seconds.iter().map(|second| second.received).max().unwrap_or(0);
    let labels = [
        [rate_words(ctx, end), format!("peak {}", format::count(u64::from(peak)))],
        ["ack, slowest".to_owned(), format!("peak {}", peak_ack(seconds))],
    ];
    let courses = [received(seconds), slowest(seconds)];
    for (index, (labels, course)) in (0_u16..).zip(labels.iter().zip(courses)) {
        let place = Rect { y: area.y + 1 + index * (height + gap), height, ..area };
        let mut run = TextRun::new(buffer, place, ctx.theme);
        for label in labels {
            run.column(label, usize::from(LABEL) - 1, Right, Role::Plain).next_line();
        }
        let place = Rect { x: area.x + LABEL, width: area.width.saturating_sub(LABEL + 1), ..place };
        chart(buffer, place, &course, ctx.theme);
    }
}

/// The other figures, one after the other as far as they fit.
fn round_trips(run: &mut TextRun<'_>, ctx: &FrameContext<'_>) {
    let latency = ctx.group.latency();
    let spreads = [
        ("age", &latency.age),
        ("ping", &latency.ping),
        ("device list", &latency.devices_info),
        ("reflect", &latency.reflection),
    ];
    run.gap(1);
    for (name, spread) in spreads.into_iter().filter(|(_, spread)| spread.count() > 0) {
        let [p50, p95, ..] = figures(spread);
        let text = format!("{name} p50 {} p95 {}", p50.1, p95.1);
        if run.room() < text.len() + 3 {
            break;
        }
        run.column(&text, text.len() + 3, Left, Role::Quiet);
    }
}

fn peak_ack(seconds: &[Second]) -> String {
    let peak = seconds.iter().filter(|second| second.acknowledged > 0).map(|second| second.slowest).max();
    peak.map_or_else(|| "?".to_owned(), format::span)
}

fn received(seconds: &[Second]) -> Vec<u64> {
    seconds.iter().map(|second| u64::from(second.received)).collect()
}

/// In tenths of milliseconds, and one more so that even the fastest second shows.
fn slowest(seconds: &[Second]) -> Vec<u64> {
    let height = |second: &Second| u64::try_from(second.slowest.as_micros() / 100).unwrap_or(u64::MAX - 1) + 1;
    seconds.iter().map(|second| if second.acknowledged > 0 { height(second) } else { 0 }).collect()
}

/// Bars from the right, the newest last, as high as their share of the highest.
fn chart(buffer: &mut Buffer, area: Rect, values: &[u64], theme: Theme) {
    let area = area.intersection(buffer.area);
    let values = values.get(values.len().saturating_sub(usize::from(area.width))..).unwrap_or_default();
    let highest = values.iter().copied().max().unwrap_or(0);
    let left = area.right().saturating_sub(u16::try_from(values.len()).unwrap_or(0));
    for (x, value) in (left..).zip(values) {
        let eighths = eighths(*value, highest, area.height);
        for row in 0..area.height {
            let here = eighths.saturating_sub(usize::from(row) * BARS.len()).min(BARS.len());
            if let Some(bar) = here.checked_sub(1).and_then(|index| BARS.get(index)) {
                buffer.set_stringn(x, area.bottom() - 1 - row, bar, 1, theme.style(Role::Plain));
            }
        }
    }
}

/// At least one eighth for whatever is there.
fn eighths(value: u64, highest: u64, rows: u16) -> usize {
    let full = u128::from(rows) * BARS.len() as u128;
    let share = (u128::from(value) * full).div_ceil(u128::from(highest.max(1)));
    usize::try_from(share).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Colour;

    #[test]
    fn bars_are_in_proportion_and_whatever_is_there_shows() {
        for (value, highest, rows, expected) in [
            (0, 0, 1, 0),
            (1, 1, 1, 8),
            (1, 1_000, 1, 1),
            (500, 1_000, 1, 4),
            (500, 1_000, 4, 16),
            (u64::MAX, u64::MAX, 4, 32),
        ] {
            assert_eq!(eighths(value, highest, rows), expected, "{value} of {highest} in {rows}");
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 2));
        chart(&mut buffer, Rect::new(0, 0, 6, 2), &[4, 1, 0, 2, 4], Theme::new(Colour::None));
        assert_eq!(buffer, Buffer::with_lines([" █   █", " █▄ ██"]));
    }
}
