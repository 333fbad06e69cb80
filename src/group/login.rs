//! [`Login`]: what the server said at a login.

use crate::protocol::{DeviceId, Dialect, SlotState};

/// What the server said at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The id of this device.
    pub own: DeviceId,
    /// The dialect spoken.
    pub dialect: Dialect,
    /// How many slots the group has.
    pub max_device_slots: u32,
    /// Whether our slot is new.
    pub slot_state: SlotState,
    /// How far the server's clock is ahead of ours, in milliseconds, if it tells the time.
    pub clock_offset: Option<i64>,
    /// How many messages wait for us, if it tells.
    pub reflection_queue_length: Option<u32>,
    /// The lowest device-to-device version that all devices must speak, if set and readable.
    pub shared_version: Option<u32>,
}

/// The specification has a client warn when the clocks are further apart than this, in milliseconds.
const CLOCK_TOLERANCE: u64 = 20 * 60 * 1_000;

impl Login {
    /// How far the server's clock is ahead, in milliseconds, if that is too far.
    #[must_use]
    pub fn clock_apart(&self) -> Option<i64> {
        self.clock_offset.filter(|ahead| ahead.unsigned_abs() > CLOCK_TOLERANCE)
    }
}
