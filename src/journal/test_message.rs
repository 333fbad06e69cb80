//! A message for the tests of the journal's thread.

use crate::group::ReflectedMessage;
use crate::protocol::{Millis, OpenError, ReflectedId, Sealed};

/// With an envelope of so many bytes, which nobody can open.
pub fn message(length: usize) -> ReflectedMessage {
    ReflectedMessage {
        id: ReflectedId(1),
        stored_at: Millis(1),
        received_at: Millis(2),
        size: u32::try_from(length).unwrap(),
        content: Err(OpenError::TooShort),
        envelope: Sealed::from_wire(vec![0; length].into()),
        ..ReflectedMessage::example()
    }
}
