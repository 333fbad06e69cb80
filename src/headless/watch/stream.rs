//! What the session tells, on its way to the printer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::group::{Event, ReflectedMessage};
use crate::protocol::Millis;
use crate::runtime::Observer;

/// How many events, each up to a batch of messages, may wait for a slow reader before messages are left out.
const EVENT_CAPACITY: usize = 1_024;

/// What reaches the printer.
pub(super) enum Told {
    Event(Millis, Event),
    LeftOut(LeftOut),
}

/// What was left out of the stream because the reader was slow.
#[derive(Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub(super) at: Millis,
    pub(super) messages: usize,
    /// How many of the messages were to be acknowledged.
    pub(super) durable: usize,
    pub(super) acknowledged: usize,
}

/// Hands events to the printer without ever waiting for it. When it falls behind, messages are left out and counted, so
/// that memory stays bounded; everything else is rare, and kept.
#[derive(Default)]
pub(super) struct Stream {
    state: Mutex<StreamState>,
    pub(super) changed: Notify,
}

#[derive(Default)]
struct StreamState {
    queue: VecDeque<Told>,
    ended: bool,
}

impl Stream {
    fn update(&self, change: impl FnOnce(&mut StreamState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }

    fn end(&self) {
        self.update(|state| state.ended = true);
    }

    pub(super) fn take(&self) -> (VecDeque<Told>, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.queue), state.ended)
    }
}

/// Ends the stream when the session is over, in whatever way.
pub(super) struct EndsStream(pub(super) Arc<Stream>);

impl Drop for EndsStream {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Observer for Arc<Stream> {
    fn tell(&mut self, at: Millis, event: Event) {
        self.update(|state| state.push(at, event));
    }
}

impl StreamState {
    fn push(&mut self, at: Millis, event: Event) {
        if self.queue.len() < EVENT_CAPACITY {
            return self.queue.push_back(Told::Event(at, event));
        }
        let (messages, durable, acknowledged) = match &event {
            Event::Reflected(messages) => (messages.len(), durable(messages), 0),
            Event::Acknowledged { ids, .. } => (0, 0, ids.len()),
            Event::RoundTrip { .. } | Event::ReflectionStored { .. } | Event::Ignored(_) => (0, 0, 0),
            _ => return self.queue.push_back(Told::Event(at, event)),
        };
        if !matches!(self.queue.back(), Some(Told::LeftOut(_))) {
            self.queue.push_back(Told::LeftOut(LeftOut { at, ..LeftOut::default() }));
        }
        if let Some(Told::LeftOut(left_out)) = self.queue.back_mut() {
            left_out.messages += messages;
            left_out.durable += durable;
            left_out.acknowledged += acknowledged;
        }
    }
}

pub(super) fn durable(messages: &[ReflectedMessage]) -> usize {
    messages.iter().filter(|message| !message.ephemeral).count()
}
