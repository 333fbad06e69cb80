//! Keeps the known devices of a profile from one run to the next.

use std::path::PathBuf;

use crate::group::Known;
use crate::profile::known::{self, KnownError};

/// The known devices of a profile, and the file that they are kept in.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    kept: Option<Known>,
}

impl Memory {
    /// What the file holds; nothing is known yet if there is none.
    ///
    /// # Errors
    /// If the file cannot be read, or holds something else.
    pub fn open(path: PathBuf) -> Result<Self, KnownError> {
        let kept = known::load(&path)?;
        Ok(Self { path, kept })
    }

    /// What is known; [`None`] before the first list ever.
    #[must_use]
    pub const fn known(&self) -> Option<&Known> {
        self.kept.as_ref()
    }

    /// Keeps this from now on. A file that cannot be written is logged, and tried again with the next change.
    pub fn keep(&mut self, known: Known) {
        if self.kept.as_ref() == Some(&known) {
            return;
        }
        match known::save(&self.path, &known) {
            Ok(()) => self.kept = Some(known),
            Err(error) => tracing::warn!("{error}"),
        }
    }
}
