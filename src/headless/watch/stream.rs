//! What the session tells, on its way to the printer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::group::to_acknowledge;
use crate::group::{Event, NextStep};
use crate::output::ndjson;
use crate::protocol::Millis;
use crate::runtime::EventSink;

/// How many lines, one a message, may wait for a slow reader before what is no turn of the session's course is left out.
const LINES: usize = 32_768;

/// How many turns of the session's course are kept beyond that: the newest ones.
const TURNS: usize = 4_096;

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
#[derive(Clone, Copy)]
pub(super) struct LeftOut {
    pub(super) at: Millis,
    pub(super) messages: usize,
    pub(super) acknowledged: usize,
    /// Of other kinds.
    pub(super) events: usize,
    /// A login is among them; what is said of messages to be acknowledged is of those that came after it.
    pub(super) logged_in: bool,
    /// How many of the messages were to be acknowledged.
    pub(super) durable: usize,
    /// How many acknowledgements were of them.
    pub(super) settled: usize,
    /// A device that is not as known is among them.
    pub(super) device_changes: bool,
}

impl LeftOut {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Reflected(messages) => {
                self.messages += messages.len();
                self.durable += to_acknowledge(messages);
            }
            Event::Acknowledged { ids, .. } => {
                self.acknowledged += ids.len();
                self.settled += ids.len();
            }
            event => {
                self.events += 1;
                self.device_changes |= matches!(event, Event::DeviceChanged { .. });
                if matches!(event, Event::LoggedIn(_)) {
                    (self.logged_in, self.durable, self.settled) = (true, 0, 0);
                }
            }
        }
    }

    const fn at(at: Millis) -> Self {
        Self {
            at,
            messages: 0,
            acknowledged: 0,
            events: 0,
            logged_in: false,
            durable: 0,
            settled: 0,
            device_changes: false,
        }
    }

    /// What was left out here, and then there.
    fn and(self, then: Option<Self>) -> Self {
        let Some(then) = then else { return self };
        let before = if then.logged_in { Self::at(self.at) } else { self };
        Self {
            at: self.at,
            messages: self.messages + then.messages,
            acknowledged: self.acknowledged + then.acknowledged,
            events: self.events + then.events,
            logged_in: self.logged_in || then.logged_in,
            durable: before.durable + then.durable,
            settled: before.settled + then.settled,
            device_changes: self.device_changes || then.device_changes,
        }
    }
}

/// A turn of the session's course, and what was left out before it.
struct Turn {
    left_out: Option<LeftOut>,
    at: Millis,
    event: Event,
}

/// Hands events to the printer without ever waiting for it. When it falls behind, they are left out and counted, so that
/// memory stays bounded, but for the newest turns of the session's course and the newest device list.
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
    /// What is kept of what came when that were too many.
    turns: VecDeque<Turn>,
    /// What was left out since the last of these.
    left_out: Option<LeftOut>,
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
        let mut told = std::mem::take(&mut state.queue);
        for Turn { left_out, at, event } in std::mem::take(&mut state.turns) {
            told.extend(left_out.map(Told::LeftOut));
            told.push_back(Told::Event(at, event));
        }
        told.extend(state.left_out.take().map(Told::LeftOut));
        (told, state.ended)
    }
}

/// Ends the stream when the session is over, in whatever way.
pub(super) struct EndsStream(pub(super) Arc<Stream>);

impl Drop for EndsStream {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl EventSink for Arc<Stream> {
    fn tell(&mut self, at: Millis, event: Event) {
        self.update(|state| state.push(at, event));
    }
}

impl StreamState {
    fn push(&mut self, at: Millis, event: Event) {
        let lines = room_of(&event);
        if self.turns.is_empty() && self.left_out.is_none() && self.lines + lines <= LINES {
            self.lines += lines;
            return self.queue.push_back(Told::Event(at, event.without_envelopes()));
        }
        if !is_turn(&event) {
            return self.left_out.get_or_insert(LeftOut::at(at)).add(&event);
        }
        if matches!(event, Event::Devices(_)) {
            self.leave_out_older_list();
        }
        self.turns.push_back(Turn { left_out: self.left_out.take(), at, event });
        if self.turns.len() > TURNS {
            self.leave_out_turn(0);
        }
    }

    /// Of device lists, only the newest tells anything.
    fn leave_out_older_list(&mut self) {
        // From the end, where it is if lists are what comes.
        if let Some(index) = self.turns.iter().rposition(|turn| matches!(turn.event, Event::Devices(_))) {
            self.leave_out_turn(index);
        }
    }

    /// Counts a turn instead of keeping it.
    fn leave_out_turn(&mut self, index: usize) {
        let Some(Turn { left_out, at, event }) = self.turns.remove(index) else { return };
        let mut left_out = left_out.unwrap_or_else(|| LeftOut::at(at));
        left_out.add(&event);
        let next = self.turns.get_mut(index).map_or(&mut self.left_out, |turn| &mut turn.left_out);
        *next = Some(left_out.and(*next));
    }
}

/// What an event takes of the room, in lines; a list is as long as its devices.
fn room_of(event: &Event) -> usize {
    match event {
        Event::Devices(devices) => devices.len().max(1),
        event => ndjson::line_count(event),
    }
}

/// Whether the reader has to know this to know how the session stands.
const fn is_turn(event: &Event) -> bool {
    match event {
        Event::Connecting { .. }
        | Event::Handshaking
        | Event::LoggedIn(_)
        | Event::QueueDry
        | Event::Promoted
        | Event::RoleGivenUp { .. }
        | Event::Following
        | Event::Devices(_)
        | Event::DeviceChanged { .. }
        | Event::Journal(_)
        | Event::JournalSetAside(_)
        | Event::Disconnected { .. } => true,
        Event::SharedDeviceData(_)
        | Event::Reflected(_)
        | Event::Acknowledged { .. }
        | Event::DevicesAcknowledged
        | Event::Lock(_)
        | Event::DeviceDropped(_)
        | Event::ReflectionStored { .. }
        | Event::RoundTrip { .. }
        | Event::Refused(_)
        | Event::Ignored(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::group::{ListedDevice, LockEvent, Login, ReflectedMessage};
    use crate::protocol::{
        DeviceActivity, DeviceId, Dialect, OpenError, ReflectedHeader, ReflectedId, Sealed, SlotState,
    };
    use crate::text::Clean;

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

    fn told(stream: &Stream) -> VecDeque<Told> {
        stream.take().0
    }

    fn full() -> Arc<Stream> {
        let mut stream = Arc::new(Stream::default());
        for _ in 0..LINES / 256 {
            stream.tell(NOW, batch(256));
        }
        stream
    }

    fn login() -> Event {
        Event::LoggedIn(Login {
            own: DeviceId(7),
            dialect: Dialect::Dgk,
            max_device_slots: 5,
            slot_state: SlotState::Existing,
            clock_offset: None,
            reflection_queue_length: None,
            shared_version: None,
        })
    }

    fn acknowledged(count: u32) -> Event {
        Event::Acknowledged { ids: (0..count).map(ReflectedId).collect(), waited: Duration::ZERO }
    }

    #[test]
    fn what_waits_for_a_slow_reader_is_bounded_and_keeps_no_envelope() {
        let mut stream = Arc::new(Stream::default());
        for _ in 0..200 {
            stream.tell(NOW, batch(256));
        }
        stream.tell(NOW, Event::QueueDry);
        let all = told(&stream);
        let (mut kept, mut left_out) = (0, 0);
        for told in &all {
            match told {
                Told::Event(_, Event::Reflected(messages)) => {
                    kept += messages.len();
                    assert!(messages.iter().all(|message| message.envelope.as_bytes().is_empty() && message.size > 0));
                }
                Told::LeftOut(some) => left_out += some.messages,
                Told::Event(_, event) => assert_eq!(*event, Event::QueueDry, "a turn is kept"),
            }
        }
        assert_eq!((kept, left_out), (LINES, 51_200 - LINES));
        assert!(matches!(all.back(), Some(Told::Event(_, Event::QueueDry))));
        stream.tell(NOW, batch(256));
        assert_eq!(told(&stream).len(), 1, "once the reader has caught up, there is room again");
        assert!(told(&stream).is_empty());
    }

    #[test]
    fn a_flood_of_any_kind_is_counted_and_of_lists_the_newest_is_kept() {
        let mut stream = full();
        let lock = LockEvent::Ended { holder: DeviceId(1), scope: None };
        let list = |devices: u64| {
            let device = ListedDevice {
                info: Err(OpenError::DoesNotDecrypt),
                activity: DeviceActivity::Unknown,
                expiration_policy: None,
            };
            Event::Devices((0..devices).map(|id| (DeviceId(id), device.clone())).collect())
        };
        for devices in 0..10_000 {
            stream.tell(NOW, Event::Lock(lock.clone()));
            stream.tell(NOW, list(devices % 7));
            stream.tell(NOW, Event::Ignored(Clean::literal("nonsense")));
        }
        let beyond: Vec<Told> = told(&stream).into_iter().skip(LINES / 256).collect();
        let [Told::LeftOut(before), Told::Event(_, newest), Told::LeftOut(after)] = beyond.as_slice() else {
            panic!("{} are kept", beyond.len())
        };
        assert_eq!((before.events + after.events, *newest == list(9_999 % 7)), (29_999, true));
    }

    #[test]
    fn the_newest_turns_are_kept_and_what_was_left_out_before_a_login_does_not_count_after_it() {
        let mut stream = full();
        for attempt in 0..10_000 {
            stream.tell(NOW, Event::Connecting { attempt });
            stream.tell(NOW, login());
            stream.tell(NOW, batch(3));
            stream.tell(NOW, acknowledged(2));
        }
        let beyond: Vec<Told> = told(&stream).into_iter().skip(LINES / 256).collect();
        let turns = beyond.iter().filter(|told| matches!(told, Told::Event(..))).count();
        assert_eq!(turns, TURNS);
        let sum = |of: fn(&LeftOut) -> usize| -> usize {
            beyond
                .iter()
                .filter_map(|told| if let Told::LeftOut(left_out) = told { Some(of(left_out)) } else { None })
                .sum()
        };
        assert_eq!(sum(|left_out| left_out.messages), 30_000, "whatever is left out is counted once");
        assert_eq!(sum(|left_out| left_out.acknowledged), 20_000);
        assert_eq!(sum(|left_out| left_out.events), 20_000 - TURNS);
        let Some(Told::LeftOut(first)) = beyond.first() else { panic!("something is left out first") };
        assert!(first.logged_in);
        assert_eq!((first.durable, first.settled), (3, 2), "of the last login among them");
    }
}
