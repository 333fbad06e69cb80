//! A login and a message for the tests of all rooms, which say only what matters to them.

use super::{Login, ReflectedMessage};
use crate::protocol::{DeviceId, Dialect, Millis, OpenError, ReflectedHeader, ReflectedId, Sealed, SlotState};

impl Login {
    /// Of device 1, in dialect `dgk`, to a slot that is there already; the mediator says nothing of itself.
    #[must_use]
    pub fn example() -> Self {
        Self {
            own: DeviceId(1),
            dialect: Dialect::Dgk,
            max_device_slots: 5,
            slot_state: SlotState::Existing,
            clock_offset: None,
            reflection_queue_length: None,
            shared_version: None,
        }
    }
}

impl ReflectedMessage {
    /// Number 1, stored at 1 ms and received at 2 ms, which cannot be opened.
    #[must_use]
    pub fn example() -> Self {
        Self {
            id: ReflectedId(1),
            stored_at: Millis(1),
            received_at: Millis(2),
            size: 212,
            header: ReflectedHeader::default(),
            ephemeral: false,
            redelivered: false,
            repeated_nonce: false,
            nonce: None,
            content: Err(OpenError::DoesNotDecrypt),
            unknown_fields: Vec::new(),
            envelope: Sealed::default(),
        }
    }
}
