//! What of a mediator a person means, and what would go with it.

use std::fmt;
use std::path::Path;

use super::message::{DeviceReport, GroupReport, MediatorReport, OperationTally};
use crate::mediator::GroupPrefixes;
use crate::text::{Clean, size};

/// How many candidates an error names.
const MOST_NAMED: usize = 5;

/// A name that fits nothing, or more than one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNamed {
    #[error("no {kind} has an id that begins with {name}; d2mtop mediator status lists them")]
    Nothing {
        /// What was looked for.
        kind: &'static str,
        name: Clean,
    },
    #[error("{name} can be more than one {kind}: {candidates}; give more digits")]
    Several { kind: &'static str, name: Clean, candidates: String },
}

impl MediatorReport {
    /// The only group whose id begins so, as its pseudonym does.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn group(&self, name: &str) -> Result<&GroupReport, NotNamed> {
        find("group", name, self.groups.iter().map(|group| (group.id.to_string(), group)))
    }
}

impl MediatorReport {
    /// What would follow from giving groups away.
    #[must_use]
    pub fn export_question(&self, prefixes: GroupPrefixes, file: &Path) -> String {
        let groups: Vec<&GroupReport> = self.groups.iter().filter(|group| prefixes.contains(&group.id)).collect();
        let devices = || groups.iter().flat_map(|group| &group.devices);
        let connected = devices().filter(|device| device.connection.is_some()).count();
        format!(
            "Move {} of {prefixes} with {} (connected: {connected}) into {}? This mediator refuses them from then on.",
            count(groups.len(), "group"),
            count(devices().count(), "device"),
            Clean::new(&file.display().to_string())
        )
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

impl fmt::Display for OperationTally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { groups, devices, messages, bytes } = self;
        let size = size(*bytes as u64);
        let [groups, devices] = [count(*groups, "group"), count(*devices, "device")];
        write!(formatter, "{groups} with {devices} and {} that wait ({size})", count(*messages, "message"))
    }
}

impl GroupReport {
    /// The only device whose id begins so.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn device(&self, name: &str) -> Result<&DeviceReport, NotNamed> {
        find("device", name, self.devices.iter().map(|device| (device.device.to_string(), device)))
    }
}

fn find<'a, T>(kind: &'static str, name: &str, all: impl Iterator<Item = (String, &'a T)>) -> Result<&'a T, NotNamed> {
    let begin = name.to_ascii_lowercase();
    let found: Vec<_> = all.filter(|(id, _)| !begin.is_empty() && id.starts_with(&begin)).collect();
    let name = Clean::new(name);
    match found.as_slice() {
        [(_, only)] => Ok(only),
        [] => Err(NotNamed::Nothing { kind, name }),
        several => {
            let ids: Vec<&str> = several.iter().take(MOST_NAMED).map(|(id, _)| id.as_str()).collect();
            let more = if several.len() > MOST_NAMED { ", and more" } else { "" };
            Err(NotNamed::Several { kind, name, candidates: ids.join(", ") + more })
        }
    }
}

/// What waits for devices, and goes with them.
#[derive(Clone, Copy, Debug)]
pub struct WaitingMessages {
    messages: usize,
    bytes: usize,
}

impl WaitingMessages {
    /// Of all of them together.
    #[must_use]
    pub fn of<'a>(devices: impl IntoIterator<Item = &'a DeviceReport>) -> Self {
        devices.into_iter().fold(Self { messages: 0, bytes: 0 }, |waiting, device| Self {
            messages: waiting.messages + device.messages,
            bytes: waiting.bytes + device.bytes,
        })
    }
}

impl fmt::Display for WaitingMessages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = size(self.bytes as u64);
        match self.messages {
            0 => formatter.write_str("for which nothing waits"),
            1 => write!(formatter, "with 1 message that waits ({size})"),
            messages => write!(formatter, "with {messages} messages that wait ({size})"),
        }
    }
}
