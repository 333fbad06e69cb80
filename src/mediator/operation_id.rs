//! [`OperationId`].

/// A request of whoever runs the mediator, by a number of the listener's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u64);
