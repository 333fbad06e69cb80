//! [`SlotMemory`]: what was last known of a profile's slot at the mediator, kept between two runs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::ProfileName;
use super::private;
use crate::group::{DisconnectCause, Event, NextStep};
use crate::protocol::{CloseCode, DeviceId, ExpirationPolicy, Millis, SlotState};
use crate::session::Expectation;

/// After how long away a volatile slot must have expired. No server says how long it keeps one.
pub const VOLATILE_GONE_AFTER: Duration = Duration::from_mins(10);

/// In the directory of what the machine learns of a profile.
const FILE: &str = "slot.json";

/// How often at most being there is noted.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// What is known of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownSlot {
    /// Whose slot: the device id as people read it.
    device: String,
    /// Where: the mediator's URL template.
    mediator: String,
    /// Whether it was there.
    pub slot: SlotStatus,
    /// Whether it was to be kept, as the last login said.
    #[serde(default)]
    persistent: Option<bool>,
    /// Since when that is known, in milliseconds since 1970.
    pub since: u64,
    /// When we were last connected, likewise.
    pub seen: u64,
}

/// Whether the mediator has a slot for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotStatus {
    /// It took a login.
    Registered,
    /// It was volatile, and is not there any more, as may be.
    Expired,
    /// The mediator dropped it, or has none although it should: somebody wanted it so.
    Gone,
}

/// Remembers the slot of one profile.
#[derive(Clone, Debug)]
pub struct SlotMemory {
    path: PathBuf,
    device: DeviceId,
    mediator: String,
    known: Option<KnownSlot>,
    /// Whether this device had a slot when it was last seen, at another address.
    elsewhere: bool,
    /// For how long the running session wants it kept.
    policy: ExpirationPolicy,
    /// Whether it is logged in.
    online: bool,
}

impl SlotMemory {
    /// What is remembered of this profile's device at this mediator.
    #[must_use]
    pub fn read(name: &ProfileName, device: DeviceId, mediator: &str) -> Option<Self> {
        Some(Self::read_at(super::directories::profile_state(name)?.join(FILE), device, mediator))
    }

    fn read_at(path: PathBuf, device: DeviceId, mediator: &str) -> Self {
        // What cannot be read is as good as forgotten: the mediator knows better anyway.
        let known = private::read(&path).ok().flatten().and_then(|text| serde_json::from_str::<KnownSlot>(&text).ok());
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

    /// What is known; [`None`] if this device was never there.
    #[must_use]
    pub const fn known(&self) -> Option<&KnownSlot> {
        self.known.as_ref()
    }

    /// Whether the mediator should know this device now. When a volatile slot expires nobody tells; nor whether another
    /// address is the same mediator's. A persistent one that is not there was dropped, which is not ours to undo.
    #[must_use]
    pub fn expects(&self, now: Millis) -> Expectation {
        let policy = self.kept();
        let is_kept = |seen| policy == ExpirationPolicy::Persistent || now.since(Millis(seen)) < VOLATILE_GONE_AFTER;
        match &self.known {
            Some(KnownSlot { slot: SlotStatus::Registered, seen, .. }) if is_kept(*seen) => {
                Expectation::after_login(policy)
            }
            Some(KnownSlot { slot: SlotStatus::Registered | SlotStatus::Expired, .. }) => {
                Expectation::First(SlotState::New)
            }
            None if self.elsewhere => Expectation::First(SlotState::New),
            None | Some(KnownSlot { slot: SlotStatus::Gone, .. }) => Expectation::Only(SlotState::New),
        }
    }

    /// Whether somebody has dropped this device from the group: to come back is for a person to decide.
    #[must_use]
    pub fn was_dropped(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.slot == SlotStatus::Gone)
    }

    /// For how long the session that starts now wants its slot kept.
    pub const fn set_expiration_policy(&mut self, policy: ExpirationPolicy) {
        self.policy = policy;
    }

    /// Notes that a login took the slot at this time, or found it.
    pub fn registered(&mut self, at: Millis) {
        self.set(SlotStatus::Registered, at);
        if let Some(known) = &mut self.known {
            known.persistent = Some(self.policy == ExpirationPolicy::Persistent);
        }
    }

    /// Learns from what happens; true if that should be written.
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
            // We left the group.
            Event::DeviceDropped(device) if *device == self.device => {
                self.online = false;
                self.set(SlotStatus::Gone, at)
            }
            _ => self.refresh(at, SEEN_EVERY),
        }
    }

    fn learn_from_close(&mut self, at: Millis, code: CloseCode, expected: SlotState, next: NextStep) -> bool {
        match (code, expected) {
            // The session itself tries the other state where that is harmless.
            (CloseCode::SLOT_STATE_MISMATCH, _) if next != NextStep::WaitForUser => false,
            // Ours after all, if it ever was; else the id is another device's, and not ours to take.
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

    /// For how long the slot is kept: as the login that took it said; else as this session would.
    fn kept(&self) -> ExpirationPolicy {
        match self.known.as_ref().and_then(|known| known.persistent) {
            Some(true) => ExpirationPolicy::Persistent,
            Some(false) => ExpirationPolicy::Volatile,
            None => self.policy,
        }
    }

    /// The mediator counts from the end of the connection, which may come without a word.
    fn refresh(&mut self, at: Millis, every: Duration) -> bool {
        match &mut self.known {
            Some(known) if self.online && at.since(Millis(known.seen)) > every => {
                known.seen = at.0;
                true
            }
            _ => false,
        }
    }

    /// Writes what is known.
    ///
    /// # Errors
    /// If the file system does not take it.
    pub fn write(&self) -> io::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        private::replace(&self.path, serde_json::to_string(known)?.as_bytes())
    }
}

#[cfg(test)]
mod tests;
