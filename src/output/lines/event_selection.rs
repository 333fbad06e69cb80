//! [`EventSelection`]: the events that are printed, and the form of their lines.

use std::collections::BTreeSet;
use std::io;

use serde_json::Value;

use super::{LeftOutEvents, Queued, QueuedEvent, TimedEvent};
use crate::output::{Failure, Form, ndjson};

/// The events that are printed, and the form of their lines.
#[derive(Debug)]
pub struct EventSelection {
    /// All, unless some are named.
    only: Option<BTreeSet<String>>,
    /// As what they are printed.
    pub form: Form,
}

impl EventSelection {
    /// Only the named events, or all if none is named.
    ///
    /// # Errors
    /// If an event is named that there is not.
    pub fn new(only: &[String], form: Form) -> Result<Self, Failure> {
        if let Some(unknown) = only.iter().find(|name| !ndjson::EVENTS.contains(&name.as_str())) {
            let known = ndjson::EVENTS.join(", ");
            return Err(Failure::Usage(format!("--only: no event is called {unknown:?}; there are {known}")));
        }
        let only = (!only.is_empty()).then(|| only.iter().cloned().collect());
        Ok(Self { only, form })
    }

    /// Whether an event of this name is printed.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Adds the lines of what was told.
    ///
    /// # Errors
    /// If the output takes none.
    pub fn write(&mut self, output: &mut Vec<u8>, told: &QueuedEvent) -> io::Result<()> {
        if let Queued::Item(TimedEvent { event, .. }) = told {
            self.form.learn(event);
        }
        match told {
            // What comes by the thousand is not even made if nobody wants it.
            Queued::Item(TimedEvent { event, .. }) if !self.wants(ndjson::name(event)) => Ok(()),
            Queued::Item(TimedEvent { at, event }) => self.form.event(output, *at, event),
            Queued::LeftOut(left_out) if self.misses(left_out) => {
                let LeftOutEvents { at, messages, acknowledged, events, .. } = *left_out;
                self.form.line(output, &ndjson::left_out(at, messages, acknowledged, events))
            }
            Queued::LeftOut(_) => Ok(()),
        }
    }

    /// Who wants messages wants to know that some are missing; of other events nobody knows what they were.
    fn misses(&self, left_out: &LeftOutEvents) -> bool {
        left_out.events > 0 || ["left_out", "reflected", "acknowledged"].iter().any(|name| self.wants(name))
    }

    /// Whether somebody is told of every device that is not as known.
    #[must_use]
    pub fn tells_of_device_changes(&self) -> bool {
        ["device_new", "device_changed", "device_undecryptable", "device_gone"].iter().all(|name| self.wants(name))
    }

    /// Adds a line, if it is wanted.
    ///
    /// # Errors
    /// If the output takes none.
    pub fn write_line(&self, output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
        let name = line.get("event").and_then(Value::as_str).unwrap_or_default();
        if self.wants(name) { self.form.line(output, line) } else { Ok(()) }
    }
}
