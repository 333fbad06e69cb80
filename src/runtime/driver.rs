//! Joins one session to the network: feeds it what the socket, the clock and the user bring, and does what it asks.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::clock;
use crate::group::Event;
use crate::net::{Address, Link, LinkEvent};
use crate::protocol::{CloseCode, Millis, ReflectedId};
use crate::session::{Command, Input, LinkEnd, Output, Session};
use crate::text::Clean;

/// How many commands may wait for a session.
pub const COMMAND_CAPACITY: usize = 64;

/// How many messages may wait for the socket before further reflections have to wait.
const MOST_UNWRITTEN: usize = 256;

/// Is told what happens. Must not block: the session's acknowledgements would wait.
pub trait Observer: Send {
    /// Something happened.
    fn tell(&mut self, at: Millis, event: Event);
}

/// Runs a session until it is over, or until nobody can command it any more.
pub async fn drive(session: Session, address: Address, mut commands: mpsc::Receiver<Command>, observer: impl Observer) {
    let mut driver = Driver {
        session,
        address,
        observer,
        link: None,
        opening: None,
        closing: None,
        held: None,
        read_at: Instant::now(),
        unacknowledged: VecDeque::new(),
    };
    driver.handle(Input::Timer).await;
    while !driver.session.is_over() {
        let deadline = driver.session.deadline();
        let writable = driver.link.as_ref().is_none_or(|link| link.backlog() < MOST_UNWRITTEN);
        if writable && let Some(command) = driver.held.take() {
            driver.handle(Input::Command(command)).await;
            continue;
        }
        let input = tokio::select! {
            biased;
            command = commands.recv(), if driver.held.is_none() => {
                let command = command.unwrap_or(Command::Leave);
                // A flood of reflections must not keep the socket from being written and read.
                if !writable && matches!(command, Command::Reflect { .. }) {
                    driver.held = Some(command);
                    continue;
                }
                Input::Command(command)
            }
            event = next_event(&mut driver.link) => driver.on_link_event(event),
            opened = next_opened(&mut driver.opening) => driver.on_opened(opened),
            () = clock::sleep_until(deadline) => Input::Timer,
        };
        driver.handle(input).await;
    }
    if let Some(closing) = driver.closing {
        let _ = closing.await;
    }
}

struct Driver<O> {
    session: Session,
    address: Address,
    observer: O,
    link: Option<Link>,
    opening: Option<JoinHandle<Result<Link, LinkEnd>>>,
    closing: Option<JoinHandle<()>>,
    /// A reflection that waits for room in what is to be written.
    held: Option<Command>,
    /// When the batch that is being handled was read.
    read_at: Instant,
    /// Of each batch that is not yet acknowledged: when it was read, and how many of it are to be acknowledged.
    unacknowledged: VecDeque<(Instant, usize)>,
}

impl<O: Observer> Driver<O> {
    async fn handle(&mut self, input: Input) {
        self.session.handle(clock::precise(), input);
        while let Some(output) = self.session.poll() {
            self.act(output).await;
        }
    }

    async fn act(&mut self, output: Output) {
        let now = clock::now();
        match output {
            Output::Connect => {
                self.unacknowledged.clear();
                self.link = None;
                let address = self.address.clone();
                self.opening = Some(tokio::spawn(async move { address.connect().await }));
            }
            Output::Send(frame) => {
                if let Some(link) = &mut self.link {
                    link.send(frame);
                }
            }
            Output::Ping => {
                if let Some(link) = &mut self.link {
                    link.ping();
                }
            }
            Output::Close(code) => self.close(code).await,
            Output::Reflected { connection, messages } => {
                let count = messages.iter().filter(|message| !message.ephemeral).count();
                self.unacknowledged.push_back((self.read_at, count));
                self.observer.tell(now, Event::Reflected(messages));
                self.session.handle(clock::precise(), Input::Durable { connection, count });
            }
            Output::Acknowledged(ids) => self.acknowledged(now, ids),
            Output::Event(event) => {
                super::fault::point();
                log(&event);
                self.observer.tell(now, event);
            }
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
                self.observer.tell(now, Event::Acknowledged { ids, waited });
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
            self.session.handle(clock::precise(), Input::Flushed);
        }
        self.closing = Some(tokio::spawn(link.linger()));
    }

    fn on_link_event(&mut self, event: Option<LinkEvent>) -> Input {
        match event {
            None => Input::Flushed,
            Some(LinkEvent::Frames(frames)) => {
                self.read_at = Instant::now();
                Input::Frames(frames)
            }
            Some(LinkEvent::TextFrame) => Input::TextFrame,
            Some(LinkEvent::Pong) => Input::Pong,
            Some(LinkEvent::Alive) => Input::Alive,
            Some(LinkEvent::End(end)) => {
                if let Some(link) = self.link.take() {
                    // Answers the server's close, if there was one.
                    self.closing = Some(tokio::spawn(link.linger()));
                }
                Input::LinkDown(end)
            }
        }
    }

    fn on_opened(&mut self, opened: Result<Link, LinkEnd>) -> Input {
        match opened {
            Ok(link) => {
                self.link = Some(link);
                Input::LinkUp
            }
            Err(end) => Input::LinkDown(end),
        }
    }
}

async fn next_event(link: &mut Option<Link>) -> Option<LinkEvent> {
    match link {
        Some(link) => link.next().await,
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
