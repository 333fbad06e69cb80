//! The store's thread: takes what waits, writes it in one transaction, and tells.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::error::StoreError;
use super::file::Store;
use super::transfer::{TransferError, export};
use crate::mediator::{Batch, StoreReply, StoreRequest, StoredGroup, Transfer, TransferDirection};

/// How many changes go into one transaction at most, so that the first of them are not told too late.
const MOST_CHANGES: usize = 16_384;
/// How long to wait before a transaction that failed is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// After what pause the file is tidied up.
const PAUSE: Duration = Duration::from_secs(1);

impl Store {
    /// Does what is asked until nobody asks any more. What cannot be stored is tried again until it is, or until nobody
    /// asks; nothing is told as stored that is not.
    pub fn run(mut self, requests: &Receiver<StoreRequest>, tell: impl Fn(StoreReply) + Clone + Send + 'static) {
        let mut waiting = VecDeque::new();
        let mut is_tidy = true;
        loop {
            if waiting.is_empty() {
                let request = if is_tidy { requests.recv().ok() } else { self.pause(requests) };
                is_tidy = false;
                waiting.extend(request);
            }
            waiting.extend(requests.try_iter());
            if waiting.is_empty() {
                return;
            }
            let batches = next_batches(&mut waiting);
            let done = if batches.is_empty() {
                self.answer(waiting.pop_front(), &tell)
            } else {
                self.store(&batches, &mut waiting, requests, &tell)
            };
            if let Err(error) = done {
                return tell(StoreReply::Failed(error.to_string()));
            }
        }
    }

    /// The next request; if none comes soon, the time is used.
    fn pause(&self, requests: &Receiver<StoreRequest>) -> Option<StoreRequest> {
        match requests.recv_timeout(PAUSE) {
            Err(RecvTimeoutError::Timeout) => {
                // What cannot be tidied up now is later; it is stored all the same.
                let _ = self.tidy();
                requests.recv().ok()
            }
            request => request.ok(),
        }
    }

    /// Writes batches, however often it takes.
    fn store(
        &mut self,
        batches: &[Batch],
        waiting: &mut VecDeque<StoreRequest>,
        requests: &Receiver<StoreRequest>,
        tell: &impl Fn(StoreReply),
    ) -> Result<(), StoreError> {
        let mut is_told = false;
        while let Err(cause) = self.write(batches) {
            let error = StoreError::of(&self.path, cause);
            if !error.may_pass() {
                return Err(error);
            }
            if !std::mem::replace(&mut is_told, true) {
                tell(StoreReply::Stalled(error.to_string()));
            }
            match requests.recv_timeout(RETRY) {
                Ok(request) => waiting.push_back(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(error),
            }
        }
        if let Some(last) = batches.last() {
            tell(StoreReply::Committed { batch: last.number });
        }
        Ok(())
    }

    fn answer(
        &mut self,
        request: Option<StoreRequest>,
        tell: &(impl Fn(StoreReply) + Clone + Send + 'static),
    ) -> Result<(), StoreError> {
        match request {
            Some(StoreRequest::Fetch(fetch)) => {
                let messages = self.fetch(&fetch).map_err(|cause| StoreError::of(&self.path, cause))?;
                tell(StoreReply::Fetched { connection: fetch.connection, messages });
            }
            Some(StoreRequest::Transfer(transfer)) => self.transfer(transfer, tell),
            Some(StoreRequest::Batch(_)) | None => {}
        }
        Ok(())
    }

    fn transfer(&mut self, transfer: Transfer, tell: &(impl Fn(StoreReply) + Clone + Send + 'static)) {
        let Transfer { operation, prefixes, file, direction } = transfer;
        let told = move |result: Result<Vec<StoredGroup>, TransferError>| StoreReply::Transferred {
            operation,
            result: result.map_err(|error| error.to_string()),
        };
        match direction {
            TransferDirection::Import { digest, moved } => tell(told(self.import(&file, digest, moved))),
            TransferDirection::Export => {
                let (store, telling) = (self.path.clone(), tell.clone());
                let export = move || telling(told(export(&store, prefixes, &file)));
                // Whoever stores meanwhile does not wait for it. The groups are those of now: nobody changes them any more.
                if let Err(cause) = std::thread::Builder::new().name("export".to_owned()).spawn(export) {
                    tell(StoreReply::Transferred { operation, result: Err(cause.to_string()) });
                }
            }
        }
    }
}

/// The batches that come before anything else.
fn next_batches(waiting: &mut VecDeque<StoreRequest>) -> Vec<Batch> {
    let (mut batches, mut changes) = (Vec::new(), 0);
    while changes < MOST_CHANGES {
        match waiting.pop_front() {
            Some(StoreRequest::Batch(batch)) => {
                changes += batch.changes.len();
                batches.push(batch);
            }
            Some(other) => {
                waiting.push_front(other);
                break;
            }
            None => break,
        }
    }
    batches
}
