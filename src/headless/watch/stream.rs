//! What the session tells, on its way to the printer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::group::event::to_acknowledge;
use crate::group::{Event, NextStep};
use crate::protocol::Millis;
use crate::runtime::{Observer, ndjson};

/// How many lines, one a message, may wait for a slow reader before messages are left out.
const LINES: usize = 32_768;

/// What reaches the printer.
pub(super) enum Told {
    Event(Millis, Event),
    LeftOut(LeftOut),
}

impl Told {
    /// The watch ends: a connection whose end this tells is not made again, whatever the session would do.
    pub(super) fn comes_back_no_more(&mut self) {
        if let Self::Event(_, Event::Disconnected { next: next @ NextStep::RetryAt { .. }, .. }) = self {
            *next = NextStep::End;
        }
    }
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
    /// How many lines the queue makes.
    lines: usize,
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
        state.lines = 0;
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
        let lines = ndjson::line_count(&event);
        if self.lines + lines <= LINES {
            return self.keep(at, event, lines);
        }
        let (messages, durable, acknowledged) = match &event {
            Event::Reflected(messages) => (messages.len(), to_acknowledge(messages), 0),
            Event::Acknowledged { ids, .. } => (0, 0, ids.len()),
            Event::RoundTrip { .. } | Event::ReflectionStored { .. } | Event::Ignored(_) => (0, 0, 0),
            _ => return self.keep(at, event, lines),
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

    fn keep(&mut self, at: Millis, event: Event, lines: usize) {
        self.lines += lines;
        self.queue.push_back(Told::Event(at, event.without_envelopes()));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::group::ReflectedMessage;
    use crate::protocol::{OpenError, ReflectedHeader, ReflectedId, Sealed};

    const NOW: Millis = Millis(1_793_577_600_000);

    fn batch(size: usize) -> Event {
        let message = ReflectedMessage {
            id: ReflectedId(1),
            stored_at: NOW,
            received_at: NOW,
            size: 60_000,
            header: ReflectedHeader::default(),
            ephemeral: false,
            redelivered: false,
            repeated_nonce: false,
            nonce: None,
            content: Err(OpenError::DoesNotDecrypt),
            envelope: Sealed::from_wire(Bytes::from(vec![7; 60_000])),
        };
        Event::Reflected(vec![message; size])
    }

    #[test]
    fn what_waits_for_a_slow_reader_is_bounded_by_messages_and_keeps_no_envelope() {
        let mut stream = Arc::new(Stream::default());
        for _ in 0..200 {
            stream.tell(NOW, batch(256));
        }
        stream.tell(NOW, Event::QueueDry);
        let (told, _) = stream.take();
        let (mut kept, mut left_out) = (0, 0);
        for told in &told {
            match told {
                Told::Event(_, Event::Reflected(messages)) => {
                    kept += messages.len();
                    assert!(messages.iter().all(|message| message.envelope.as_bytes().is_empty() && message.size > 0));
                }
                Told::LeftOut(some) => left_out += some.messages,
                Told::Event(_, event) => assert_eq!(*event, Event::QueueDry, "what is rare is kept"),
            }
        }
        assert_eq!((kept, left_out), (LINES, 51_200 - LINES));
        assert!(matches!(told.back(), Some(Told::Event(_, Event::QueueDry))));
        stream.tell(NOW, batch(256));
        assert_eq!(stream.take().0.len(), 1, "once the reader has caught up, there is room again");
        let (told, _) = stream.take();
        assert!(told.is_empty());
    }
}
