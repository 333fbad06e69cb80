//! Opening a profile that another program may still have open.

use std::time::{Duration, Instant};

use crate::output::words::remark;
use crate::profile::{ConnectionOptions, Profile, ProfileError};

/// How often it is looked whether the profile is free.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// As [`Profile::from_options`], but waits for a profile that is open elsewhere as long as the options say.
///
/// # Errors
/// As [`Profile::from_options`]; that it is open elsewhere only after that time.
pub fn open_profile(name: Option<&str>, options: &ConnectionOptions) -> Result<Profile, ProfileError> {
    let start = Instant::now();
    let mut is_told = false;
    loop {
        match Profile::from_options(name, options) {
            Err(error) if error.is_open_elsewhere() && start.elapsed() < options.wait => {
                if !std::mem::replace(&mut is_told, true) {
                    let most = humantime::format_duration(options.wait);
                    remark(&format!("{error}, which is waited for (--wait-profile {most})"));
                }
                std::thread::sleep(LOOK_AGAIN.min(options.wait.saturating_sub(start.elapsed())));
            }
            opened => return opened,
        }
    }
}
