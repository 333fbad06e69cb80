//! Commands without a terminal: one file each.

pub mod admit;
pub mod arguments;
pub mod config;
pub mod demo;
pub mod devices;
pub mod doctor;
pub mod drop;
pub mod history;
pub mod join;
pub mod lock;
pub mod manual;
pub mod mediator;
mod one_shot_device;
pub mod probe;
pub mod profile;
pub mod proxy;
pub mod replay;
pub mod shared_data;
pub mod watch;

use crate::output::Failure;
use crate::output::Outcome;
pub use crate::output::ndjson;
use crate::profile::{ConnectionOptions, Profile, SlotMemory};
use crate::runtime::open_profile;

/// Who was dropped does not join the group again by itself.
const WAS_DROPPED: &str = "this device was dropped from the group, or its slot is gone in another way; --expect new joins the \
                           group again, as a new device";

/// Whether it takes a person's word that this device is to join its group again.
fn was_dropped(options: &ConnectionOptions, memory: Option<&SlotMemory>) -> bool {
    options.expects.is_none() && memory.is_some_and(SlotMemory::was_dropped)
}

/// Opens a profile, or the connection that the options make, for a login that nobody looks at.
///
/// # Errors
/// If the options are unusable, or there is something that takes a person's word.
fn open_unattended(name: Option<&str>, options: &ConnectionOptions) -> Result<Profile, Failure> {
    let profile = open_profile(name, options)?;
    // Else a service would join the group again at the next start of its machine.
    if was_dropped(options, profile.memory.as_ref()) {
        return Err(Failure::Ended { outcome: Outcome::Refused, words: WAS_DROPPED.to_owned() });
    }
    Ok(profile)
}
