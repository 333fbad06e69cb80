//! The state of a mediator for people: a line in all, and one for each device.

use std::time::Duration;

use super::message::{DeviceReport, GroupReport, LockReport, MediatorReport};
use crate::mediator::GroupPrefixes;
use crate::output::columns::aligned;
use crate::output::figures::span;
use crate::output::times::Zone;
use crate::protocol::Millis;
use crate::text::size;

impl MediatorReport {
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![summary(self)];
        if !self.groups.is_empty() {
            let headings =
                ["GROUP", "DEVICE", "STATE", "SLOT", "MESSAGES", "BYTES", "NOTES"].map(str::to_owned).to_vec();
            let row = |group: &GroupReport| group.devices.iter().map(|device| row(group, device)).collect::<Vec<_>>();
            let rows: Vec<_> = std::iter::once(headings).chain(self.groups.iter().flat_map(row)).collect();
            lines.extend(aligned(&rows));
        }
        lines
    }
}

fn summary(state: &MediatorReport) -> String {
    let devices = || state.groups.iter().flat_map(|group| &group.devices);
    let connected = devices().filter(|device| device.connection.is_some()).count();
    let messages: usize = devices().map(|device| device.messages).sum();
    let bytes = devices().map(|device| device.bytes as u64).sum();
    let locks = state.groups.iter().filter(|group| group.lock.is_some()).count();
    let ready = if state.ready { "ready" } else { "takes no logins" };
    let served =
        if state.prefixes == GroupPrefixes::ALL { String::new() } else { format!("; serves {}", state.prefixes) };
    let moved = state.moved.map_or_else(String::new, |moved| format!("; moved away: {moved}"));
    format!(
        "{ready}{served}{moved}; groups: {}, devices: {}, connected: {connected}, messages that wait: {messages} ({}), locks held: {locks}",
        state.groups.len(),
        devices().count(),
        size(bytes)
    )
}

fn row(group: &GroupReport, device: &DeviceReport) -> Vec<String> {
    let since = |at: u64| Zone::Local.show(Millis(at), "%-d %b %H:%M");
    let connection = match (device.connection, device.last_disconnect) {
        (Some(_), _) => format!("on since {}", since(device.last_login)),
        (None, at) => format!("off since {}", since(at.unwrap_or(device.last_login))),
    };
    let slot = if device.volatile { "volatile" } else { "persistent" };
    let mut notes = Vec::new();
    if group.leader == Some(device.device) {
        notes.push("leader".to_owned());
    }
    if let Some(LockReport { left_ms, messages, .. }) = group.lock.filter(|lock| lock.holder == device.device) {
        let held_back = if messages == 0 { String::new() } else { format!(", {messages} messages under it") };
        notes.push(format!("lock, {} left{held_back}", span(Duration::from_millis(left_ms))));
    }
    let size = size(device.bytes as u64);
    let cells = [group.group.clone(), device.device.to_string(), connection, slot.to_owned()];
    cells.into_iter().chain([device.messages.to_string(), size, notes.join("; ")]).collect()
}
