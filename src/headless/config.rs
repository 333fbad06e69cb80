//! `d2mtop config`: texts about the configuration, which belongs to the dashboard.

use crate::output::{Failure, Outcome};

/// Prints one of the texts.
///
/// # Errors
/// If there is none because the configuration is wrong, or standard output fails.
pub fn run(text: Result<String, Failure>) -> Result<Outcome, Failure> {
    super::manual::print(text?.as_bytes())
}
