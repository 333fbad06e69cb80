//! Rows and figures, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::group::KnownDevices;
use crate::journal::{HistoryRow, Percentiles, Revealed, StatsLine};
use crate::output::columns::{DEVICE, device_column, message};
use crate::output::figures::span;
use crate::output::ndjson;
use crate::output::times::{Zone, day_name};
use crate::protocol::DeviceId;
use crate::text::size;

/// How things are printed.
pub struct RowPrinter<'a> {
    pub devices: &'a KnownDevices,
    pub own: Option<DeviceId>,
    pub zone: Zone,
    /// What people call each other, if that is wanted and known.
    pub names: Option<Revealed>,
    pub as_json: bool,
}

impl RowPrinter<'_> {
    pub fn row(&self, row: &HistoryRow, out: &mut impl Write) -> io::Result<()> {
        if self.as_json {
            let names = self.names.as_ref().map(|names| names.names(row));
            return writeln!(out, "{}", ndjson::recorded(row, names.unwrap_or_default()));
        }
        let (time, device) = (self.zone.day_and_second(row.row.received_at), self.device(row.row.author()));
        let awaits = row.row.awaits_acknowledgement();
        let sentence = self.names.as_ref().map_or_else(|| row.sentence(), |names| names.sentence(row));
        writeln!(out, "{}", message(&time, &device, sentence.as_str(), &row.row, awaits))
    }

    pub fn stats(&self, lines: &[StatsLine], out: &mut impl Write) -> io::Result<()> {
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
                device_column(&self.device(line.device)),
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
            "kind": line.kind,
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

fn percentiles(times: Option<Percentiles>) -> String {
    let Some(times) = times else { return "-".to_owned() };
    [times.median, times.p95, times.max].map(span).join(", ")
}
