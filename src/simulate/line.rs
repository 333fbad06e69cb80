//! [`ScriptLine`]: something that a device will reflect, before it is known when.

use crate::protocol::{Envelope, Millis};

/// Something that a device will reflect; it gets its time when it is played.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptLine(Box<Envelope>);

impl ScriptLine {
    pub(super) fn new(envelope: Envelope) -> Self {
        Self(Box::new(envelope))
    }

    /// The envelope, made at that time.
    #[must_use]
    pub fn envelope(&self, now: Millis) -> Envelope {
        self.0.as_ref().clone().made_at(now)
    }
}
