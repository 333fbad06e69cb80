//! Rows and figures, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::time::{Zone, day_name};
use crate::group::Known;
use crate::headless::ndjson;
use crate::journal::{HistoryRow, Percentiles, StatsLine};
use crate::protocol::DeviceId;

/// The columns of a device's name.
const DEVICE: usize = 16;

/// How things are printed.
pub(super) struct Printer<'a> {
    pub(super) devices: &'a Known,
    pub(super) own: Option<DeviceId>,
    pub(super) zone: Zone,
    pub(super) as_json: bool,
}

impl Printer<'_> {
    pub(super) fn row(&self, row: &HistoryRow, out: &mut impl Write) -> io::Result<()> {
        if self.as_json {
            return writeln!(out, "{}", ndjson::recorded(row));
        }
        let direction = row.row.direction().map_or_else(|| "?".to_owned(), |direction| direction.to_string());
        writeln!(
            out,
            "{}  {}  {direction:4}  {:>7}  {}{}",
            self.zone.second(row.row.received_at),
            fit(&self.device(row.row.author())),
            size(u64::from(row.row.size)),
            row.sentence(),
            marks(row),
        )
    }

    pub(super) fn stats(&self, lines: &[StatsLine], out: &mut impl Write) -> io::Result<()> {
        if self.as_json {
            return lines.iter().try_for_each(|line| writeln!(out, "{}", self.stats_object(line)));
        }
        writeln!(
            out,
            "{:10}  {:DEVICE$}  {:23}  {:>9}  {:>8}  {:>24}  {:>24}",
            "day", "device", "kind", "messages", "bytes", "age: median, 95%, max", "ack: median, 95%, max"
        )?;
        for line in lines {
            let figures = &line.figures;
            let kind = line.kind.map_or("unreadable", |kind| kind.as_str());
            let replays = match figures.repeated_nonces {
                0 => String::new(),
                count => format!("  {count} repeated nonces"),
            };
            writeln!(
                out,
                "{:10}  {}  {kind:23}  {:>9}  {:>8}  {:>24}  {:>24}{replays}",
                day_name(line.day),
                fit(&self.device(line.device)),
                figures.count,
                size(figures.bytes),
                percentiles(figures.age),
                percentiles(figures.acknowledgement),
            )?;
        }
        Ok(())
    }

    fn stats_object(&self, line: &StatsLine) -> Value {
        let figures = &line.figures;
        let times = |times: Option<Percentiles>, unit: fn(Duration) -> u128| {
            times.map(|times| {
                let [median, p95, p99, max] = [times.median, times.p95, times.p99, times.max]
                    .map(|time| u64::try_from(unit(time)).unwrap_or(u64::MAX));
                json!({ "median": median, "p95": p95, "p99": p99, "max": max })
            })
        };
        let label = line.device.and_then(|device| self.label(device));
        let mut object = json!({
            "event": "stats",
            "day": day_name(line.day),
            "from": line.device,
            "label": label,
            "kind": line.kind.map(|kind| kind.as_str()),
            "count": figures.count,
            "bytes": figures.bytes,
            "repeated_nonces": figures.repeated_nonces,
            "age_ms": times(figures.age, |time| time.as_millis()),
            "waited_us": times(figures.acknowledgement, |time| time.as_micros()),
        });
        if let Value::Object(object) = &mut object {
            object.retain(|_, value| !value.is_null());
        }
        object
    }

    fn label(&self, device: DeviceId) -> Option<String> {
        let info = self.devices.iter().find(|(id, _)| *id == device)?.1?;
        (!info.label.is_empty()).then(|| info.label.to_string())
    }

    /// What people call a device: its label, or its id.
    fn device(&self, device: Option<DeviceId>) -> String {
        match device {
            None => "-".to_owned(),
            Some(device) if self.own == Some(device) => "this device".to_owned(),
            Some(device) => self.label(device).unwrap_or_else(|| device.to_string()),
        }
    }
}

/// In the columns of a device: cut, or filled with spaces.
fn fit(text: &str) -> String {
    let mut fitted = String::new();
    let mut left = DEVICE;
    for cluster in text.graphemes(true) {
        let Some(rest) = left.checked_sub(cluster.width()) else { break };
        left = rest;
        fitted.push_str(cluster);
    }
    fitted.extend(std::iter::repeat_n(' ', left));
    fitted
}

/// What is unusual, and how it was acknowledged.
fn marks(row: &HistoryRow) -> String {
    let marks = row.row.marks;
    let waiting = row.row.awaits_acknowledgement();
    let words = [
        (marks.repeated_nonce, "REPEATED NONCE"),
        (marks.redelivered, "again"),
        (marks.ephemeral, "ephemeral"),
        (waiting, "no acknowledgement known"),
    ];
    let words: Vec<&str> = words.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
    if words.is_empty() { String::new() } else { format!("  [{}]", words.join(", ")) }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn percentiles(times: Option<Percentiles>) -> String {
    let Some(times) = times else { return "-".to_owned() };
    [times.median, times.p95, times.max].map(span).join(", ")
}

fn span(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0 => "0".to_owned(),
        1..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..120_000_000 => format!("{} s", micros / 1_000_000),
        120_000_000..7_200_000_000 => format!("{} min", micros / 60_000_000),
        7_200_000_000..172_800_000_000 => format!("{} h", micros / 3_600_000_000),
        _ => format!("{} d", micros / 86_400_000_000),
    }
}
