//! What whoever runs the mediator asks of it while it runs, and what comes of it.

use crate::protocol::{DeviceGroupId, DeviceId};

/// A request of the operator, by a number of the listener's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u64);

/// What the operator asks for.
#[derive(Clone, Debug)]
pub enum OperatorRequest {
    /// To take a device's slot and queue away.
    DropDevice {
        /// The device's group.
        group: DeviceGroupId,
        /// The device that loses its slot.
        device: DeviceId,
    },
    /// To take all slots of a group away, and what it shares.
    ForgetGroup {
        /// The group to forget.
        group: DeviceGroupId,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorRefusal {
    /// There is no such group.
    #[error("there is no such group; it may have been forgotten meanwhile")]
    NoSuchGroup,
    /// The group has no such device.
    #[error("the group has no such device; it may have been dropped meanwhile")]
    NoSuchDevice,
    /// The mediator is at its end.
    #[error("the mediator is about to end")]
    ShuttingDown,
}

/// What was done, once it is stored.
pub type OperatorAnswer = Result<(), OperatorRefusal>;
