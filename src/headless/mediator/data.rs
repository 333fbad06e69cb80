//! The store of `--data`, on a thread of its own.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use crate::net::StoreLink;
use crate::output::Failure;
use crate::store::Store;

/// A store that runs until its link is dropped.
pub(super) struct RunningStore(JoinHandle<()>);

impl RunningStore {
    /// Opens the store of a directory.
    ///
    /// # Errors
    /// If it cannot be used.
    pub(super) fn start(directory: &Path) -> Result<(Self, StoreLink), Failure> {
        let (store, restored) = Store::open(directory)?;
        let (requests, asked) = mpsc::channel();
        let (telling, replies) = tokio::sync::mpsc::unbounded_channel();
        let run = move || {
            store.run(&asked, |reply| {
                // Whoever asked may be gone.
                let _ = telling.send(reply);
            });
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run).map_err(Failure::Start)?;
        Ok((Self(thread), StoreLink { restored, requests, replies }))
    }

    /// Waits until all is written.
    pub(super) fn end(self) {
        let _ = self.0.join();
    }
}
