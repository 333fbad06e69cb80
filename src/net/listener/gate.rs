//! What others ask the machine's task: a connection's before it answers a request, and who looks from outside.

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

use crate::mediator::{
    GroupPrefixes, GroupRefusal, MediatorFigures, MediatorStatus, OperatorAnswer, OperatorRefusal, OperatorRequest,
    StoredGroup, TransferDirection,
};
use crate::protocol::DeviceGroupId;

/// How many questions may wait.
const QUESTIONS: usize = 64;

/// The groups that were moved, or why none were.
pub(super) type TransferAnswer = Result<Vec<StoredGroup>, String>;

/// A question that the machine's task answers at once; a request of the operator, once that is stored.
pub(super) enum GateQuestion {
    /// Whether a device of the group would be let in.
    Admits(DeviceGroupId, oneshot::Sender<Result<(), GroupRefusal>>),
    /// Whether logins are taken at all.
    Ready(oneshot::Sender<bool>),
    Figures(oneshot::Sender<MediatorFigures>),
    Status(oneshot::Sender<MediatorStatus>),
    Operate(OperatorRequest, oneshot::Sender<OperatorAnswer>),
    Transfer(GroupPrefixes, PathBuf, TransferDirection, oneshot::Sender<TransferAnswer>),
}

/// The way to ask.
#[derive(Clone, Debug)]
pub(super) struct Gate(mpsc::Sender<GateQuestion>);

impl Gate {
    pub(super) fn new() -> (Self, mpsc::Receiver<GateQuestion>) {
        let (sender, questions) = mpsc::channel(QUESTIONS);
        (Self(sender), questions)
    }

    pub(super) async fn admits(&self, group: DeviceGroupId) -> Result<(), GroupRefusal> {
        let ask = |answer| GateQuestion::Admits(group, answer);
        self.ask(ask).await.unwrap_or(Err(GroupRefusal::ShuttingDown))
    }

    pub(super) async fn is_ready(&self) -> bool {
        self.ask(GateQuestion::Ready).await.unwrap_or(false)
    }

    /// No answer means that the server is at its end.
    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> GateQuestion) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.0.send(question(answer)).await.ok()?;
        answered.await.ok()
    }
}

/// Looks into a listener while it runs.
#[derive(Clone, Debug)]
pub struct Inspector(pub(super) Gate);

impl Inspector {
    /// Whether logins are taken; not before it runs, nor when it has ended.
    pub async fn is_ready(&self) -> bool {
        self.0.is_ready().await
    }

    /// What there is; [`None`] when it has ended.
    pub async fn figures(&self) -> Option<MediatorFigures> {
        self.0.ask(GateQuestion::Figures).await
    }

    /// All groups; [`None`] when it has ended.
    pub async fn status(&self) -> Option<MediatorStatus> {
        self.0.ask(GateQuestion::Status).await
    }

    /// Has the machine do something, and waits until it is done and stored.
    ///
    /// # Errors
    /// If it is not done.
    pub async fn operate(&self, request: OperatorRequest) -> OperatorAnswer {
        let ask = |answer| GateQuestion::Operate(request, answer);
        self.0.ask(ask).await.unwrap_or(Err(OperatorRefusal::ShuttingDown))
    }

    /// Has the store move groups to a file or from there.
    ///
    /// # Errors
    /// If it does not, in words; then nothing has changed.
    pub async fn transfer(
        &self,
        prefixes: GroupPrefixes,
        file: PathBuf,
        direction: TransferDirection,
    ) -> TransferAnswer {
        let ask = |answer| GateQuestion::Transfer(prefixes, file, direction, answer);
        self.0.ask(ask).await.unwrap_or_else(|| Err(OperatorRefusal::ShuttingDown.to_string()))
    }
}
