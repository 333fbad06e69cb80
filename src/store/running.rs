//! A store on a thread of its own.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::error::StoreError;
use super::file::Store;
use crate::mediator::{StoreReply, StoreRequest, StoredState};

/// A store that runs until nobody can ask it any more.
#[derive(Debug)]
pub struct RunningStore(JoinHandle<()>);

/// What an earlier run has left, and both ways to a store.
#[derive(Debug)]
pub struct StoreWays {
    /// The groups with their slots, but without the messages.
    pub restored: StoredState,
    pub requests: mpsc::Sender<StoreRequest>,
    pub replies: tokio::sync::mpsc::UnboundedReceiver<StoreReply>,
}

impl RunningStore {
    /// Opens the store of a directory, and begins to do what it is asked.
    ///
    /// # Errors
    /// If it cannot be used, or the system gives no thread.
    pub fn start(directory: &Path) -> Result<(Self, StoreWays), StoreError> {
        let (store, restored) = Store::open(directory)?;
        let (requests, asked) = mpsc::channel();
        let (telling, replies) = tokio::sync::mpsc::unbounded_channel();
        let run = move || {
            store.run(&asked, move |reply| {
                // Whoever asked may be gone.
                let _ = telling.send(reply);
            });
        };
        let failed = |cause| StoreError::File { path: directory.to_owned(), cause };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run).map_err(failed)?;
        Ok((Self(thread), StoreWays { restored, requests, replies }))
    }

    /// Waits until all is written; to be called when nobody can ask it any more.
    pub fn end(self) {
        let _ = self.0.join();
    }
}
