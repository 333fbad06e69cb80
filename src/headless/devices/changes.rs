//! `devices --watch-changes`: only what differs from one list to the next.

use std::pin::pin;
use std::time::Duration;

use chrono::Local;
use serde_json::{Value, json};

use super::{Listed, in_words, ndjson};
use crate::cli::DevicesArgs;
use crate::group::{Event, NextStep};
use crate::headless::visitor::Visitor;
use crate::headless::words::{is_read, remark};
use crate::protocol::{Activity, DeviceId, Millis};
use crate::runtime::{Failure, Outcome, Visit, VisitEnd, signals};

/// Stays until it is interrupted, or the server wants a person to decide.
pub(super) fn watch(visitor: &mut Visitor, options: &DevicesArgs) -> Result<Outcome, Failure> {
    // The whole list each time: more often would be a flood for the mediator.
    if options.every < Duration::from_secs(1) {
        return Err(Failure::Usage("--every must be a second or more".to_owned()));
    }
    visitor.profile().session.timing.refresh_interval = options.every;
    let json = options.json;
    visitor.visit(async |visit| {
        let mut terminated = pin!(signals::terminated());
        tokio::select! {
            biased;
            () = &mut terminated => Ok(Outcome::Normal),
            ended = print(visit, json) => ended,
        }
    })
}

async fn print(visit: &mut Visit, json: bool) -> Result<Outcome, Failure> {
    let mut last: Option<Listed> = None;
    let mut logged_in = false;
    while let Some((at, event)) = visit.any().await {
        let lines = match &event {
            Event::LoggedIn(_) => {
                logged_in = true;
                Vec::new()
            }
            Event::DeviceChanged { device, change } => {
                let label = change.label().map(|label| format!("{label} ({device})"));
                let words = format!("{}: {}", label.unwrap_or_else(|| device.to_string()), change.sentence());
                vec![(ndjson::lines(at, &event).remove(0), words)]
            }
            Event::Devices(listed) => {
                let lines = last.iter().flat_map(|last| turns(last, listed)).map(|turn| turn.told(at, listed));
                let lines = lines.collect();
                last = Some(listed.clone());
                lines
            }
            Event::Disconnected { cause, next } => {
                let end = VisitEnd::Disconnected { cause: cause.clone(), next: *next, logged_in };
                if !logged_in || !matches!(next, NextStep::RetryAt { .. }) {
                    return Err(end.into());
                }
                remark(&format!("{end}; connecting again"));
                Vec::new()
            }
            _ => Vec::new(),
        };
        for (value, words) in lines {
            let line = if json { value.to_string() } else { format!("{} {words}", Local::now().format("%H:%M:%S")) };
            if !is_read(&line)? {
                return Ok(Outcome::Normal);
            }
        }
    }
    Ok(Outcome::Lost)
}

/// A device came, or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    device: DeviceId,
    to: Activity,
}

/// Which devices came or went between two lists; in `mk` only that one logged in anew is told.
fn turns(before: &Listed, now: &Listed) -> Vec<Turn> {
    let turn = |(id, device): (&DeviceId, &crate::group::ListedDevice)| {
        let was = before.get(id)?.activity;
        let turned = match (was, device.activity) {
            (Activity::ConnectedSince(_), Activity::ConnectedSince(_)) => false,
            (was, now) => was != now && now != Activity::Unknown,
        };
        turned.then_some(Turn { device: *id, to: device.activity })
    };
    now.iter().filter_map(turn).collect()
}

impl Turn {
    fn told(self, at: Millis, listed: &Listed) -> (Value, String) {
        let (event, words, field, since) = match self.to {
            Activity::ConnectedSince(since) => ("device_online", "is connected", "connected_since", since),
            Activity::LastDisconnect(since) => ("device_offline", "has disconnected", "last_disconnect_at", since),
            Activity::LastLogin(since) => ("device_logged_in", "has logged in", "last_login_at", since),
            Activity::Unknown => ("device_unknown", "is in an unknown state", "at", at),
        };
        let device = listed.get(&self.device);
        let label = device.and_then(|device| device.info.as_ref().ok()).map(|info| &info.label);
        let value = ndjson::line(at, event, json!({ "device": self.device, "label": label, field: since }));
        let name = device.map_or_else(|| self.device.to_string(), |device| in_words(self.device, device));
        (value, format!("{name}: {words}"))
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
            (Activity::LastDisconnect(early), Activity::ConnectedSince(late), Some("device_online")),
            (Activity::ConnectedSince(early), Activity::LastDisconnect(late), Some("device_offline")),
            // It was there and gone between two lists.
            (Activity::LastDisconnect(early), Activity::LastDisconnect(late), Some("device_offline")),
            (Activity::LastLogin(early), Activity::LastLogin(late), Some("device_logged_in")),
            (Activity::Unknown, Activity::ConnectedSince(late), Some("device_online")),
            // It reconnected: it is there as before.
            (Activity::ConnectedSince(early), Activity::ConnectedSince(late), None),
            (Activity::LastLogin(early), Activity::LastLogin(early), None),
            (Activity::ConnectedSince(early), Activity::Unknown, None),
        ] {
            let list = |activity| -> Listed {
                let device = ListedDevice { info: Err(OpenError::DoesNotDecrypt), activity, expiration_policy: None };
                [(DeviceId(1), device)].into()
            };
            let turns = turns(&list(before), &list(now));
            let names: Vec<Value> = turns.iter().map(|turn| turn.told(late, &list(now)).0["event"].clone()).collect();
            assert_eq!(names, told.into_iter().collect::<Vec<_>>(), "{before:?} to {now:?}");
        }
    }
}
