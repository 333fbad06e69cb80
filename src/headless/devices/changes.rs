//! `devices --watch-changes`: only what differs from one list to the next.

use std::time::Duration;

use chrono::Local;
use serde_json::{Value, json};

use super::{Listed, in_words, ndjson};
use crate::cli::DevicesArgs;
use crate::group::{DisconnectCause, Event};
use crate::headless::one_shot_device::OneShotDevice;
use crate::headless::reconnect::Reconnect;
use crate::os::signals::ShutdownSignals;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::Printer;
use crate::output::ndjson::NamesInLines;
use crate::output::sentences::disconnected;
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::protocol::{DeviceActivity, DeviceId, Millis};
use crate::runtime::{OneShotSession, clock};

/// How many bytes of lines may wait for a slow reader before lines are left out.
const MOST_UNPRINTED: usize = 256 * 1024;

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
        let mut watching =
            Watching { own, json, reconnect, printer, unprinted: String::new(), left_out: 0, last: None, away: None };
        let (ended, interrupted) = tokio::select! {
            biased;
            _ = signals.next() => (Ok(Outcome::Normal), true),
            ended = watching.follow(visit) => (ended, false),
        };
        watching.confess();
        let Watching { printer, unprinted, .. } = watching;
        printer.finish(unprinted.into_bytes(), &mut signals, interrupted).await?;
        ended
    })
}

/// Takes everything that happens, however slow the reader is.
struct Watching {
    own: DeviceId,
    json: bool,
    reconnect: Reconnect,
    printer: Printer,
    /// The lines that the printer has not taken yet.
    unprinted: String,
    /// How many lines had no room among them.
    left_out: u64,
    last: Option<Listed>,
    /// Why there is no connection, as it was told.
    away: Option<DisconnectCause>,
}

impl Watching {
    async fn follow(&mut self, visit: &mut OneShotSession) -> Result<Outcome, Failure> {
        loop {
            let lines = self.printer.lines.clone();
            let told = tokio::select! {
                biased;
                () = self.printer.unread() => return Ok(Outcome::Normal),
                room = lines.reserve_owned(), if !self.unprinted.is_empty() => {
                    if let Ok(room) = room {
                        room.send(std::mem::take(&mut self.unprinted).into_bytes());
                        self.confess();
                    }
                    continue;
                }
                told = visit.any() => told,
            };
            let Some((at, event)) = told else { return Ok(Outcome::Lost) };
            if let Some(ending) = self.reconnect.take(&event, false) {
                return ending;
            }
            self.remark(&event);
            for (value, words) in self.take(at, &event) {
                if self.unprinted.len() < MOST_UNPRINTED {
                    self.add(&value, &words);
                } else {
                    self.left_out += 1;
                }
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

    fn add(&mut self, value: &Value, words: &str) {
        let line = if self.json { value.to_string() } else { format!("{} {words}", Local::now().format("%H:%M:%S")) };
        self.unprinted.push_str(&line);
        self.unprinted.push('\n');
    }

    /// Says how many lines are missing, as soon as there is room, or at the end.
    fn confess(&mut self) {
        let lines = std::mem::take(&mut self.left_out);
        if lines > 0 {
            let value = ndjson::line(clock::now(), "left_out", json!({ "lines": lines }));
            self.add(&value, &format!("{lines} lines are missing here: they were not read in time"));
        }
    }
}

/// A device came, or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    device: DeviceId,
    to: DeviceActivity,
}

/// Which other devices came or went between two lists; in `mk` only that one logged in anew is told.
fn turns(own: DeviceId, before: &Listed, now: &Listed) -> Vec<Turn> {
    let turn = |(id, device): (&DeviceId, &crate::group::ListedDevice)| {
        let was = before.get(id).filter(|_| *id != own)?.activity;
        let turned = match (was, device.activity) {
            (DeviceActivity::ConnectedSince(_), DeviceActivity::ConnectedSince(_)) => false,
            (was, now) => was != now,
        };
        turned.then_some(Turn { device: *id, to: device.activity })
    };
    now.iter().filter_map(turn).collect()
}

impl Turn {
    /// [`None`] if the list says nothing of it any more.
    fn told(self, at: Millis, listed: &Listed) -> Option<(Value, String)> {
        let (event, words, field, since) = match self.to {
            DeviceActivity::ConnectedSince(since) => ("device_online", "is connected", "connected_since", since),
            DeviceActivity::LastDisconnect(since) => {
                ("device_offline", "has disconnected", "last_disconnect_at", since)
            }
            DeviceActivity::LastLogin(since) => ("device_logged_in", "has logged in", "last_login_at", since),
            DeviceActivity::Unknown => return None,
        };
        let device = listed.get(&self.device);
        let label = device.and_then(|device| device.info.as_ref().ok()).map(|info| &info.label);
        let value = ndjson::line(at, event, json!({ "device": self.device, "label": label, field: since }));
        let name = device.map_or_else(|| self.device.to_string(), |device| in_words(self.device, device));
        Some((value, format!("{name}: {words}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::ListedDevice;
    use crate::protocol::OpenError;

    #[test]
    fn only_who_comes_or_goes_is_told() {
        let (early, late) = (Millis(1), Millis(2));
        for (before, now, told) in [
            (DeviceActivity::LastDisconnect(early), DeviceActivity::ConnectedSince(late), Some("device_online")),
            (DeviceActivity::ConnectedSince(early), DeviceActivity::LastDisconnect(late), Some("device_offline")),
            // It was there and gone between two lists.
            (DeviceActivity::LastDisconnect(early), DeviceActivity::LastDisconnect(late), Some("device_offline")),
            (DeviceActivity::LastLogin(early), DeviceActivity::LastLogin(late), Some("device_logged_in")),
            (DeviceActivity::Unknown, DeviceActivity::ConnectedSince(late), Some("device_online")),
            // It reconnected: it is there as before.
            (DeviceActivity::ConnectedSince(early), DeviceActivity::ConnectedSince(late), None),
            (DeviceActivity::LastLogin(early), DeviceActivity::LastLogin(early), None),
            (DeviceActivity::ConnectedSince(early), DeviceActivity::Unknown, None),
        ] {
            let list = |activity| -> Listed {
                let device = ListedDevice { info: Err(OpenError::DoesNotDecrypt), activity, expiration_policy: None };
                [(DeviceId(1), device)].into()
            };
            let turned = turns(DeviceId(2), &list(before), &list(now));
            let lines = turned.iter().filter_map(|turn| turn.told(late, &list(now)));
            let names: Vec<Value> = lines.map(|(value, _)| value["event"].clone()).collect();
            assert_eq!(names, told.into_iter().collect::<Vec<_>>(), "{before:?} to {now:?}");
            // What we do ourselves is no news.
            assert_eq!(turns(DeviceId(1), &list(before), &list(now)), []);
        }
    }
}
