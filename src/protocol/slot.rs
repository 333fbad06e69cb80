//! What client and server say of a device's slot: how long it is kept, whether it is new, when its device was there.

use super::container::DecodeError;
use super::ids::Millis;

/// How long the server keeps a device's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpirationPolicy {
    /// Removed some minutes after the device disconnected.
    Volatile,
    /// Kept as long as possible.
    Persistent,
}

/// What the server should do when a new device finds all slots taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExhaustedPolicy {
    /// Refuse the new device.
    Reject,
    /// Drop the device that was used least recently.
    DropLeastRecent,
}

/// Whether the server knew the device before this login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// A slot was allocated.
    New,
    /// The device's slot was found.
    Existing,
}

impl SlotState {
    /// The opposite state.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::New => Self::Existing,
            Self::Existing => Self::New,
        }
    }
}

/// What the server says about when a device was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceActivity {
    /// Connected now, since then (`dgk`).
    ConnectedSince(Millis),
    /// Offline since then (`dgk`).
    LastDisconnect(Millis),
    /// Logged in last at that time; whether it is connected is not told (`mk`).
    LastLogin(Millis),
    /// The server gave no time.
    Unknown,
}

pub(super) const fn slot_state_number(state: SlotState) -> i32 {
    match state {
        SlotState::New => 0,
        SlotState::Existing => 1,
    }
}

pub(super) const fn slot_state(number: i32) -> Result<SlotState, DecodeError> {
    match number {
        0 => Ok(SlotState::New),
        1 => Ok(SlotState::Existing),
        _ => Err(DecodeError::UnknownValue("slot state")),
    }
}

pub(super) const fn expiration_policy_number(policy: Option<ExpirationPolicy>) -> i32 {
    match policy {
        Some(ExpirationPolicy::Persistent) => 1,
        Some(ExpirationPolicy::Volatile) | None => 0,
    }
}

pub(super) const fn expiration_policy(number: i32) -> Option<ExpirationPolicy> {
    match number {
        0 => Some(ExpirationPolicy::Volatile),
        1 => Some(ExpirationPolicy::Persistent),
        _ => None,
    }
}
