//! How long a device that does one thing may stay leader: the group gets no messages meanwhile.

use std::time::Duration;

/// After how long such a leader gives up.
pub(in crate::headless) const LEADER_LIMIT: Duration = Duration::from_mins(1);

/// What a leader is told. Each command adds how long it stays.
pub(in crate::headless) const LEADER_WARNING: &str =
    "this device is alone and was made leader: as long as it stays, the whole group gets no messages";
