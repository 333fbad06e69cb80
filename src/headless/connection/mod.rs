//! What commands that connect have in common.

pub(super) mod leader_limit;
mod one_shot_device;
mod reconnect;

pub(super) use one_shot_device::OneShotDevice;
pub(super) use reconnect::{Ending, Reconnect};

use crate::output::Failure;
use crate::output::Outcome;
use crate::profile::{ConnectionOptions, Profile, SlotMemory};

/// A device that was dropped does not join the group again by itself.
pub(super) const WAS_DROPPED: &str = "this device was dropped from the group, or its slot is gone in another way; --expect new joins the \
                           group again, as a new device";

/// Whether only a person may decide that this device joins its group again.
pub(super) fn was_dropped(options: &ConnectionOptions, memory: Option<&SlotMemory>) -> bool {
    options.expects.is_none() && memory.is_some_and(SlotMemory::was_dropped)
}

/// Opens a profile, or the connection of the options, for a login without anybody at the screen.
///
/// # Errors
/// If the options are unusable, or a person has to decide.
pub(super) fn open_unattended(name: Option<&str>, options: &ConnectionOptions) -> Result<Profile, Failure> {
    let profile = Profile::from_options(name, options)?;
    // Else a service would join the group again at the next start of its machine.
    if was_dropped(options, profile.memory.as_ref()) {
        return Err(Failure::Ended { outcome: Outcome::Refused, words: WAS_DROPPED.to_owned() });
    }
    Ok(profile)
}
