//! The group's lock while a device holds it, and what the holder has reflected meanwhile.

use super::slot::QueuedMessage;
use crate::protocol::{DeviceId, Sealed, TransactionScope};

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) holder: DeviceId,
    pub(super) scope: Sealed<TransactionScope>,
    pub(super) held_back: Vec<QueuedMessage>,
}
