//! Joins one session to the network: feeds it what the socket, the clock and the user bring, and does what it asks.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::clock;
use super::observers::EventSink;
use crate::group::Event;
use crate::journal::JournalHandle;
use crate::net::{Address, Link, LinkEvent};
use crate::protocol::{CloseCode, Millis};
use crate::record::SessionRecorder;
use crate::session::{Command, Deed, Delivery, DeliveryInput, LinkEnd, Session, SessionInput};
use crate::text::Clean;

/// How many commands may wait for a session.
pub const COMMAND_CAPACITY: usize = 64;

/// How many messages may wait for the socket before further reflections have to wait.
const MOST_UNWRITTEN: usize = 256;

/// How often to look at the clock at least: timers stand still while the machine sleeps, and nobody tells that the wall
/// clock was moved.
const LOOK: Duration = Duration::from_secs(15);

/// The same while the lock is ours, whose lease ends while the machine sleeps.
const LOOK_LOCKED: Duration = Duration::from_secs(1);

/// How long the end waits for the journal.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What keeps what comes and goes: each if there is one.
#[derive(Debug, Default)]
pub struct KeptBy {
    /// Makes every message durable before it is acknowledged and told.
    pub journal: Option<JournalHandle>,
    /// Keeps what the session is told and what follows, to be played again.
    pub recorder: Option<SessionRecorder>,
}

impl From<Option<JournalHandle>> for KeptBy {
    fn from(journal: Option<JournalHandle>) -> Self {
        Self { journal, recorder: None }
    }
}

/// Runs a session until it is over, or until nobody can command it any more. Nothing is kept: a message counts as durable
/// once the sink has it.
pub async fn drive(session: Session, address: Address, commands: mpsc::Receiver<Command>, sink: impl EventSink) {
    drive_keeping(None, session, address, commands, sink).await;
}

/// The same with what keeps what comes and goes.
pub async fn drive_keeping(
    kept: impl Into<KeptBy>,
    session: Session,
    address: Address,
    mut commands: mpsc::Receiver<Command>,
    sink: impl EventSink,
) {
    let KeptBy { journal, recorder } = kept.into();
    let mut driver = Driver {
        delivery: Delivery::new(session, journal.is_some()),
        address,
        sink,
        journal,
        recorder,
        link: None,
        opening: None,
        closing: None,
        held: None,
    };
    if let Some(recorder) = &mut driver.recorder {
        recorder.begin(&mut driver.delivery);
    }
    let first: Vec<Event> = driver.journal.iter_mut().flat_map(JournalHandle::first_events).collect();
    for event in first {
        driver.handle(DeliveryInput::Journal(event)).await;
    }
    driver.tell_session(SessionInput::Timer).await;
    while !driver.session().is_over() {
        let deadline = wake_at(clock::now(), driver.session().deadline(), driver.session().wants_lock());
        let writable = driver.link.as_ref().is_none_or(|link| link.backlog() < MOST_UNWRITTEN);
        let takes_more = driver.journal.as_ref().is_none_or(JournalHandle::takes_more);
        let may_read = takes_more && driver.link.as_ref().is_none_or(|link| !link.is_full());
        if writable && let Some(command) = driver.held.take() {
            driver.tell_session(SessionInput::Command(command)).await;
            continue;
        }
        let input = tokio::select! {
            biased;
            command = commands.recv(), if driver.held.is_none() => {
                let command = command.unwrap_or(Command::Leave);
                // A flood of reflections or chat frames must not keep the socket from being written and read.
                if !writable && matches!(command, Command::Reflect { .. } | Command::Proxy(_)) {
                    driver.held = Some(command);
                    continue;
                }
                SessionInput::Command(command)
            }
            reply = next_journal_reply(&mut driver.journal) => {
                driver.handle(reply).await;
                continue;
            }
            event = next_event(&mut driver.link, may_read) => driver.on_link_event(event),
            opened = next_opened(&mut driver.opening) => driver.on_opened(opened),
            () = clock::sleep_until(Some(deadline)) => {
                if !may_read {
                    driver.tell_session(SessionInput::NotReading).await;
                }
                SessionInput::Timer
            }
        };
        driver.tell_session(input).await;
    }
    driver.tell_the_rest().await;
    if let Some(closing) = driver.closing {
        let _ = closing.await;
    }
}

/// When the session has to be handled again although nothing happens. A session that waits for its user looks at the clock,
/// too: how long ago the last word was is on the screen.
fn wake_at(now: Millis, deadline: Option<Millis>, wants_lock: bool) -> Millis {
    let look = now.after(if wants_lock { LOOK_LOCKED } else { LOOK });
    deadline.map_or(look, |deadline| deadline.min(look))
}

struct Driver<S> {
    delivery: Delivery,
    address: Address,
    sink: S,
    link: Option<Link>,
    opening: Option<JoinHandle<Result<Link, LinkEnd>>>,
    closing: Option<JoinHandle<()>>,
    journal: Option<JournalHandle>,
    recorder: Option<SessionRecorder>,
    /// A reflection or chat frame that waits for room in what is to be written.
    held: Option<Command>,
}

impl<S: EventSink> Driver<S> {
    const fn session(&self) -> &Session {
        self.delivery.session()
    }

    async fn tell_session(&mut self, input: SessionInput) {
        self.handle(DeliveryInput::Session(input)).await;
    }

    async fn handle(&mut self, input: DeliveryInput) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let now = clock::precise();
            if let Some(recorder) = &mut self.recorder {
                recorder.input(now, &input);
            }
            self.delivery.handle(now, input);
            while let Some(deed) = self.delivery.poll() {
                if let Some(recorder) = &mut self.recorder {
                    recorder.deed(&deed);
                }
                if self.act(deed).await == Written::All {
                    next = Some(DeliveryInput::Session(SessionInput::Flushed));
                }
            }
            if let Some(recorder) = &mut self.recorder
                && let Some(why) = recorder.settle(&mut self.delivery)
            {
                self.recorder = None;
                self.sink.tell(now.wall, Event::RecordingStopped(why));
            }
        }
    }

    async fn act(&mut self, deed: Deed) -> Written {
        match deed {
            Deed::Connect => {
                if let Some(journal) = &self.journal {
                    journal.disconnected();
                }
                self.link = None;
                let address = self.address.clone();
                self.opening = Some(tokio::spawn(async move { address.connect().await }));
            }
            Deed::Send(frame) => {
                if let Some(link) = &mut self.link {
                    link.send(frame);
                }
            }
            Deed::Ping => {
                if let Some(link) = &mut self.link {
                    link.ping();
                }
            }
            Deed::Close(code) => return self.close(code).await,
            Deed::Store { connection, messages } => {
                if let Some(journal) = &mut self.journal {
                    journal.store(connection, messages);
                }
            }
            Deed::CaughtUp => {
                if let Some(journal) = &self.journal {
                    journal.caught_up();
                }
            }
            Deed::Settled { count, at, waited } => {
                if let Some(journal) = &self.journal {
                    journal.acknowledged(count, at, waited);
                }
            }
            Deed::Proxy(proxied) => self.sink.proxied(proxied),
            Deed::Tell(at, event) => {
                super::fault::point();
                log(&event);
                self.sink.tell(at, event);
            }
        }
        Written::Later
    }

    /// The session is over: what is still under way to the journal is waited for, as long as that is reasonable.
    async fn tell_the_rest(&mut self) {
        let rest = async {
            while self.delivery.awaits_journal() {
                let reply = next_journal_reply(&mut self.journal).await;
                self.handle(reply).await;
            }
        };
        let _ = tokio::time::timeout(LAST_WORD, rest).await;
        self.handle(DeliveryInput::Rest).await;
        self.sink.over(self.delivery.now().wall);
    }

    async fn close(&mut self, code: CloseCode) -> Written {
        if let Some(opening) = self.opening.take() {
            opening.abort();
        }
        let Some(mut link) = self.link.take() else { return Written::Later };
        let is_written = link.close(code).await;
        self.closing = Some(tokio::spawn(link.linger()));
        if is_written { Written::All } else { Written::Later }
    }

    fn on_link_event(&mut self, event: Option<LinkEvent>) -> SessionInput {
        if let Some(LinkEvent::End(_)) = &event
            && let Some(link) = self.link.take()
        {
            // Answers the server's close, if there was one.
            self.closing = Some(tokio::spawn(link.linger()));
        }
        event.map_or(SessionInput::Flushed, SessionInput::from)
    }

    fn on_opened(&mut self, opened: Result<Link, LinkEnd>) -> SessionInput {
        match opened {
            Ok(link) => {
                self.link = Some(link);
                SessionInput::LinkUp
            }
            Err(end) => SessionInput::LinkDown(end),
        }
    }
}

/// Whether all that was to be sent has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    All,
    Later,
}

async fn next_event(link: &mut Option<Link>, may_read: bool) -> Option<LinkEvent> {
    match link {
        Some(link) => link.next(may_read).await,
        None => std::future::pending().await,
    }
}

async fn next_journal_reply(journal: &mut Option<JournalHandle>) -> DeliveryInput {
    match journal {
        Some(journal) => journal.reply().await,
        None => std::future::pending().await,
    }
}

async fn next_opened(opening: &mut Option<JoinHandle<Result<Link, LinkEnd>>>) -> Result<Link, LinkEnd> {
    match opening {
        Some(handle) => {
            let opened = handle.await;
            *opening = None;
            opened.unwrap_or_else(|_| Err(LinkEnd::Unreachable(Clean::literal("connecting was given up"))))
        }
        None => std::future::pending().await,
    }
}

/// One log line an event; what comes by the thousand is not logged.
fn log(event: &Event) {
    match event {
        Event::Reflected(_)
        | Event::Acknowledged { .. }
        | Event::ReflectionStored { .. }
        | Event::RoundTrip { .. }
        // Its thread has logged it.
        | Event::Journal(_)
        | Event::JournalSetAside(_) => {}
        Event::SharedDeviceData(_) => tracing::debug!("the group has shared device data"),
        Event::Devices(devices) => tracing::debug!("device list with {} devices", devices.len()),
        Event::Ignored(_) | Event::Refused(_) | Event::Disconnected { .. } => tracing::warn!("{event:?}"),
        event => tracing::info!("{event:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_session_is_woken_every_15_seconds_and_one_with_the_lock_every_second() {
        let now = Millis(1_000_000);
        let (soon, late) = (Some(now.after(Duration::from_millis(300))), Some(now.after(Duration::from_hours(1))));
        for (deadline, wants_lock, woken_after) in [
            (late, false, 15_000),
            (late, true, 1_000),
            (soon, false, 300),
            (soon, true, 300),
            // It waits for its user, and may find the clock moved.
            (None, false, 15_000),
        ] {
            let woken = wake_at(now, deadline, wants_lock);
            assert_eq!(woken.since(now), Duration::from_millis(woken_after), "{deadline:?}, lock: {wants_lock}");
        }
    }
}
