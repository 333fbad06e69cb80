//! [`SlotMemory`]: the last known state of a profile's slot at the mediator, kept in a file between two runs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::ProfileName;
use crate::group::{DisconnectCause, Event, NextStep};
use crate::os::private_files;
use crate::protocol::{CloseCode, DeviceId, ExpirationPolicy, Millis, SlotState};
use crate::session::SlotExpectation;

/// How long after the last connection a volatile slot counts as expired. No server says how long it keeps one.
pub const VOLATILE_GONE_AFTER: Duration = Duration::from_mins(10);

/// In the state directory of the profile.
const FILE: &str = "slot.json";

/// How often the time of the last connection is written, at most.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// The last known state of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownSlot {
    /// The device id, in hex digits.
    device: String,
    /// The mediator's URL template.
    mediator: String,
    pub slot: SlotStatus,
    /// Whether the last login asked for a persistent slot.
    #[serde(default)]
    persistent: Option<bool>,
    /// Since when it has this status, in milliseconds since 1970.
    pub since: u64,
    /// When this device was last connected, in milliseconds since 1970.
    pub seen: u64,
}

/// Whether the mediator has a slot for this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotStatus {
    /// A login has registered it.
    Registered,
    /// It was volatile, and has expired.
    Expired,
    /// It was dropped: the mediator said so, or has no persistent slot any more.
    Gone,
}

/// Remembers the slot of one profile.
#[derive(Clone, Debug)]
pub struct SlotMemory {
    path: PathBuf,
    device: DeviceId,
    mediator: String,
    known: Option<KnownSlot>,
    /// Whether the last known slot of this device is at another address.
    elsewhere: bool,
    /// The expiration policy that the running session asks for.
    policy: ExpirationPolicy,
    /// Whether the session is logged in.
    online: bool,
}

impl SlotMemory {
    /// What is remembered of this profile's device at this mediator.
    #[must_use]
    pub fn read(name: &ProfileName, device: DeviceId, mediator: &str) -> Option<Self> {
        Some(Self::read_at(super::directories::profile_state(name)?.join(FILE), device, mediator))
    }

    /// What is remembered of the device of visitors who have no profile: in a directory for one mediator, whose address is
    /// nobody's business there.
    pub(super) fn of_visits(directory: &std::path::Path, device: DeviceId) -> Self {
        Self::read_at(directory.join(FILE), device, "")
    }

    fn read_at(path: PathBuf, device: DeviceId, mediator: &str) -> Self {
        // A file that cannot be read counts as missing: the mediator decides anyway.
        let known =
            private_files::read(&path).ok().flatten().and_then(|text| serde_json::from_str::<KnownSlot>(&text).ok());
        let ours = known.filter(|known| known.device == device.to_string());
        let elsewhere = |known: &KnownSlot| known.mediator != mediator && known.slot == SlotStatus::Registered;
        let elsewhere = ours.as_ref().is_some_and(elsewhere);
        let known = ours.filter(|known| known.mediator == mediator);
        Self {
            path,
            device,
            mediator: mediator.to_owned(),
            known,
            elsewhere,
            policy: ExpirationPolicy::Persistent,
            online: false,
        }
    }

    /// The last known state; [`None`] if this device has never logged in.
    #[must_use]
    pub const fn known(&self) -> Option<&KnownSlot> {
        self.known.as_ref()
    }

    /// The slot state that the next login expects. Nobody tells when a volatile slot expires, or whether another address is
    /// the same mediator: then the other state is tried, too. A missing persistent slot was dropped, and only a person may
    /// register it again.
    #[must_use]
    pub fn expects(&self, now: Millis) -> SlotExpectation {
        let policy = self.kept();
        let is_kept = |seen| policy == ExpirationPolicy::Persistent || now.since(Millis(seen)) < VOLATILE_GONE_AFTER;
        match &self.known {
            Some(KnownSlot { slot: SlotStatus::Registered, seen, .. }) if is_kept(*seen) => {
                SlotExpectation::after_login(policy)
            }
            Some(KnownSlot { slot: SlotStatus::Registered | SlotStatus::Expired, .. }) => {
                SlotExpectation::First(SlotState::New)
            }
            None if self.elsewhere => SlotExpectation::First(SlotState::New),
            None | Some(KnownSlot { slot: SlotStatus::Gone, .. }) => SlotExpectation::Only(SlotState::New),
        }
    }

    /// Whether this device was dropped from the group: only a person may decide that it joins again.
    #[must_use]
    pub fn was_dropped(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.slot == SlotStatus::Gone)
    }

    /// Sets the expiration policy that the next login asks for.
    pub const fn set_expiration_policy(&mut self, policy: ExpirationPolicy) {
        self.policy = policy;
    }

    /// Notes that a login at this time registered the slot, or found it.
    pub fn registered(&mut self, at: Millis) {
        self.set(SlotStatus::Registered, at);
        if let Some(known) = &mut self.known {
            known.persistent = Some(self.policy == ExpirationPolicy::Persistent);
        }
    }

    /// Takes an event of the session. Returns whether the file should be written.
    pub fn learn(&mut self, at: Millis, event: &Event) -> bool {
        match event {
            Event::LoggedIn(_) => {
                self.online = true;
                self.registered(at);
                true
            }
            Event::Disconnected { cause, next } => {
                let refreshed = self.refresh(at, Duration::ZERO);
                self.online = false;
                match cause {
                    DisconnectCause::ClosedByServer { code, expected, .. } => {
                        self.learn_from_close(at, *code, *expected, *next) || refreshed
                    }
                    _ => refreshed,
                }
            }
            // This device left the group.
            Event::DeviceDropped(device) if *device == self.device => {
                self.online = false;
                self.set(SlotStatus::Gone, at)
            }
            _ => self.refresh(at, SEEN_EVERY),
        }
    }

    fn learn_from_close(&mut self, at: Millis, code: CloseCode, expected: SlotState, next: NextStep) -> bool {
        match (code, expected) {
            // The session itself tries the other state, where that does no harm.
            (CloseCode::SLOT_STATE_MISMATCH, _) if next != NextStep::WaitForUser => false,
            // The slot has not expired after all. If it never was ours, the id belongs to another device.
            (CloseCode::SLOT_STATE_MISMATCH, SlotState::New) => {
                let was_ours = self.known.as_ref().is_some_and(|known| known.slot == SlotStatus::Registered);
                was_ours && self.set(SlotStatus::Registered, at)
            }
            (CloseCode::SLOT_STATE_MISMATCH, _) if self.kept() == ExpirationPolicy::Volatile => {
                self.set(SlotStatus::Expired, at)
            }
            (CloseCode::SLOT_STATE_MISMATCH | CloseCode::DROPPED_BY_DEVICE | CloseCode::REFLECTION_QUEUE_LIMIT, _) => {
                self.set(SlotStatus::Gone, at)
            }
            _ => false,
        }
    }

    fn set(&mut self, slot: SlotStatus, at: Millis) -> bool {
        let since = self.known.as_ref().filter(|known| known.slot == slot).map_or(at.0, |known| known.since);
        let persistent = Some(self.kept() == ExpirationPolicy::Persistent);
        let (device, mediator) = (self.device.to_string(), self.mediator.clone());
        self.known = Some(KnownSlot { device, mediator, slot, persistent, since, seen: at.0 });
        true
    }

    /// The expiration policy of the slot: the one of the last login, else the one of this session.
    fn kept(&self) -> ExpirationPolicy {
        match self.known.as_ref().and_then(|known| known.persistent) {
            Some(true) => ExpirationPolicy::Persistent,
            Some(false) => ExpirationPolicy::Volatile,
            None => self.policy,
        }
    }

    /// A volatile slot expires some time after the connection ends, and the end may not be noticed.
    fn refresh(&mut self, at: Millis, every: Duration) -> bool {
        match &mut self.known {
            Some(known) if self.online && at.since(Millis(known.seen)) > every => {
                known.seen = at.0;
                true
            }
            _ => false,
        }
    }

    /// Writes the file, if anything is known.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self) -> io::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        private_files::replace(&self.path, serde_json::to_string(known)?.as_bytes())
    }
}

#[cfg(test)]
mod tests;
