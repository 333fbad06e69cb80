//! Commands without a terminal: one file each.

mod columns;
pub mod demo;
pub mod devices;
pub mod doctor;
pub mod drop;
pub mod history;
pub mod leave;
mod lines;
pub mod lock;
pub mod manual;
pub mod mediator;
pub mod probe;
pub mod profile;
pub mod proxy;
mod readable;
pub mod shared_data;
mod visitor;
pub mod watch;
mod words;

use crate::cli::{AnyCertificateArg, ConnectionArgs};
use crate::runtime::Failure;
pub use crate::runtime::ndjson;

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
