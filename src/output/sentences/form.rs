//! [`Form`]: lines for programs or for people.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;

use super::{Readable, own_lines, time};
use crate::group::{Event, KnownDevices};
use crate::output::ndjson;
use crate::protocol::Millis;

/// How lines are written.
#[derive(Debug)]
pub enum Form {
    /// For programs.
    Ndjson,
    /// For people.
    Readable(Box<Readable>),
}

impl Form {
    /// For people where standard output is a terminal, unless they want what programs get.
    #[must_use]
    pub fn of_output(json: bool) -> Self {
        if json || !io::stdout().is_terminal() { Self::Ndjson } else { Self::Readable(Box::default()) }
    }

    /// With what devices are called, as far as that is known from earlier.
    pub fn knowing(&mut self, devices: &KnownDevices) {
        if let Self::Readable(readable) = self {
            readable.learn_labels(devices.iter().filter_map(|(id, info)| Some((id, info?))));
        }
    }

    /// Learns from what a session tells, whether or not a line is made of it.
    pub fn learn(&mut self, event: &Event) {
        if let Self::Readable(readable) = self {
            readable.learn(event);
        }
    }

    /// The same from a line that is not of a session.
    pub fn learn_line(&mut self, line: &Value) {
        if let Self::Readable(readable) = self {
            readable.learn_line(line);
        }
    }

    /// Adds the lines of what a session tells, from which it has learned.
    pub fn event(&self, output: &mut Vec<u8>, at: Millis, event: &Event) -> io::Result<()> {
        match self {
            Self::Ndjson => ndjson::lines(at, event).iter().try_for_each(|line| object(output, line)),
            Self::Readable(readable) => {
                readable.lines(at, event).iter().try_for_each(|line| writeln!(output, "{line}"))
            }
        }
    }

    /// Adds a line that is not of a session.
    pub fn line(&self, output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
        match self {
            Self::Ndjson => object(output, line),
            Self::Readable(_) => {
                let at = line.get("at").and_then(Value::as_u64).map(Millis).unwrap_or_default();
                writeln!(output, "{}  {}", time(at), own_lines::sentence(line))
            }
        }
    }
}

fn object(output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}
