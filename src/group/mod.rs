//! What one device knows of its group. Pure: [`Group::apply`] is the one reducer.

pub mod event;

pub use event::{
    DisconnectCause, Event, ListedDevice, LockEvent, Login, NextStep, Probe, ReflectedMessage, Refusal, Scope,
};

/// What one device knows of its group.
#[derive(Debug, Default)]
pub struct Group {}
impl Group {
    /// x
    pub fn apply(&mut self, _at: crate::protocol::Millis, _event: &Event) {}
}
