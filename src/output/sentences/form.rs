//! [`Form`]: lines for programs or for people.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;

use super::{Readable, own_lines, time};
use crate::group::{Event, KnownDevices};
use crate::output::ndjson;
use crate::protocol::Millis;

/// The form of lines.
#[derive(Debug)]
pub enum Form {
    /// Objects for programs.
    Ndjson,
    /// Sentences for people.
    Readable(Box<Readable>),
}

impl Form {
    /// Sentences where standard output is a terminal, unless `--json` asks for objects.
    #[must_use]
    pub fn of_output(json: bool) -> Self {
        if json || !io::stdout().is_terminal() { Self::Ndjson } else { Self::Readable(Box::default()) }
    }

    /// Learns the labels of devices that are known from earlier.
    pub fn knowing(&mut self, devices: &KnownDevices) {
        if let Self::Readable(readable) = self {
            readable.learn_labels(devices.iter().filter_map(|(id, info)| Some((id, info?))));
        }
    }

    /// Learns names from an event, whether or not its line is printed.
    pub fn learn(&mut self, event: &Event) {
        if let Self::Readable(readable) = self {
            readable.learn(event);
        }
    }

    /// The same from a line of a command itself.
    pub fn learn_line(&mut self, line: &Value) {
        if let Self::Readable(readable) = self {
            readable.learn_line(line);
        }
    }

    /// Adds the lines of an event, after [`Self::learn`].
    pub fn event(&self, output: &mut Vec<u8>, at: Millis, event: &Event) -> io::Result<()> {
        match self {
            Self::Ndjson => ndjson::lines(at, event).iter().try_for_each(|line| object(output, line)),
            Self::Readable(readable) => {
                readable.lines(at, event).iter().try_for_each(|line| writeln!(output, "{line}"))
            }
        }
    }

    /// Adds a line of a command itself.
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
