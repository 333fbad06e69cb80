//! `d2mtop demo --headless`: what `watch` prints, of the simulated group.

use super::watch::{Only, start_monitors, watch};
use crate::cli::DemoArgs;
use crate::runtime::demo::Stage;
use crate::runtime::{Failure, Memories, Outcome};

/// Sets the stage and watches it.
///
/// # Errors
/// If the stage cannot be set or standard output fails.
pub fn run(options: &DemoArgs) -> Result<Outcome, Failure> {
    let only = Only::named(&options.only.only)?;
    let monitors = start_monitors(&options.monitor)?;
    let Stage { session, address, running } = Stage::set(options)?;
    let monitor = monitors.monitor("", &session.config().keys);
    let outcome = watch(session, address, Memories::default(), monitor, options.until, only);
    drop(running);
    drop(monitors);
    outcome
}
