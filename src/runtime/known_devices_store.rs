//! Keeps the known devices of a profile from one run to the next, without making anybody wait for the disk.

use std::path::PathBuf;

use crate::group::KnownDevices;
use crate::os::latest_value_writer::LatestValueWriter;
use crate::profile::known_devices::{self, KnownDevicesError};

/// The known devices of a profile, and the file that they are kept in.
#[derive(Debug)]
pub struct KnownDevicesStore {
    known: Option<KnownDevices>,
    ever: KnownDevices,
    writer: LatestValueWriter<KnownDevices>,
}

impl KnownDevicesStore {
    /// What the file holds; nothing is known yet if there is none.
    ///
    /// # Errors
    /// If the file cannot be read, or holds something else, or the system gives no thread to write it.
    pub fn open(path: PathBuf) -> Result<Self, KnownDevicesError> {
        let kept = known_devices::load(&path)?;
        let known = kept.clone();
        let (mut is_new, mut kept) = (kept.is_none(), kept.unwrap_or_default());
        let ever = kept.ever();
        let file = path.clone();
        let write = move |known: KnownDevices| {
            let mut next = kept.clone();
            next.follow(known);
            if kept == next && !is_new {
                return;
            }
            match known_devices::save(&file, &next) {
                Ok(()) => (is_new, kept) = (false, next),
                // Tried again with the next list.
                Err(error) => tracing::warn!("{error}"),
            }
        };
        let writer = LatestValueWriter::start("known devices", write)
            .map_err(|cause| KnownDevicesError::File { path, cause })?;
        Ok(Self { known, ever, writer })
    }

    /// What was known when it was opened; [`None`] before the first list ever.
    #[must_use]
    pub const fn known(&self) -> Option<&KnownDevices> {
        self.known.as_ref()
    }

    /// All devices that were known when it was opened, or had been before.
    #[must_use]
    pub const fn ever(&self) -> &KnownDevices {
        &self.ever
    }

    /// Keeps this from now on. A file that cannot be written is logged, and tried again with the next list.
    pub fn keep(&self, known: KnownDevices) {
        self.writer.write(known);
    }
}
