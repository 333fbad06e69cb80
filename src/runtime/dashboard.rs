//! The dashboard's loop: keys first, then frames, then news; the session runs on a thread of its own.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::driver::{COMMAND_CAPACITY, Observer, drive};
use super::screen::{Reaction, Screen};
use super::{Remembering, clock, signals};
use crate::group::{Event, Group};
use crate::net::Address;
use crate::profile::SlotMemory;
use crate::protocol::Millis;
use crate::session::{Command, Session};
use crate::text::Clean;

/// The most frames a second.
const FRAMES_PER_SECOND: u64 = 30;

/// How long the session may take to leave when the program ends.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// A session on its own thread, and what it knows.
pub struct RunningSession {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    group: Mutex<Group>,
    changed: Notify,
    ended: Notify,
}

impl Shared {
    fn group(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the group model up to date and wakes the screen. Holding the lock takes microseconds on either side: the screen
/// draws into memory under it, and writes to the terminal without it.
struct GroupKeeper(Arc<Shared>);

impl Observer for GroupKeeper {
    fn tell(&mut self, at: Millis, event: Event) {
        self.0.group().apply(at, &event);
        self.0.changed.notify_one();
    }
}

impl RunningSession {
    /// Starts the thread; what is learned of the own slot goes to the memory, if there is one.
    ///
    /// # Errors
    /// If the system gives no thread or no event loop.
    pub fn start(session: Session, address: Address, memory: Option<SlotMemory>) -> io::Result<Self> {
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let shared =
            Arc::new(Shared { group: Mutex::new(Group::default()), changed: Notify::new(), ended: Notify::new() });
        let keeper = Remembering::new(GroupKeeper(Arc::clone(&shared)), memory)?;
        let ended = Arc::clone(&shared);
        let runtime = super::event_loop()?;
        let thread = std::thread::Builder::new().name("session".to_owned()).spawn(move || {
            runtime.block_on(drive(session, address, receiver, keeper));
            ended.ended.notify_one();
        })?;
        Ok(Self { commands, shared, thread })
    }

    /// Asks for something; false if too much is waiting already.
    fn ask(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// Lets the session leave, for as long as that is worth waiting for.
    async fn leave(self) {
        let _ = tokio::time::timeout(LEAVE_WITHIN, async {
            let _ = self.commands.send(Command::Leave).await;
            self.shared.ended.notified().await;
        })
        .await;
        if self.thread.is_finished() {
            let _ = self.thread.join();
        }
    }
}

/// Shows a session on a screen until the user quits or a signal ends the program.
///
/// # Errors
/// If the terminal fails.
pub async fn run<S: Screen>(
    session: RunningSession,
    screen: &mut S,
    inputs: impl Stream<Item = io::Result<S::Input>>,
) -> io::Result<()> {
    let ended = show(&session, screen, inputs, signals::terminated()).await;
    // The terminal is given back before anything is waited for.
    let restored = screen.suspend();
    session.leave().await;
    ended.and(restored)
}

async fn show<S: Screen>(
    session: &RunningSession,
    screen: &mut S,
    inputs: impl Stream<Item = io::Result<S::Input>>,
    terminated: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut inputs = pin!(inputs);
    let mut terminated = pin!(terminated);
    let mut frames = Frames::new();
    loop {
        let by_time = screen.changes_at(&session.shared.group(), clock::now());
        tokio::select! {
            biased;
            input = inputs.next() => {
                let Some(input) = input else { return Ok(()) };
                match react(session, screen, input?)? {
                    Next::Nothing => {}
                    // A key is answered at once, whatever the frame rate.
                    Next::Draw => frames.draw(session, screen)?,
                    Next::End => return Ok(()),
                }
            }
            () = frames.due() => frames.draw(session, screen)?,
            () = session.shared.changed.notified() => frames.wanted(),
            () = clock::sleep_until(by_time) => frames.wanted(),
            () = &mut terminated => return Ok(()),
        }
    }
}

enum Next {
    Nothing,
    Draw,
    End,
}

fn react<S: Screen>(session: &RunningSession, screen: &mut S, input: S::Input) -> io::Result<Next> {
    let reaction = screen.handle(input, &session.shared.group(), clock::now());
    match reaction {
        Reaction::Nothing => return Ok(Next::Nothing),
        Reaction::Redraw | Reaction::Repaint => {}
        Reaction::Command(command) => {
            if !session.ask(command) {
                screen.notify(Clean::literal("busy: too many requests are waiting; try again in a moment"));
            }
        }
        Reaction::Suspend => {
            screen.suspend()?;
            signals::stop_this_process()?;
            screen.resume()?;
        }
        Reaction::Quit => return Ok(Next::End),
    }
    Ok(Next::Draw)
}

/// When the next frame is drawn: only if something changed, and not sooner than the frame rate allows.
struct Frames {
    last: Option<Instant>,
    dirty: bool,
}

impl Frames {
    /// The first frame is due at once.
    const fn new() -> Self {
        Self { last: None, dirty: true }
    }

    const fn wanted(&mut self) {
        self.dirty = true;
    }

    async fn due(&self) {
        match (self.dirty, self.last) {
            (false, _) => std::future::pending().await,
            (true, None) => {}
            (true, Some(last)) => tokio::time::sleep_until(last + clock::frame(FRAMES_PER_SECOND)).await,
        }
    }

    fn draw<S: Screen>(&mut self, session: &RunningSession, screen: &mut S) -> io::Result<()> {
        self.dirty = false;
        screen.draw(&session.shared.group(), clock::now())?;
        screen.present()?;
        self.last = Some(Instant::now());
        super::fault::point();
        Ok(())
    }
}
