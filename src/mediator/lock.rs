//! The group's lock while a device holds it, and what the holder has reflected meanwhile.

use super::queue::{QueueLimits, QueuedMessage};
use crate::protocol::{DeviceId, Sealed, TransactionScope};

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) holder: DeviceId,
    pub(super) scope: Sealed<TransactionScope>,
    held_back: Vec<QueuedMessage>,
    held_back_bytes: usize,
}

/// More was reflected in one transaction than the queue of a device may hold.
#[derive(Debug)]
pub(super) struct HeldTooMuch;

impl Transaction {
    pub(super) const fn new(holder: DeviceId, scope: Sealed<TransactionScope>) -> Self {
        Self { holder, scope, held_back: Vec::new(), held_back_bytes: 0 }
    }

    pub(super) const fn held_back(&self) -> usize {
        self.held_back.len()
    }

    pub(super) const fn held_back_bytes(&self) -> usize {
        self.held_back_bytes
    }

    /// Keeps a reflection until the commit.
    pub(super) fn hold_back(&mut self, item: QueuedMessage, limits: QueueLimits) -> Result<(), HeldTooMuch> {
        let bytes = self.held_back_bytes + item.cost();
        if self.held_back.len() >= limits.messages || bytes > limits.bytes {
            return Err(HeldTooMuch);
        }
        self.held_back_bytes = bytes;
        self.held_back.push(item);
        Ok(())
    }

    pub(super) fn take_held_back(&mut self) -> Vec<QueuedMessage> {
        self.held_back_bytes = 0;
        std::mem::take(&mut self.held_back)
    }
}
