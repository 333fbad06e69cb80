//! How long things took, and how much there was.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::latency::{LatencySecond, LatencySpread, SECONDS};
use crate::output::figures;
use crate::output::text_width::Align::{Left, Right};
use crate::protocol::Millis;
use crate::tui::context::FrameContext;
use crate::tui::draw::chart::{Bar, Scale, bars};
use crate::tui::draw::text_run::TextRun;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::CAPPED;
use crate::tui::view::TitlePart;

/// After so much silence the charts stand still, so that an idle screen costs nothing.
const QUIET_AFTER: Duration = Duration::from_secs(6);

pub fn title(ctx: &FrameContext<'_>, _: &Ui) -> Vec<TitlePart> {
    let latency = ctx.group.latency();
    if latency.acknowledgement.count() == 0 {
        return vec![TitlePart::new("no acknowledgement yet", Role::Muted)];
    }
    let figures = figures(&latency.acknowledgement);
    figures
        .into_iter()
        .enumerate()
        .map(|(index, (name, figure))| match index {
            0 => TitlePart::new(format!("ack {name} {figure}"), Role::Heading),
            _ => TitlePart::joined(format!("{name} {figure}"), Role::Heading),
        })
        .collect()
}

fn figures(spread: &LatencySpread) -> [(&'static str, String); 4] {
    let show = |span: Option<Duration>| span.map_or_else(|| "?".to_owned(), figures::span);
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
    // Before anything has come, nothing would move.
    if newest == Millis(0) {
        return now;
    }
    if now >= quiet_from {
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
    format!("{} msg/s", figures::count(u64::from(ctx.group.latency().rate(end))))
}

/// Both courses side by side on one line; where it is narrow only that of the acknowledgements.
fn line(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, seconds: &[LatencySecond], end: Millis) {
    const STEP: &str = "1 s a bar";
    let room = area.width.saturating_sub(u16::try_from(STEP.len()).unwrap_or(0) + 1);
    let both = [(rate_words(ctx, end), received(seconds)), (ack_words(seconds), waits(ctx, seconds))];
    let count: u16 = if area.width >= 60 { 2 } else { 1 };
    let width = room / count;
    let label = 12.min(width);
    for (index, (words, course)) in (0..count).zip(both.into_iter().skip(usize::from(2 - count))) {
        let place = Rect { x: area.x + index * width, width, ..area };
        TextRun::new(buffer, place, ctx.theme).column(&words, usize::from(label) - 1, Right, Role::Text);
        let place = Rect { x: place.x + label, width: width.saturating_sub(label + 1), ..place };
        let course = course.get(course.len().saturating_sub(usize::from(place.width))..).unwrap_or_default();
        bars(buffer, place, course, Scale::of(course.iter().map(|bar| bar.value.max(bar.band))), ctx.theme);
    }
    let place = Rect { x: area.x + room, width: area.width - room, ..area };
    TextRun::new(buffer, place, ctx.theme).text(STEP, Role::Muted);
}

/// One above the other, with their scales at the left and their time between them.
fn charts(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, seconds: &[LatencySecond], end: Millis) {
    const LABEL: u16 = 15;
    let mut run = TextRun::new(buffer, area, ctx.theme);
    round_trips(&mut run, ctx);
    // Below the figures the two charts, and between them a line with the times.
    let rest = area.height.saturating_sub(2);
    let upper = rest - rest / 2;
    let inside = Rect { x: area.x + LABEL, width: area.width.saturating_sub(LABEL + 1), ..area };
    let seconds = seconds.get(seconds.len().saturating_sub(usize::from(inside.width))..).unwrap_or_default();
    let courses = [received(seconds), waits(ctx, seconds)];
    let scales = [
        Scale::of(courses[0].iter().map(|bar| bar.value)),
        Scale { full: courses[1].iter().map(|bar| bar.band).max().unwrap_or(0), is_capped: false },
    ];
    let peak = seconds.iter().map(|second| second.received).max().unwrap_or(0);
    let capped = if scales[0].is_capped { format!(" {CAPPED}") } else { String::new() };
    // On its only line a chart says what it is, too.
    let only = if rest - upper == 1 { "ack p95 " } else { "" };
    let labels = [
        [format!("peak {}{capped}", figures::count(u64::from(peak))), rate_words(ctx, end), "1 s a bar".to_owned()],
        [format!("{only}{}", peak_p95(seconds)), "ack █p50 ░p95".to_owned(), "log, 0.1 ms".to_owned()],
    ];
    for (index, ((labels, course), scale)) in (0_u16..).zip(labels.iter().zip(&courses).zip(scales)) {
        let (y, height) = if index == 0 { (area.y + 1, upper) } else { (area.y + upper + 2, rest - upper) };
        let place = Rect { y, height, ..area };
        let mut run = TextRun::new(buffer, place, ctx.theme);
        // What stands at the top and at the bottom is the scale; what is between says what it is.
        for (line, label) in labels.iter().enumerate().take(usize::from(height)) {
            let role = if line == 1 { Role::Text } else { Role::Muted };
            run.column(label, usize::from(LABEL) - 1, Right, role).next_line();
        }
        if index == 0 {
            time_axis(buffer, Rect { y: place.bottom(), height: 1, ..inside }, ctx, seconds.len(), end);
        }
        bars(buffer, Rect { y, height, ..inside }, course, scale, ctx.theme);
    }
}

/// The times of the first and the last bar.
fn time_axis(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, seconds: usize, end: Millis) {
    let shown = u64::try_from(seconds).unwrap_or_default() * 1_000;
    let zone = ctx.clock.zone();
    let (first, last) = (zone.second(Millis(end.0.saturating_sub(shown))), zone.second(end));
    let mut run = TextRun::new(buffer, area, ctx.theme);
    let spare = run.room().saturating_sub(seconds);
    run.gap(spare).text(&first, Role::Muted);
    let rest = run.room();
    run.column(&last, rest, Right, Role::Muted);
}

/// The other figures, one after the other as far as they fit.
fn round_trips(run: &mut TextRun<'_>, ctx: &FrameContext<'_>) {
    let latency = ctx.group.latency();
    let spreads = [
        ("waited", &latency.age),
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
        run.column(&text, text.len() + 3, Left, Role::Muted);
    }
}

/// The worst second, as the strip tells it.
fn ack_words(seconds: &[LatencySecond]) -> String {
    format!("ack {}", slowest(seconds, |second| second.slowest))
}

/// What fills the height of the chart of acknowledgements.
fn peak_p95(seconds: &[LatencySecond]) -> String {
    slowest(seconds, |second| second.p95)
}

fn slowest(seconds: &[LatencySecond], of: fn(&LatencySecond) -> Duration) -> String {
    let peak = seconds.iter().filter(|second| second.acknowledged > 0).map(of).max();
    peak.map_or_else(|| "?".to_owned(), figures::span)
}

fn received(seconds: &[LatencySecond]) -> Vec<Bar> {
    seconds.iter().map(|second| Bar { value: u64::from(second.received), band: 0, role: Role::Incoming }).collect()
}

/// On a logarithmic scale, so that one slow second does not flatten all others; from a tenth of a millisecond up.
fn waits(ctx: &FrameContext<'_>, seconds: &[LatencySecond]) -> Vec<Bar> {
    let thresholds = &ctx.settings.preferences.thresholds.ack;
    let height = |span: Duration| logarithm(u64::try_from(span.as_micros() / 100).unwrap_or(u64::MAX - 1) + 1);
    let bar = |second: &LatencySecond| match second.acknowledged {
        0 => Bar::default(),
        _ => Bar {
            value: height(second.p50),
            band: height(second.p95),
            role: match thresholds.role(second.p95) {
                Role::Fast => Role::Good,
                role => role,
            },
        },
    };
    seconds.iter().map(bar).collect()
}

/// Eight times the logarithm to base 2, between powers on a straight line, and one more so that even the least shows.
fn logarithm(value: u64) -> u64 {
    let Some(power) = value.checked_ilog2() else { return 0 };
    let rest = u128::from(value) - (1_u128 << power);
    let eighths = u64::try_from((rest << 3) >> power).unwrap_or_default();
    1 + 8 * u64::from(power) + eighths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_rises_steadily() {
        for (value, expected) in [(0, 0), (1, 1), (2, 9), (3, 13), (4, 17), (1_024, 81), (u64::MAX, 512)] {
            assert_eq!(logarithm(value), expected, "{value}");
        }
    }
}
