//! What joins have left over is finished before anything else is done with the profiles.

use crate::output::Failure;
use crate::output::words::{ask, can_ask, remark};
use crate::profile::join::forget_joined;
use crate::profile::{ProfileError, ProfileStore};
use crate::runtime::left_over::{LeftOver, finish_joins};

/// Finishes it, and tells what came of it.
///
/// # Errors
/// If the system gives no event loop, or the terminal fails.
pub fn finish_left_over() -> Result<(), Failure> {
    let Ok(store) = ProfileStore::of_user() else { return Ok(()) };
    for left_over in finish_joins(&store)? {
        match left_over {
            LeftOver::TakenBack(name) => {
                remark(&format!("the join of {name} was not finished; its slot and its profile are gone"));
            }
            LeftOver::Stays(name, why) => remark(&format!(
                "the join of {name} was not finished, and its slot could not be given up: {why}; the next start tries it again"
            )),
            LeftOver::Undone(name) => {
                let undone =
                    format!("the group does not know the device of {name}: the phone undid the link, or removed it");
                if can_ask() && ask(&format!("{undone}. Remove the profile?"))? {
                    forget_joined(&store, &name).map_err(|error: ProfileError| Failure::Profile(error))?;
                } else {
                    remark(&format!("{undone}; d2mtop profile remove {name} removes the profile"));
                }
            }
        }
    }
    Ok(())
}
