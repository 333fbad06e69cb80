//! What the operator has asked for and waits for.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::oneshot;

use super::gate::TransferAnswer;
use super::storage::Storage;
use crate::mediator::{GroupPrefixes, OperationId, OperatorAnswer, StoreReply, Transfer, TransferDirection};

#[derive(Default)]
pub(super) struct Operations {
    begun: u64,
    waiting: HashMap<OperationId, oneshot::Sender<OperatorAnswer>>,
    transfers: HashMap<OperationId, oneshot::Sender<TransferAnswer>>,
}

impl Operations {
    pub(super) fn begin(&mut self, answer: oneshot::Sender<OperatorAnswer>) -> OperationId {
        let operation = self.next();
        self.waiting.insert(operation, answer);
        operation
    }

    fn next(&mut self) -> OperationId {
        self.begun += 1;
        OperationId(self.begun)
    }

    /// Whoever asked may be gone.
    pub(super) fn end(&mut self, operation: OperationId, answer: OperatorAnswer) {
        self.waiting.remove(&operation).map(|waiting| waiting.send(answer));
    }

    pub(super) fn transfer(
        &mut self,
        storage: &Storage,
        (prefixes, file, direction): (GroupPrefixes, PathBuf, TransferDirection),
        answer: oneshot::Sender<TransferAnswer>,
    ) {
        let operation = self.next();
        if storage.transfer(Transfer { operation, prefixes, file, direction }) {
            self.transfers.insert(operation, answer);
        } else {
            let words = "this mediator has all in memory, from where it cannot be moved; start it with a directory for its data";
            let _ = answer.send(Err(words.to_owned()));
        }
    }

    /// Tells what has become of groups; any other reply comes back.
    pub(super) fn transferred(&mut self, reply: StoreReply) -> Option<StoreReply> {
        let StoreReply::Transferred { operation, result } = reply else { return Some(reply) };
        self.transfers.remove(&operation).map(|waiting| waiting.send(result));
        None
    }
}
