//! [`Readable`]: lines for people, by the names that were learned.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{LOOK_HERE, time};
use crate::group::{ConversationNames, Event, FeedRow, ReflectedMessage};
use crate::output::columns;
use crate::protocol::{DeviceId, DeviceInfo, Millis};
use crate::text::Clean;

/// How many devices are remembered by name.
const MOST_LABELS: usize = 4_096;

/// Writes lines for people, and remembers what devices and contacts are called.
#[derive(Debug, Default)]
pub struct Readable {
    names: ConversationNames,
    labels: BTreeMap<DeviceId, Clean>,
    own: Option<DeviceId>,
    /// Whether a chat client is there.
    pub(super) chat_client: bool,
}

impl Readable {
    /// The lines of what a session tells: one a message, one for all else.
    pub(super) fn lines(&self, at: Millis, event: &Event) -> Vec<String> {
        match event {
            Event::Reflected(messages) => messages.iter().map(|message| self.message(message)).collect(),
            event => vec![format!("{}  {}", time(at), self.sentence(event))],
        }
    }

    pub(super) fn learn(&mut self, event: &Event) {
        match event {
            Event::LoggedIn(login) => self.own = Some(login.own),
            Event::Devices(devices) => {
                // Who has left is still called so, but a server may not fill the memory with names.
                if self.labels.len() > MOST_LABELS {
                    self.labels.clear();
                }
                self.learn_labels(devices.iter().filter_map(|(id, device)| Some((*id, device.info.as_ref().ok()?))));
            }
            Event::Reflected(messages) => {
                messages.iter().filter_map(|message| message.content.as_ref().ok()).for_each(|summary| {
                    self.names.learn(summary);
                });
            }
            _ => {}
        }
    }

    pub(super) fn learn_line(&mut self, line: &Value) {
        match line.get("event").and_then(Value::as_str) {
            Some("client_connected") => self.chat_client = true,
            Some("client_disconnected") => self.chat_client = false,
            _ => {}
        }
    }

    pub(super) fn learn_labels<'a>(&mut self, devices: impl Iterator<Item = (DeviceId, &'a DeviceInfo)>) {
        let labels = devices.map(|(id, info)| (id, info.label.clone()));
        self.labels.extend(labels.filter(|(_, label)| !label.is_empty()));
    }

    /// What people call a device: its label, or its id.
    pub(super) fn device(&self, device: DeviceId) -> String {
        if self.own == Some(device) {
            return "this device".to_owned();
        }
        self.labels.get(&device).map_or_else(|| device.to_string(), Clean::to_string)
    }

    fn message(&self, message: &ReflectedMessage) -> String {
        let row = FeedRow::new(message);
        let author = row.author().map_or_else(|| "-".to_owned(), |author| self.device(author));
        let look_here = if row.content.is_err() { LOOK_HERE } else { "" };
        let sentence = format!("{look_here}{}", row.sentence(&self.names));
        columns::message(&time(row.received_at), &author, &sentence, &row, false)
    }
}
