//! How to use it: `d2mtop manual`, `d2mtop man` and `d2mtop completions`.

mod man;
mod topics;

use std::io::{self, Write as _};

pub use man::{completions, man};
pub use topics::{manual, page};

use crate::output::Failure;
use crate::output::Outcome;

pub(super) fn print(bytes: &[u8]) -> Result<Outcome, Failure> {
    match io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()) {
        // Nobody reads any more.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(Outcome::Normal),
    }
}
