//! [`EventQueue`]: the events of a session on their way to standard output.
//!
//! When the reader falls behind, messages are left out and counted, so that memory stays bounded. The course of the
//! session (logins, roles, ends of connections) and the newest device list are kept.

use super::queue::{LineQueue, Overflow, Queued};
use crate::group::{Event, NextStep, to_acknowledge};
use crate::output::ndjson;
use crate::protocol::Millis;

/// Events that wait to be printed.
pub type EventQueue = LineQueue<WatchOverflow>;

/// What the queue gives out.
pub type QueuedEvent = Queued<TimedEvent, LeftOutEvents>;

/// An event and when it happened.
#[derive(Debug)]
pub struct TimedEvent {
    /// By the wall clock.
    pub at: Millis,
    pub event: Event,
}

impl TimedEvent {
    /// Without the envelopes, which no line shows.
    #[must_use]
    pub fn new(at: Millis, event: Event) -> Self {
        Self { at, event: event.without_envelopes() }
    }

    /// The watch ends: if the event is the end of a connection, the line says that there is no retry.
    pub const fn forbid_retry(&mut self) {
        if let Event::Disconnected { next: next @ NextStep::RetryAt { .. }, .. } = &mut self.event {
            *next = NextStep::End;
        }
    }
}

/// What was left out because the reader was slow.
#[derive(Clone, Copy, Debug)]
pub struct LeftOutEvents {
    /// When the first of it happened.
    pub at: Millis,
    pub messages: usize,
    /// How many acknowledgements.
    pub acknowledged: usize,
    /// Of other kinds.
    pub events: usize,
    /// Whether a login is among them. The next two count only what came after it.
    pub logged_in: bool,
    /// How many of the messages were to be acknowledged.
    pub to_acknowledge: usize,
    /// How many of these were acknowledged.
    pub settled: usize,
    /// Whether a device change is among them.
    pub device_changes: bool,
}

impl LeftOutEvents {
    const fn at(at: Millis) -> Self {
        Self {
            at,
            messages: 0,
            acknowledged: 0,
            events: 0,
            logged_in: false,
            to_acknowledge: 0,
            settled: 0,
            device_changes: false,
        }
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::Reflected(messages) => {
                self.messages += messages.len();
                self.to_acknowledge += to_acknowledge(messages);
            }
            Event::Acknowledged { ids, .. } => {
                self.acknowledged += ids.len();
                self.settled += ids.len();
            }
            event => {
                self.events += 1;
                self.device_changes |= matches!(event, Event::DeviceChanged { .. });
                if matches!(event, Event::LoggedIn(_)) {
                    (self.logged_in, self.to_acknowledge, self.settled) = (true, 0, 0);
                }
            }
        }
    }
}

/// Leaves messages out, and keeps the course of the session.
#[derive(Debug)]
pub struct WatchOverflow;

impl Overflow for WatchOverflow {
    type Item = TimedEvent;
    type LeftOut = LeftOutEvents;

    const ROOM: usize = 32_768;
    const MAX_ESSENTIAL: usize = 4_096;

    /// A line a message; a list is as long as its devices.
    fn room_of(item: &TimedEvent) -> usize {
        match &item.event {
            Event::Devices(devices) => devices.len().max(1),
            event => ndjson::line_count(event),
        }
    }

    fn is_essential(item: &TimedEvent) -> bool {
        is_of_the_course(&item.event)
    }

    /// Of device lists, only the newest tells anything.
    fn replaces(newer: &TimedEvent, older: &TimedEvent) -> bool {
        matches!((&newer.event, &older.event), (Event::Devices(_), Event::Devices(_)))
    }

    fn leave_out(left_out: Option<LeftOutEvents>, item: &TimedEvent) -> LeftOutEvents {
        let mut left_out = left_out.unwrap_or_else(|| LeftOutEvents::at(item.at));
        left_out.add(&item.event);
        left_out
    }

    fn join(first: LeftOutEvents, then: LeftOutEvents) -> LeftOutEvents {
        let before = if then.logged_in { LeftOutEvents::at(first.at) } else { first };
        LeftOutEvents {
            at: first.at,
            messages: first.messages + then.messages,
            acknowledged: first.acknowledged + then.acknowledged,
            events: first.events + then.events,
            logged_in: first.logged_in || then.logged_in,
            to_acknowledge: before.to_acknowledge + then.to_acknowledge,
            settled: before.settled + then.settled,
            device_changes: first.device_changes || then.device_changes,
        }
    }
}

/// Whether the reader has to know this to know how the session stands.
const fn is_of_the_course(event: &Event) -> bool {
    match event {
        Event::Connecting { .. }
        | Event::Handshaking
        | Event::LoggedIn(_)
        | Event::QueueDry
        | Event::Promoted
        | Event::RoleGivenUp { .. }
        | Event::Following
        | Event::ClockMoved { .. }
        | Event::LastHeard { .. }
        | Event::Devices(_)
        | Event::DeviceChanged { .. }
        | Event::Journal(_)
        | Event::JournalSetAside(_)
        | Event::RecordingStopped(_)
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
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::group::{ListedDevice, LockEvent, Login, ReflectedMessage};
    use crate::protocol::{DeviceActivity, DeviceId, Dialect, OpenError, ReflectedId, Sealed, SlotState};
    use crate::text::Clean;

    const NOW: Millis = Millis(1_793_577_600_000);

    fn batch(size: usize) -> Event {
        let message = ReflectedMessage {
            stored_at: NOW,
            received_at: NOW,
            size: 60_000,
            envelope: Sealed::from_wire(Bytes::from(vec![7; 60_000])),
            ..ReflectedMessage::example()
        };
        Event::Reflected(vec![message; size])
    }

    fn push(queue: &EventQueue, event: Event) {
        queue.push(TimedEvent::new(NOW, event));
    }

    fn queued(queue: &EventQueue) -> VecDeque<QueuedEvent> {
        queue.take().0
    }

    fn full() -> Arc<EventQueue> {
        let queue = Arc::new(EventQueue::default());
        for _ in 0..WatchOverflow::ROOM / 256 {
            push(&queue, batch(256));
        }
        queue
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
        let queue = Arc::new(EventQueue::default());
        for _ in 0..200 {
            push(&queue, batch(256));
        }
        push(&queue, Event::QueueDry);
        let all = queued(&queue);
        let (mut kept, mut left_out) = (0, 0);
        for told in &all {
            match told {
                Queued::Item(TimedEvent { event: Event::Reflected(messages), .. }) => {
                    kept += messages.len();
                    assert!(messages.iter().all(|message| message.envelope.as_bytes().is_empty() && message.size > 0));
                }
                Queued::LeftOut(some) => left_out += some.messages,
                Queued::Item(TimedEvent { event, .. }) => assert_eq!(*event, Event::QueueDry, "a turn is kept"),
            }
        }
        assert_eq!((kept, left_out), (WatchOverflow::ROOM, 51_200 - WatchOverflow::ROOM));
        assert!(matches!(all.back(), Some(Queued::Item(TimedEvent { event: Event::QueueDry, .. }))));
        push(&queue, batch(256));
        assert_eq!(queued(&queue).len(), 1, "once the reader has caught up, there is room again");
        assert!(queued(&queue).is_empty());
    }

    #[test]
    fn a_flood_of_any_kind_is_counted_and_of_lists_the_newest_is_kept() {
        let queue = full();
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
            push(&queue, Event::Lock(lock.clone()));
            push(&queue, list(devices % 7));
            push(&queue, Event::Ignored(Clean::literal("nonsense")));
        }
        let beyond: Vec<QueuedEvent> = queued(&queue).into_iter().skip(WatchOverflow::ROOM / 256).collect();
        let [Queued::LeftOut(before), Queued::Item(TimedEvent { event: newest, .. }), Queued::LeftOut(after)] =
            beyond.as_slice()
        else {
            panic!("{} are kept", beyond.len())
        };
        assert_eq!((before.events + after.events, *newest == list(9_999 % 7)), (29_999, true));
    }

    #[test]
    fn the_newest_turns_are_kept_and_what_was_left_out_before_a_login_does_not_count_after_it() {
        let queue = full();
        for attempt in 0..10_000 {
            push(&queue, Event::Connecting { attempt });
            push(&queue, login());
            push(&queue, batch(3));
            push(&queue, acknowledged(2));
        }
        let beyond: Vec<QueuedEvent> = queued(&queue).into_iter().skip(WatchOverflow::ROOM / 256).collect();
        let turns = beyond.iter().filter(|told| matches!(told, Queued::Item(_))).count();
        assert_eq!(turns, WatchOverflow::MAX_ESSENTIAL);
        let sum = |of: fn(&LeftOutEvents) -> usize| -> usize {
            beyond
                .iter()
                .filter_map(|told| if let Queued::LeftOut(left_out) = told { Some(of(left_out)) } else { None })
                .sum()
        };
        assert_eq!(sum(|left_out| left_out.messages), 30_000, "whatever is left out is counted once");
        assert_eq!(sum(|left_out| left_out.acknowledged), 20_000);
        assert_eq!(sum(|left_out| left_out.events), 20_000 - WatchOverflow::MAX_ESSENTIAL);
        let Some(Queued::LeftOut(first)) = beyond.first() else { panic!("something is left out first") };
        assert!(first.logged_in);
        assert_eq!((first.to_acknowledge, first.settled), (3, 2), "of the last login among them");
    }
}
