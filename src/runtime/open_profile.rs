//! Opening a profile, or becoming a device, that another program may still have.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::output::Failure;
use crate::output::words::remark;
use crate::profile::{ConnectionOptions, DeviceInUse, DeviceLock, Profile, ProfileError};
use crate::session::SessionConfig;
use crate::text::Clean;

/// How often it is looked whether it is free.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// As [`Profile::from_options`], but waits for a profile that is open elsewhere as long as the options say.
///
/// # Errors
/// As [`Profile::from_options`]; that it is open elsewhere only after that time.
pub fn open_profile(name: Option<&str>, options: &ConnectionOptions) -> Result<Profile, ProfileError> {
    waiting(options.wait, || Profile::from_options(name, options), ProfileError::is_open_elsewhere)
}

/// Keeps other programs from being the session's device, and waits for one that is it at most so long; [`None`] where
/// this machine has no place for that.
///
/// # Errors
/// If another program is that device all the time.
pub fn claim_device(session: &SessionConfig, wait: Duration) -> Result<Option<DeviceLock>, DeviceInUse> {
    let (group, device) = (session.keys.device_group_id(), session.device_id);
    waiting(wait, || DeviceLock::take(group, device), |_| true)
}

/// Several tabs are several profiles, and what makes another connection of a profile is said of one only.
///
/// # Errors
/// If one is named twice, or such an option is given with several.
pub fn require_different(names: &[String], options: &ConnectionOptions) -> Result<(), Failure> {
    let twice = names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|other| other == *name));
    if let Some((_, name)) = twice {
        return Err(Failure::Usage(format!("the profile {} is named twice", Clean::new(name))));
    }
    match options.of_one_profile() {
        Some(option) if names.len() > 1 => {
            Err(Failure::Usage(format!("{option} is for one profile; {} are named", names.len())))
        }
        _ => Ok(()),
    }
}

fn waiting<T, E: Display>(
    wait: Duration,
    mut take: impl FnMut() -> Result<T, E>,
    is_elsewhere: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let start = Instant::now();
    let mut is_told = false;
    loop {
        match take() {
            Err(error) if is_elsewhere(&error) && start.elapsed() < wait => {
                if !std::mem::replace(&mut is_told, true) {
                    let most = humantime::format_duration(wait);
                    remark(&format!("{error}, which is waited for (--wait-profile {most})"));
                }
                std::thread::sleep(LOOK_AGAIN.min(wait.saturating_sub(start.elapsed())));
            }
            taken => return taken,
        }
    }
}
