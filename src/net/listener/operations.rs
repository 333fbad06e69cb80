//! What the operator has asked for and waits for.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::mediator::{OperationId, OperatorAnswer};

#[derive(Default)]
pub(super) struct Operations {
    begun: u64,
    waiting: HashMap<OperationId, oneshot::Sender<OperatorAnswer>>,
}

impl Operations {
    pub(super) fn begin(&mut self, answer: oneshot::Sender<OperatorAnswer>) -> OperationId {
        self.begun += 1;
        let operation = OperationId(self.begun);
        self.waiting.insert(operation, answer);
        operation
    }

    /// Whoever asked may be gone.
    pub(super) fn end(&mut self, operation: OperationId, answer: OperatorAnswer) {
        self.waiting.remove(&operation).map(|waiting| waiting.send(answer));
    }
}
