//! What a connection's task asks the machine before it answers a request.

use tokio::sync::{mpsc, oneshot};

use crate::mediator::GroupRefusal;
use crate::protocol::DeviceGroupId;

/// A question that the machine's task answers at once.
pub(super) enum GateQuestion {
    /// Whether a device of the group would be let in.
    Admits(DeviceGroupId, oneshot::Sender<Result<(), GroupRefusal>>),
    /// Whether logins are taken at all.
    Ready(oneshot::Sender<bool>),
}

/// The way to ask.
#[derive(Clone)]
pub(super) struct Gate(pub(super) mpsc::Sender<GateQuestion>);

impl Gate {
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
