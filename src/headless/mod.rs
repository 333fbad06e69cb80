//! Commands without a terminal: one file each.

pub mod demo;
pub mod devices;
pub mod doctor;
pub mod drop;
pub mod history;
pub mod leave;
pub mod lock;
pub mod manual;
pub mod mediator;
pub mod probe;
pub mod profile;
pub mod proxy;
mod reconnect;
pub mod shared_data;
mod visitor;
pub mod watch;

use crate::cli::{AnyCertificateArg, ConnectionArgs};
use crate::output::Failure;
use crate::output::Outcome;
use crate::profile::{Profile, SlotMemory};

/// Who was dropped does not join the group again by itself.
const WAS_DROPPED: &str = "this device was dropped from the group, or its slot is gone in another way; --expect new joins the \
                           group again, as a new device";

/// Whether it takes a person's word that this device is to join its group again.
fn was_dropped(options: &ConnectionArgs, memory: Option<&SlotMemory>) -> bool {
    options.expect.is_none() && memory.is_some_and(SlotMemory::was_dropped)
}

/// Opens a profile, or the connection that the options make, for a login that nobody looks at.
///
/// # Errors
/// If the options are unusable, or there is something that takes a person's word.
fn open_unattended(name: Option<&str>, options: &ConnectionArgs) -> Result<Profile, Failure> {
    require_certificate_unattended(options)?;
    let profile = Profile::from_options(name, options)?;
    // Else a service would join the group again at the next start of its machine.
    if was_dropped(options, profile.memory.as_ref()) {
        return Err(Failure::Ended { outcome: Outcome::Refused, words: WAS_DROPPED.to_owned() });
    }
    Ok(profile)
}

/// Where no banner can be shown all the time, accepting any certificate has to be asked for twice.
fn require_certificate_unattended(options: &ConnectionArgs) -> Result<(), Failure> {
    if options.dangerously_accept_any_certificate == Some(AnyCertificateArg::Attended) {
        return Err(Failure::Usage(
            "without the dashboard and its banner, --dangerously-accept-any-certificate must be written \
             --dangerously-accept-any-certificate=even-unattended"
                .to_owned(),
        ));
    }
    Ok(())
}
