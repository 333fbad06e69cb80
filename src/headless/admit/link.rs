//! The new device's link: asked for, or out of a file; never an argument, which others can read.

use std::fs::File;
use std::path::Path;

use zeroize::Zeroizing;

use crate::os::private_files::{self, Exposure};
use crate::output::{Failure, Outcome};
use crate::profile::secrets::{PromptError, type_secret};
use crate::rendezvous::wire::JoinLink;
use crate::text::Clean;

/// More than a link has; a larger file is none.
const MOST_BYTES: usize = 8 * 1024;

/// Reads the link. No error repeats anything of it.
pub(super) fn read(file: Option<&Path>) -> Result<JoinLink, Failure> {
    let text = match file {
        Some(path) => from_file(path)
            .map_err(|why| Failure::Usage(format!("--link-file {}: {why}", Clean::new(&path.to_string_lossy()))))?,
        None => type_secret("The link that the new device shows").map_err(|error| {
            let words = match error {
                PromptError::Cancelled => "not admitted: no link was given".to_owned(),
                PromptError::TooLong => "not admitted: what was given is too long for a link".to_owned(),
                error => format!("not admitted: {error}"),
            };
            Failure::Ended { outcome: Outcome::NotConfirmed, words }
        })?,
    };
    JoinLink::parse(&text).map_err(|error| Failure::Usage(format!("not admitted: {error}")))
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    match private_files::exposure(&file.metadata().map_err(|error| error.to_string())?) {
        Some(Exposure::Mode(mode)) => {
            return Err(format!("others can read it (mode {mode:03o}); chmod 600 mends that"));
        }
        Some(Exposure::Owner) => return Err("it belongs to another user".to_owned()),
        None => {}
    }
    let bytes = private_files::read_secret(&file, MOST_BYTES).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it holds no link".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}
