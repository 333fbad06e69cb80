//! The page about latency: the figures by time, device and kind, the slowest rows, and what the figures mean.

use std::time::Duration;

use crate::group::latency::{ACKNOWLEDGEMENT, AGE, LatencyAuthor, LatencyPercentiles, LatencySpread, ROUND_TRIP};
use crate::output::figures;
use crate::output::text_width::{Align, fit};
use crate::protocol::Millis;
use crate::tui::context::FrameContext;
use crate::tui::pages::fact::Fact;
use crate::tui::theme::glyphs::BARS;

/// The columns of a figure.
const COLUMN: usize = 9;

/// The last minute is told in slices of so many milliseconds.
const SLICE: u64 = 10_000;

/// Up to which spans the bars count, each ten times the one before.
const STEPS: [(&str, Duration); 6] = [
    ("0.1 ms", Duration::from_micros(100)),
    ("1 ms", Duration::from_millis(1)),
    ("10 ms", Duration::from_millis(10)),
    ("100 ms", Duration::from_millis(100)),
    ("1 s", Duration::from_secs(1)),
    ("more", Duration::MAX),
];

/// The page, for a frame of that width.
pub fn facts(ctx: &FrameContext<'_>, width: u16) -> Vec<Fact> {
    let figures = (usize::from(width).saturating_sub(24) / COLUMN).clamp(1, 5);
    let latency = ctx.group.latency();
    if latency.age.count() == 0 && latency.ping.count() == 0 && latency.devices_info.count() == 0 {
        let mut facts = vec![Fact::new("", "nothing was measured yet")];
        facts.extend(meanings());
        return facts;
    }
    [by_time(ctx, figures), bars(ctx), by_device(ctx, figures), by_kind(ctx, figures), slowest(ctx), meanings()]
        .concat()
}

fn heading(words: &str, figures: usize) -> Fact {
    let columns = ["p50", "p95", "p99", "max", "messages"].map(str::to_owned);
    Fact::new(words, fitted(columns, figures)).above()
}

fn row(name: impl Into<String>, percentiles: Option<LatencyPercentiles>, figures: usize) -> Option<Fact> {
    let LatencyPercentiles { count, p50, p95, p99, max } = percentiles?;
    let columns =
        [figures::span(p50), figures::span(p95), figures::span(p99), figures::span(max), figures::count(count)];
    Some(Fact::new(name, fitted(columns, figures)))
}

/// As many columns as fit; the count leaves first, then p99, max, and p95.
fn fitted(columns: [String; 5], figures: usize) -> String {
    const LEAVES_BELOW: [usize; 5] = [1, 2, 4, 3, 5];
    let fitting = columns.into_iter().zip(LEAVES_BELOW).filter(|(_, wanted)| figures >= *wanted);
    fitting.map(|(column, _)| fit(&column, COLUMN, Align::Right)).collect()
}

fn by_time(ctx: &FrameContext<'_>, figures: usize) -> Vec<Fact> {
    let latency = ctx.group.latency();
    let spreads = [
        ("ack", &latency.acknowledgement),
        ("waited", &latency.age),
        ("ping", &latency.ping),
        ("device list", &latency.devices_info),
        ("reflect", &latency.reflection),
    ];
    let whole = spreads.iter().filter_map(|(name, spread)| row(*name, spread.percentiles(), figures));
    let now = ctx.clock.now();
    let minute: Vec<Fact> =
        spreads.iter().filter_map(|(name, spread)| row(*name, spread.last_minute(now), figures)).collect();
    let mut facts = vec![heading("since the start", figures)];
    facts.extend(whole);
    if !minute.is_empty() {
        ctx.clock.becomes_wrong(Millis((now.0 / SLICE + 1) * SLICE));
        facts.extend([Fact::blank(), heading("the last minute", figures)]);
        facts.extend(minute);
    }
    facts
}

/// How many took how long, as bars.
fn bars(ctx: &FrameContext<'_>) -> Vec<Fact> {
    let latency = ctx.group.latency();
    let spreads = [("ack", &latency.acknowledgement), ("waited", &latency.age)];
    let spreads: Vec<_> = spreads.into_iter().filter(|(_, spread)| spread.count() > 0).collect();
    if spreads.is_empty() {
        return Vec::new();
    }
    let steps: String = STEPS.iter().map(|(name, _)| fit(name, COLUMN - 1, Align::Right)).collect();
    let mut facts = vec![Fact::blank(), Fact::new("up to", steps).above()];
    facts.extend(spreads.into_iter().map(|(name, spread)| Fact::new(name, shares(spread))));
    facts
}

/// The share of each step, as a bar and in percent.
fn shares(spread: &LatencySpread) -> String {
    let all = spread.count().max(1);
    let mut before = 0;
    let mut shown = String::new();
    for (_, step) in STEPS {
        let up_to = spread.count_up_to(step);
        let here = up_to.saturating_sub(before);
        before = up_to;
        let eighth = usize::try_from((here * BARS.len() as u64).div_ceil(all)).unwrap_or(0);
        let bar = eighth.checked_sub(1).and_then(|index| BARS.get(index)).copied().unwrap_or(" ");
        let percent = match here * 100 / all {
            0 if here > 0 => "<1".to_owned(),
            percent => percent.to_string(),
        };
        shown.push_str(&fit(&format!("{bar} {percent}%"), COLUMN - 1, Align::Right));
    }
    shown
}

fn by_device(ctx: &FrameContext<'_>, figures: usize) -> Vec<Fact> {
    let name = |author| match author {
        LatencyAuthor::Device(device) => ctx.label(device).to_string(),
        LatencyAuthor::Unknown => "not told".to_owned(),
        LatencyAuthor::Other => "all others".to_owned(),
    };
    let devices: Vec<_> = ctx.group.latency().devices().collect();
    let acks =
        devices.iter().filter_map(|(author, waits)| row(name(*author), waits.acknowledgement.percentiles(), figures));
    let ages = devices.iter().filter_map(|(author, waits)| row(name(*author), waits.age.percentiles(), figures));
    [under("ack by device", acks, figures), under("waited by device", ages, figures)].concat()
}

fn by_kind(ctx: &FrameContext<'_>, figures: usize) -> Vec<Fact> {
    let kinds: Vec<_> = ctx.group.latency().kinds().collect();
    let acks = kinds.iter().filter_map(|(sort, waits)| row(sort.words(), waits.acknowledgement.percentiles(), figures));
    let ages = kinds.iter().filter_map(|(sort, waits)| row(sort.words(), waits.age.percentiles(), figures));
    [under("ack by kind", acks, figures), under("waited by kind", ages, figures)].concat()
}

fn under(words: &str, facts: impl Iterator<Item = Fact>, figures: usize) -> Vec<Fact> {
    let facts: Vec<Fact> = facts.collect();
    if facts.is_empty() { facts } else { [Fact::blank(), heading(words, figures)].into_iter().chain(facts).collect() }
}

fn slowest(ctx: &FrameContext<'_>) -> Vec<Fact> {
    let slow = ctx.group.latency().slowest();
    if slow.is_empty() {
        return Vec::new();
    }
    let heading = [Fact::blank(), Fact::heading("The slowest acknowledgements; Enter goes to the row")];
    let rows = slow.iter().map(|slow| {
        let words = match ctx.group.feed().get(slow.number) {
            Some(row) => format!("{} {}", ctx.clock.zone().second(row.stored_at), ctx.sentence(&row)),
            None => format!("id {}, no longer in memory", slow.id.0),
        };
        Fact { target: Some(slow.number), ..Fact::new(figures::span(slow.waited), words) }
    });
    heading.into_iter().chain(rows).collect()
}

fn meanings() -> Vec<Fact> {
    let meanings = [("waited", AGE), ("ack", ACKNOWLEDGEMENT), ("round trip", ROUND_TRIP)];
    let meanings = meanings.map(|(name, meaning)| Fact::new(name, meaning));
    [Fact::blank(), Fact::heading("What they mean")].into_iter().chain(meanings).collect()
}
