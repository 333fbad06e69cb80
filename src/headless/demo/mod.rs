//! `d2mtop demo` without the dashboard: what `watch` prints of the simulated group, or a phone that waits to link a device.

mod join;

use super::arguments;
use super::watch::{selection, watch};
use crate::cli::DemoArgs;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::times::Zone;
use crate::runtime::{Monitors, SessionSetup};
use crate::simulate::Stage;

/// Sets the stage and watches it.
///
/// # Errors
/// If the stage cannot be set or standard output fails.
pub fn run(options: &DemoArgs) -> Result<Outcome, Failure> {
    if options.join {
        return join::run(arguments::stage(options));
    }
    let wanted = selection(&options.lines, Zone::of_option(options.display.utc))?;
    let monitors = Monitors::start(&arguments::monitor(&options.monitor)?, None)?;
    let Stage { session, address, running, .. } = Stage::set(arguments::stage(options))?;
    let prepared = SessionSetup::of_demo(session, address, options.seed);
    let outcome = watch(prepared, monitors, options.until, wanted, arguments::recording(&options.record)?);
    drop(running);
    outcome
}
