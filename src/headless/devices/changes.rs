//! `devices --watch-changes`: only what differs from one list to the next.

use std::time::Duration;

use serde_json::{Value, json};

use super::Listed;
use super::turns::turns;
use crate::cli::DevicesArgs;
use crate::group::{DisconnectCause, Event};
use crate::headless::one_shot_device::OneShotDevice;
use crate::os::signals::ShutdownSignals;
use crate::output::lines::{LineQueue, Overflow, Printer, Queued};
use crate::output::ndjson::NamesInLines;
use crate::output::sentences::disconnected;
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::output::{Failure, Outcome, ndjson};
use crate::protocol::{DeviceId, Millis};
use crate::runtime::reconnect::Reconnect;
use crate::runtime::{OneShotSession, clock};

/// Stays until it is interrupted, or the connection is not made again.
pub(super) fn watch(visitor: &mut OneShotDevice, options: &DevicesArgs) -> Result<Outcome, Failure> {
    // The whole list each time: more often would be a flood for the mediator.
    if options.every < Duration::from_secs(1) {
        return Err(Failure::Usage("--every must be a second or more".to_owned()));
    }
    let reconnect = Reconnect::parse(&options.reconnect)?;
    visitor.profile().session.timing.refresh_interval = options.every;
    let (own, json) = (visitor.own(), options.json);
    visitor.visit(async |visit| {
        let mut signals = ShutdownSignals::take();
        let printer = Printer::start().map_err(Failure::Start)?;
        let queue = LineQueue::default();
        let mut watching = Watching { own, json, reconnect, queue: &queue, last: None, away: None };
        let (ended, interrupted) = tokio::select! {
            biased;
            _ = signals.next() => (Ok(Outcome::Normal), true),
            () = printer.unread() => (Ok(Outcome::Normal), false),
            ended = watching.follow(visit) => (ended, false),
            () = print(&queue, &printer, json) => (Ok(Outcome::Normal), false),
        };
        printer.finish(waiting(&queue, json), &mut signals, interrupted).await?;
        ended
    })
}

/// Prints what waits as fast as it is read, until nobody reads any more.
async fn print(queue: &LineQueue<CountMissing>, printer: &Printer, json: bool) {
    loop {
        queue.changed().await;
        let Ok(room) = printer.lines.reserve().await else { return };
        let lines = waiting(queue, json);
        if !lines.is_empty() {
            room.send(lines);
        }
    }
}

/// The lines that wait, and how many are missing among them.
fn waiting(queue: &LineQueue<CountMissing>, json: bool) -> Vec<u8> {
    let text = |queued| match queued {
        Queued::Item(line) => line,
        Queued::LeftOut(lines) => {
            let value = ndjson::line(clock::now(), "left_out", json!({ "lines": lines }));
            line(json, &value, &format!("{lines} lines are missing here: they were not read in time"))
        }
    };
    queue.take().0.into_iter().map(text).collect::<String>().into_bytes()
}

fn line(json: bool, value: &Value, words: &str) -> String {
    if json { format!("{value}\n") } else { format!("{} {words}\n", Zone::Local.show(clock::now(), "%H:%M:%S")) }
}

/// Counts the lines that a slow reader misses.
struct CountMissing;

impl Overflow for CountMissing {
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

/// Takes everything that happens, however slow the reader is.
struct Watching<'a> {
    own: DeviceId,
    json: bool,
    reconnect: Reconnect,
    queue: &'a LineQueue<CountMissing>,
    last: Option<Listed>,
    /// Why there is no connection, as it was told.
    away: Option<DisconnectCause>,
}

impl Watching<'_> {
    async fn follow(&mut self, visit: &mut OneShotSession) -> Result<Outcome, Failure> {
        loop {
            let Some((at, event)) = visit.any().await else { return Ok(Outcome::Lost) };
            if let Some(ending) = self.reconnect.take(&event, false) {
                return ending;
            }
            self.remark(&event);
            for (value, words) in self.take(at, &event) {
                self.queue.push(line(self.json, &value, &words));
            }
        }
    }

    /// Says why there is no connection, once, and that there is one again.
    fn remark(&mut self, event: &Event) {
        match event {
            Event::LoggedIn(_) if self.away.take().is_some() => remark("connected again"),
            Event::Disconnected { cause, next }
                if !cause.tries_other_slot_state(*next) && self.away.as_ref() != Some(cause) =>
            {
                remark(&disconnected(cause, *next, Zone::Local));
                self.away = Some(cause.clone());
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
                vec![(ndjson::lines(at, event, NamesInLines::LeftOut).remove(0), words)]
            }
            Event::Devices(listed) => {
                let last = self.last.replace(listed.clone());
                let turns = last.iter().flat_map(|last| turns(self.own, last, listed));
                turns.filter_map(|turn| turn.told(at, listed)).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slow_reader_misses_is_counted_where_it_is_missing() {
        let queue = LineQueue::default();
        let long = "x".repeat(CountMissing::ROOM / 2 - 1) + "\n";
        for _ in 0..5 {
            queue.push(long.clone());
        }
        let printed = String::from_utf8(waiting(&queue, true)).unwrap();
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 3);
        let missing: Value = serde_json::from_str(lines[2]).unwrap();
        assert_eq!((&missing["event"], &missing["lines"]), (&json!("left_out"), &json!(3)));
        queue.push("next\n".to_owned());
        assert_eq!(waiting(&queue, true), b"next\n", "there is room again, and nothing is told twice");
    }
}
