//! The device list: asked for, compared with what was known, and kept up to date, since the protocol pushes none.

use std::collections::BTreeMap;

use super::{Session, SessionTiming};
use crate::group::{Event, KnownDevices, ListedDevice, Probe};
use crate::protocol::{ClientMessage, DeviceActivity, DeviceEntry, DeviceId, Millis};

impl Session {
    /// An answer came that cannot be read: the next one is the answer to the next request.
    pub(super) fn on_unreadable_list(&mut self) {
        if let Some(online) = self.online() {
            online.awaited_lists.pop_front();
        }
    }

    pub(super) fn request_devices(&mut self, now: Millis) {
        let interval = self.config.timing.refresh_interval;
        let precise = self.precise;
        let Some(online) = self.online() else { return };
        if online.is_owed_too_much() {
            // One more request tells nothing that their answers will not tell.
            online.next_list = now.after(interval);
            return;
        }
        online.awaited_lists.push_back(precise);
        online.asked_at = now;
        online.outdated = false;
        online.next_list = now.after(interval);
        self.send(&ClientMessage::GetDevicesInfo);
    }

    /// Asks for the list soon if it does not have a device that does something now.
    pub(super) fn refresh_if_missing(&mut self, device: DeviceId) {
        let pause = self.config.timing.refresh_pause;
        if let Some(online) = self.online()
            && !online.there.contains(&device)
        {
            let last = online.listed_at.max(online.asked_at);
            online.next_list = online.next_list.min(last.after(pause));
        }
    }

    /// Asks for the list, now or as soon as the last request is long enough ago: something ended that may have changed it.
    pub(super) fn refresh_soon(&mut self) {
        let pause = self.config.timing.refresh_pause;
        if let Some(online) = self.online() {
            online.outdated = true;
            online.next_list = online.next_list.min(online.asked_at.after(pause));
        }
    }

    pub(super) fn on_devices(&mut self, now: Millis, devices: &BTreeMap<DeviceId, DeviceEntry>) {
        let own = self.config.device_id;
        let SessionTiming { refresh_interval: interval, refresh_pause: pause, .. } = self.config.timing;
        let company =
            devices.iter().any(|(id, entry)| *id != own && matches!(entry.activity, DeviceActivity::ConnectedSince(_)));
        let Some(online) = self.online() else { return };
        online.company |= company;
        let is_there = |entry: &DeviceEntry| !matches!(entry.activity, DeviceActivity::LastDisconnect(_));
        online.there = devices.iter().filter(|(_, entry)| is_there(entry)).map(|(id, _)| *id).collect();
        online.listed_at = now;
        // Whatever spoke before this list was made is in it; what ended after it was asked for may not be.
        let soon = online.asked_at.after(pause);
        online.next_list = if online.outdated { soon.min(now.after(interval)) } else { now.after(interval) };
        if let Some(asked) = online.awaited_lists.pop_front() {
            self.emit(Event::RoundTrip { probe: Probe::DevicesInfo, elapsed: self.since(asked) });
        }
        self.stored.retain(|device| devices.contains_key(device));
        let mut reused = Vec::new();
        let (keys, stored) = (&self.config.keys, &mut self.stored);
        let listed: BTreeMap<DeviceId, ListedDevice> = devices
            .iter()
            .map(|(id, entry)| {
                let info = match stored.device_info(*id, &entry.device_info) {
                    Ok(()) => entry.device_info.open(keys),
                    Err((_, last)) => {
                        reused.push(*id);
                        last.open(keys)
                    }
                };
                let device =
                    ListedDevice { info, activity: entry.activity, expiration_policy: entry.expiration_policy };
                (*id, device)
            })
            .collect();
        for device in reused {
            self.ignored(&format!("a description of device {device} that uses the nonce of another one"));
        }
        let seen = KnownDevices::of(&listed, own);
        let changes = self.known.as_ref().map_or_else(Vec::new, |known| known.changes_to(&seen));
        self.known.get_or_insert_default().follow(seen);
        for (device, change) in changes {
            self.emit(Event::DeviceChanged { device, change });
        }
        self.emit(Event::Devices(listed));
        self.on_list_for_drop(devices);
        self.leave_if_promoted(now);
    }
}
