//! What whoever runs the mediator asks of it while it runs, and what comes of it.

use super::prefixes::GroupPrefixes;
use super::storage::StoredGroup;
use crate::protocol::{DeviceGroupId, DeviceId};

/// What the operator asks for. Groups move from one mediator to another by [`Self::GiveUp`], and [`Self::Discard`] once
/// they are in a file; there by [`Self::Expect`], and [`Self::Take`] once they are stored.
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
    /// To refuse groups from now on, also after a restart, and close their clients.
    GiveUp(GroupPrefixes),
    /// To serve groups again that were given up and could not be moved.
    TakeBack {
        /// The groups that were to be moved.
        prefixes: GroupPrefixes,
        /// Those of them that were served before.
        served: GroupPrefixes,
    },
    /// To forget groups that were given up, as they are safe elsewhere.
    Discard(GroupPrefixes),
    /// To refuse groups until they are there.
    Expect {
        /// The groups that may come.
        prefixes: GroupPrefixes,
        /// Those of them that are in the file.
        groups: Vec<DeviceGroupId>,
    },
    /// To serve groups that are stored now.
    Take {
        /// The groups that may have come.
        prefixes: GroupPrefixes,
        /// Those that have.
        groups: Vec<StoredGroup>,
    },
    /// To expect groups no longer: they could not be stored.
    Decline(GroupPrefixes),
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
    /// Some of these groups are being moved already.
    #[error("groups of {0} are being moved already; wait for that")]
    Busy(GroupPrefixes),
    /// A group that is to come is here.
    #[error("group {0} is here already; nothing was imported. Forget it first if the one in the file is to stay")]
    Exists(String),
    /// A group that is to come would be refused.
    #[error("group {0} is not among those that this mediator serves; nothing was imported. Have it serve them first")]
    NotServed(String),
    /// There would be more groups than there may be.
    #[error("there would be more groups than there may be; nothing was imported")]
    TooManyGroups,
    /// The mediator is at its end.
    #[error("the mediator is about to end")]
    ShuttingDown,
}

/// What was done, once it is stored: of [`OperatorRequest::GiveUp`], which of the groups were served before.
pub type OperatorAnswer = Result<GroupPrefixes, OperatorRefusal>;
