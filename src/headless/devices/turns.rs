//! [`DeviceTurn`]: who came or went between two lists.

use serde_json::{Value, json};

use super::Listed;
use crate::group::ListedDevice;
use crate::output::ndjson;
use crate::protocol::{DeviceActivity, DeviceId, Millis};

/// A device came, or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceTurn {
    device: DeviceId,
    to: DeviceActivity,
}

/// Which other devices came or went between two lists; in `mk` only that one logged in anew is told.
pub(super) fn turns(own: DeviceId, before: &Listed, now: &Listed) -> Vec<DeviceTurn> {
    let turn = |(id, device): (&DeviceId, &ListedDevice)| {
        let was = before.get(id).filter(|_| *id != own)?.activity;
        let turned = match (was, device.activity) {
            (DeviceActivity::ConnectedSince(_), DeviceActivity::ConnectedSince(_)) => false,
            (was, now) => was != now,
        };
        turned.then_some(DeviceTurn { device: *id, to: device.activity })
    };
    now.iter().filter_map(turn).collect()
}

impl DeviceTurn {
    /// [`None`] if the list says nothing of it any more.
    pub(super) fn told(self, at: Millis, listed: &Listed) -> Option<(Value, String)> {
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
        let name = device.map_or_else(|| self.device.to_string(), |device| device.name_with_id(self.device));
        Some((value, format!("{name}: {words}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
