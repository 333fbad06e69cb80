//! Who sees what a session tells: a list of observers that look at every event, and one sink that takes it.

use std::io;

use super::clock;
use crate::alerts::EventMatcher;
use crate::group::{Event, NextStep};
use crate::metrics::Meter;
use crate::os::latest_value_writer::LatestValueWriter;
use crate::os::systemd::Service;
use crate::profile::SlotMemory;
use crate::protocol::Millis;
use crate::session::{Now, ProxyOutput};

/// Takes what happens. Must not block: the session's acknowledgements would wait.
pub trait EventSink: Send {
    /// Something happened.
    fn tell(&mut self, at: Millis, event: Event);

    /// Something for a sink that carries a chat client's connection. It comes at once, also where what is told waits for
    /// the journal.
    fn proxied(&mut self, _proxied: ProxyOutput) {}

    /// The session is over; nothing more is told.
    fn over(&mut self, _at: Millis) {}
}

/// Looks at what happens before the sink takes it. Must not block.
pub trait Observer: Send {
    /// Something happened.
    fn observe(&mut self, at: Millis, event: &Event);
}

/// A sink, and all who look before it, in this order.
pub struct Observers<S> {
    list: Vec<Box<dyn Observer>>,
    sink: S,
}

impl<S: EventSink> Observers<S> {
    /// Nobody but the sink.
    #[must_use]
    pub const fn new(sink: S) -> Self {
        Self { list: Vec::new(), sink }
    }

    /// One more who looks, after those that are there.
    #[must_use]
    pub fn with(mut self, observer: impl Observer + 'static) -> Self {
        self.list.push(Box::new(observer));
        self
    }

    /// All of these, too.
    #[must_use]
    pub fn with_all(mut self, observers: Vec<Box<dyn Observer>>) -> Self {
        self.list.extend(observers);
        self
    }

    /// The same, if there is one.
    #[must_use]
    pub fn with_some(self, observer: Option<impl Observer + 'static>) -> Self {
        match observer {
            Some(observer) => self.with(observer),
            None => self,
        }
    }

    /// Also who remembers our slot, if there is a memory to keep it in.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn remembering(self, memory: Option<SlotMemory>) -> io::Result<Self> {
        Ok(match memory {
            Some(memory) => self.with(SlotObserver::new(memory)?),
            None => self,
        })
    }
}

impl<S: EventSink> EventSink for Observers<S> {
    fn tell(&mut self, at: Millis, event: Event) {
        for observer in &mut self.list {
            observer.observe(at, &event);
        }
        self.sink.tell(at, event);
    }

    fn proxied(&mut self, proxied: ProxyOutput) {
        self.sink.proxied(proxied);
    }

    fn over(&mut self, at: Millis) {
        self.sink.over(at);
    }
}

/// Keeps what is learned of the own slot, without making the session wait for the disk.
#[derive(Debug)]
pub struct SlotObserver {
    memory: SlotMemory,
    writer: LatestValueWriter<SlotMemory>,
}

impl SlotObserver {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn new(memory: SlotMemory) -> io::Result<Self> {
        Ok(Self { memory, writer: LatestValueWriter::start("slot memory", write)? })
    }
}

impl Observer for SlotObserver {
    fn observe(&mut self, at: Millis, event: &Event) {
        if self.memory.learn(at, event) {
            self.writer.write(self.memory.clone());
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is the last who has it")]
fn write(memory: SlotMemory) {
    if let Err(error) = memory.write() {
        tracing::warn!("cannot remember the slot: {error}");
    }
}

/// Counts for the metrics.
pub(super) struct MetricsObserver(pub(super) Meter);

impl Observer for MetricsObserver {
    fn observe(&mut self, at: Millis, event: &Event) {
        self.0.take(Now { wall: at, ..clock::precise() }, event);
    }
}

/// Finds what alert rules wait for.
pub(super) struct AlertObserver(pub(super) EventMatcher);

impl Observer for AlertObserver {
    fn observe(&mut self, at: Millis, event: &Event) {
        self.0.take(Now { wall: at, ..clock::precise() }, event);
    }
}

/// Tells systemd what the session does.
pub struct SystemdObserver(pub Service);

impl Observer for SystemdObserver {
    fn observe(&mut self, _at: Millis, event: &Event) {
        if let Some(status) = status(event) {
            self.0.status(&status, matches!(event, Event::LoggedIn(_)));
        }
    }
}

/// In words for `systemctl status`, without anything that others wrote.
fn status(event: &Event) -> Option<String> {
    Some(match event {
        Event::Connecting { attempt } => format!("connecting (attempt {attempt})"),
        Event::LoggedIn(login) => format!("logged in as {}", login.own),
        Event::Devices(devices) => format!("live: {} devices", devices.len()),
        Event::Disconnected { cause, next } => {
            let next = match next {
                NextStep::RetryAt { .. } => "comes back",
                NextStep::WaitForUser => "needs somebody",
                NextStep::End => "ended",
            };
            format!("not connected ({}); {next}", cause.name())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Frames(Arc<Mutex<Vec<ProxyOutput>>>);

    impl EventSink for Frames {
        fn tell(&mut self, _at: Millis, _event: Event) {}

        fn proxied(&mut self, proxied: ProxyOutput) {
            self.0.lock().unwrap().push(proxied);
        }
    }

    #[test]
    fn frames_of_the_chat_server_are_handed_on() {
        let frames = Frames::default();
        let frame = ProxyOutput::Frame(bytes::Bytes::from_static(b"frame"));
        Observers::new(frames.clone()).with(SystemdObserver(Service::default())).proxied(frame.clone());
        assert_eq!(*frames.0.lock().unwrap(), [frame]);
    }
}
