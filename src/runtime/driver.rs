//! Joins one session to the network: feeds it what the socket, the clock and the user bring, and does what it asks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::clock;
use super::journal_handle::JournalHandle;
use super::journal_writer::JournalReply;
use super::observers::EventSink;
use crate::group::to_acknowledge;
use crate::group::{Event, JournalState};
use crate::net::{Address, Link, LinkEvent};
use crate::protocol::{CloseCode, Millis, ReflectedId};
use crate::session::{Command, LinkEnd, Session, SessionInput, SessionOutput};
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

/// Runs a session until it is over, or until nobody can command it any more. Nothing is kept: a message counts as durable
/// once the sink has it.
pub async fn drive(session: Session, address: Address, commands: mpsc::Receiver<Command>, sink: impl EventSink) {
    drive_keeping(None, session, address, commands, sink).await;
}

/// The same, with every message made durable by the journal, if there is one, before it is acknowledged and told.
pub async fn drive_keeping(
    journal: Option<JournalHandle>,
    session: Session,
    address: Address,
    mut commands: mpsc::Receiver<Command>,
    sink: impl EventSink,
) {
    let mut driver = Driver {
        session,
        address,
        sink,
        journal,
        in_flight: 0,
        deferred_events: VecDeque::new(),
        link: None,
        opening: None,
        closing: None,
        held: None,
        read_at: Instant::now(),
        unacknowledged: VecDeque::new(),
    };
    if let Some(journal) = &mut driver.journal {
        journal.first_events().for_each(|event| driver.sink.tell(clock::now(), event));
    }
    driver.handle(SessionInput::Timer).await;
    while !driver.session.is_over() {
        let deadline = wake_at(clock::now(), driver.session.deadline(), driver.session.wants_lock());
        let writable = driver.link.as_ref().is_none_or(|link| link.backlog() < MOST_UNWRITTEN);
        let takes_more = driver.journal.as_ref().is_none_or(JournalHandle::takes_more);
        let may_read = takes_more && driver.link.as_ref().is_none_or(|link| !link.is_full());
        if writable && let Some(command) = driver.held.take() {
            driver.handle(SessionInput::Command(command)).await;
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
                driver.on_journal_reply(reply).await;
                continue;
            }
            event = next_event(&mut driver.link, may_read) => driver.on_link_event(event),
            opened = next_opened(&mut driver.opening) => driver.on_opened(opened),
            () = clock::sleep_until(Some(deadline)) => {
                if !may_read {
                    driver.handle(SessionInput::NotReading).await;
                }
                SessionInput::Timer
            }
        };
        driver.handle(input).await;
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
    session: Session,
    address: Address,
    sink: S,
    link: Option<Link>,
    opening: Option<JoinHandle<Result<Link, LinkEnd>>>,
    closing: Option<JoinHandle<()>>,
    journal: Option<JournalHandle>,
    /// How many batches are under way to the journal.
    in_flight: u64,
    /// What happened after them, and is told after them: each with how many are to be handed on before.
    deferred_events: VecDeque<(u64, Millis, Event)>,
    /// A reflection or chat frame that waits for room in what is to be written.
    held: Option<Command>,
    /// When the batch that is being handled was read.
    read_at: Instant,
    /// Of each batch that is not yet acknowledged: when it was read, and how many of it are to be acknowledged.
    unacknowledged: VecDeque<(Instant, usize)>,
}

impl<S: EventSink> Driver<S> {
    async fn handle(&mut self, input: SessionInput) {
        self.session.handle(clock::precise(), input);
        while let Some(output) = self.session.poll() {
            self.act(output).await;
        }
    }

    async fn act(&mut self, output: SessionOutput) {
        match output {
            SessionOutput::Connect => {
                self.unacknowledged.clear();
                if let Some(journal) = &self.journal {
                    journal.disconnected();
                }
                self.link = None;
                let address = self.address.clone();
                self.opening = Some(tokio::spawn(async move { address.connect().await }));
            }
            SessionOutput::Send(frame) => {
                if let Some(link) = &mut self.link {
                    link.send(frame);
                }
            }
            SessionOutput::Ping => {
                if let Some(link) = &mut self.link {
                    link.ping();
                }
            }
            SessionOutput::Close(code) => self.close(code).await,
            SessionOutput::Reflected { connection, messages } => {
                let count = to_acknowledge(&messages);
                if count > 0 {
                    self.unacknowledged.push_back((self.read_at, count));
                }
                if let Some(journal) = &mut self.journal {
                    journal.store(connection, messages);
                    self.in_flight += 1;
                } else {
                    self.sink.tell(clock::now(), Event::Reflected(messages));
                    self.session.handle(clock::precise(), SessionInput::Durable { connection, count });
                }
            }
            SessionOutput::Acknowledged(ids) => self.acknowledged(clock::now(), ids),
            SessionOutput::Proxy(proxied) => self.sink.proxied(proxied),
            SessionOutput::Event(event) => {
                super::fault::point();
                log(&event);
                if let (Event::QueueDry, Some(journal)) = (&event, &self.journal) {
                    journal.caught_up();
                }
                let now = clock::now();
                if self.in_flight > 0 {
                    self.deferred_events.push_back((self.in_flight, now, event));
                } else {
                    self.sink.tell(now, event);
                }
            }
        }
    }

    /// What the journal says: messages are handed on and acknowledged, in the order of receipt.
    async fn on_journal_reply(&mut self, reply: JournalReply) {
        let now = clock::now();
        match reply {
            JournalReply::HandOn { connection, messages, durable } => {
                let count = to_acknowledge(&messages);
                self.sink.tell(now, Event::Reflected(messages));
                self.tell_deferred_events();
                if durable {
                    self.handle(SessionInput::Durable { connection, count }).await;
                }
            }
            JournalReply::Durable { connection, count } => {
                self.handle(SessionInput::Durable { connection, count }).await;
            }
            JournalReply::Failed(why) => self.sink.tell(now, Event::Journal(JournalState::Failed(why))),
            JournalReply::Works { redeliver } => {
                self.sink.tell(now, Event::Journal(JournalState::Keeps));
                if let Some(connection) = redeliver {
                    self.handle(SessionInput::Redeliver { connection }).await;
                }
            }
        }
    }

    /// One more batch is handed on: what happened between it and the next is told.
    fn tell_deferred_events(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        for (before, ..) in &mut self.deferred_events {
            *before = before.saturating_sub(1);
        }
        while self.deferred_events.front().is_some_and(|(before, ..)| *before == 0) {
            if let Some((_, at, event)) = self.deferred_events.pop_front() {
                self.sink.tell(at, event);
            }
        }
    }

    /// The session is over: what is still under way to the journal is waited for, as long as that is reasonable.
    async fn tell_the_rest(&mut self) {
        let rest = async {
            while self.in_flight > 0 {
                let reply = next_journal_reply(&mut self.journal).await;
                self.on_journal_reply(reply).await;
            }
        };
        let _ = tokio::time::timeout(LAST_WORD, rest).await;
        for (_, at, event) in std::mem::take(&mut self.deferred_events) {
            self.sink.tell(at, event);
        }
    }

    /// Tells batch by batch how long the acknowledgements took: to the microsecond, which the session's clock is too
    /// coarse for.
    fn acknowledged(&mut self, now: Millis, mut ids: Vec<ReflectedId>) {
        while !ids.is_empty() {
            let Some((read_at, count)) = self.unacknowledged.front_mut() else { return };
            let rest = ids.split_off((*count).min(ids.len()));
            let waited = read_at.elapsed();
            *count -= ids.len();
            if *count == 0 {
                self.unacknowledged.pop_front();
            }
            if !ids.is_empty() {
                if let Some(journal) = &self.journal {
                    journal.acknowledged(ids.len(), now, waited);
                }
                self.sink.tell(now, Event::Acknowledged { ids, waited });
            }
            ids = rest;
        }
    }

    async fn close(&mut self, code: CloseCode) {
        if let Some(opening) = self.opening.take() {
            opening.abort();
        }
        let Some(mut link) = self.link.take() else { return };
        if link.close(code).await {
            self.session.handle(clock::precise(), SessionInput::Flushed);
        }
        self.closing = Some(tokio::spawn(link.linger()));
    }

    fn on_link_event(&mut self, event: Option<LinkEvent>) -> SessionInput {
        match &event {
            Some(LinkEvent::Frames(_)) => self.read_at = Instant::now(),
            Some(LinkEvent::End(_)) => {
                if let Some(link) = self.link.take() {
                    // Answers the server's close, if there was one.
                    self.closing = Some(tokio::spawn(link.linger()));
                }
            }
            _ => {}
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

async fn next_event(link: &mut Option<Link>, may_read: bool) -> Option<LinkEvent> {
    match link {
        Some(link) => link.next(may_read).await,
        None => std::future::pending().await,
    }
}

async fn next_journal_reply(journal: &mut Option<JournalHandle>) -> JournalReply {
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
        Event::Reflected(_) | Event::Acknowledged { .. } | Event::ReflectionStored { .. } | Event::RoundTrip { .. } => {
        }
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
