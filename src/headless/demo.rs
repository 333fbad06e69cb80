//! `d2mtop demo --headless`: what `watch` prints, of the simulated group.

use super::arguments;
use super::watch::{LineFilter, watch};
use crate::cli::DemoArgs;
use crate::output::Failure;
use crate::output::Outcome;
use crate::runtime::Monitors;
use crate::simulate::Stage;

/// Starts the simulated group and prints its events.
///
/// # Errors
/// If the group cannot be started or standard output fails.
pub fn run(options: &DemoArgs) -> Result<Outcome, Failure> {
    let wanted = LineFilter::of(&options.lines)?;
    let monitors = Monitors::start(&arguments::monitor(&options.monitor)?, None)?;
    let Stage { session, address, running } = Stage::set(arguments::stage(options))?;
    let outcome = watch(session, address, monitors, options.until, wanted);
    drop(running);
    outcome
}
