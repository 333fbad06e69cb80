//! `devices --watch-changes`: only what differs from one list to the next.

use std::time::Duration;

use chrono::Local;
use serde_json::{Value, json};

use super::Listed;
use super::presence::presence_changes;
use crate::cli::DevicesArgs;
use crate::group::{DisconnectCause, Event};
use crate::headless::connection::{OneShotDevice, Reconnect};
use crate::os::signals::ShutdownSignals;
use crate::output::lines::{LineQueue, Overflow, Printer, Queued};
use crate::output::ndjson;
use crate::output::sentences::disconnected;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::protocol::{DeviceId, Millis};
use crate::runtime::one_shot::SIGNAL_PATIENCE;
use crate::runtime::{OneShotSession, clock};

/// Bounds the bytes of lines that wait for a slow reader, and counts the lines that are left out.
struct ByteBudget;

impl Overflow for ByteBudget {
    type Item = String;
    type LeftOut = u64;

    const ROOM: usize = 256 * 1024;

    fn room_of(line: &String) -> usize {
        line.len()
    }

    fn leave_out(left_out: Option<u64>, _line: &String) -> u64 {
        left_out.unwrap_or(0) + 1
    }

    fn join(first: u64, then: u64) -> u64 {
        first + then
    }
}

/// Stays until it is interrupted, or the connection is not made again.
pub(super) fn watch(device: &mut OneShotDevice, options: &DevicesArgs) -> Result<Outcome, Failure> {
    // The whole list each time: more often would be a flood for the mediator.
    if options.every < Duration::from_secs(1) {
        return Err(Failure::Usage("--every must be a second or more".to_owned()));
    }
    let reconnect = Reconnect::parse(&options.reconnect)?;
    device.profile().session.timing.refresh_interval = options.every;
    let (own, json) = (device.own(), options.json);
    device.run_session(async |session| {
        let mut signals = ShutdownSignals::take();
        let printer = Printer::start().map_err(Failure::Start)?;
        let unprinted = LineQueue::default();
        let mut watcher = ChangeWatcher { own, json, reconnect, printer, unprinted, last: None, told_cause: None };
        let (ended, interrupted) = tokio::select! {
            biased;
            _ = signals.next() => (Ok(Outcome::Normal), true),
            ended = watcher.follow(session) => (ended, false),
        };
        let last = watcher.take_unprinted();
        watcher.printer.end_unless_interrupted(last, &mut signals, interrupted, SIGNAL_PATIENCE).await?;
        ended
    })
}

/// Takes all events, however slow the reader is.
struct ChangeWatcher {
    own: DeviceId,
    json: bool,
    reconnect: Reconnect,
    printer: Printer,
    /// The lines that the printer has not taken yet.
    unprinted: LineQueue<ByteBudget>,
    last: Option<Listed>,
    /// Why there is no connection, once that was printed.
    told_cause: Option<DisconnectCause>,
}

impl ChangeWatcher {
    async fn follow(&mut self, session: &mut OneShotSession) -> Result<Outcome, Failure> {
        loop {
            let lines = self.printer.lines.clone();
            let next = tokio::select! {
                biased;
                () = self.printer.unread() => return Ok(Outcome::Normal),
                room = lines.reserve_owned(), if !self.unprinted.is_empty() => {
                    if let Ok(room) = room {
                        room.send(self.take_unprinted());
                    }
                    continue;
                }
                next = session.any() => next,
            };
            let Some((at, event)) = next else { return Ok(Outcome::Lost) };
            if let Some(ending) = self.reconnect.take(&event, false) {
                return ending;
            }
            self.remark(&event);
            for (value, words) in self.take(at, &event) {
                self.unprinted.push(self.line(&value, &words));
            }
        }
    }

    /// Says why there is no connection, once, and that there is one again.
    fn remark(&mut self, event: &Event) {
        match event {
            Event::LoggedIn(_) if self.told_cause.take().is_some() => remark("connected again"),
            Event::Disconnected { cause, next }
                if !cause.tries_other_slot_state(*next) && self.told_cause.as_ref() != Some(cause) =>
            {
                remark(&disconnected(cause, *next));
                self.told_cause = Some(cause.clone());
            }
            _ => {}
        }
    }

    /// The lines that an event makes.
    fn take(&mut self, at: Millis, event: &Event) -> Vec<(Value, String)> {
        match event {
            Event::DeviceChanged { device, change } => {
                let label = change.label().map(|label| format!("{label} ({device})"));
                let words = format!("{}: {}", label.unwrap_or_else(|| device.to_string()), change.sentence());
                vec![(ndjson::lines(at, event).remove(0), words)]
            }
            Event::Devices(listed) => {
                let last = self.last.replace(listed.clone());
                let changes = last.iter().flat_map(|last| presence_changes(self.own, last, listed));
                changes.filter_map(|change| change.line(at, listed)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn line(&self, value: &Value, words: &str) -> String {
        let line = if self.json { value.to_string() } else { format!("{} {words}", Local::now().format("%H:%M:%S")) };
        line + "\n"
    }

    /// The lines that the printer has not taken yet, with how many are missing.
    fn take_unprinted(&self) -> Vec<u8> {
        let (lines, _) = self.unprinted.take();
        let text = lines.into_iter().map(|line| match line {
            Queued::Item(line) => line,
            Queued::LeftOut(lines) => {
                let value = ndjson::line(clock::now(), "left_out", json!({ "lines": lines }));
                self.line(&value, &format!("{lines} lines are missing here: they were not read in time"))
            }
        });
        text.collect::<String>().into_bytes()
    }
}
