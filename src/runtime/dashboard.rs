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

use super::driver::{COMMAND_CAPACITY, KeptBy, drive_keeping};
use super::journal_pages::JournalPages;
use super::known_devices_store::KnownDevicesStore;
use super::observers::{EventSink, Observers};
use super::playback::{Playback, PlaybackRequest, PlayedBack};
use super::screen::{OlderRows, Reaction, Screen, SessionParts};
use super::{ProfileState, clock};
use crate::group::{Event, Group};
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::standing::Standing;
use crate::protocol::Millis;
use crate::session::Command;
use crate::text::Clean;

/// The most frames a second.
const FRAMES_PER_SECOND: u64 = 30;

/// How long the session may take to leave when the program ends.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// One or more sessions, each on a thread of its own; one of them is in sight.
pub struct RunningSessions {
    tabs: Vec<RunningSession>,
    visible: usize,
    /// What a session begins with.
    group: Box<dyn Fn(usize) -> Group>,
    /// Some session stands elsewhere than before, in sight or not.
    standing_changed: Arc<Notify>,
    /// Pages of the journals, and of which tab.
    pages: mpsc::UnboundedReceiver<(usize, OlderRows)>,
    /// Kept, so that the channel stays open; what is asked for is answered there.
    answers: mpsc::UnboundedSender<(usize, OlderRows)>,
    /// What is shown instead of what happens now, if that is a recording.
    playback: Option<Box<dyn Playback>>,
}

impl RunningSessions {
    /// Starts the threads; each session begins with such a group. `standing_changed` is notified whenever there is
    /// something to draw that is not of the group in sight; others may notify it, too.
    ///
    /// # Errors
    /// If the system gives no thread or no event loop.
    pub fn start(
        sessions: impl IntoIterator<Item = SessionParts>,
        group: impl Fn() -> Group + 'static,
        standing_changed: Arc<Notify>,
    ) -> io::Result<Self> {
        let mut running = Self::none(move |_| group(), standing_changed, None);
        sessions.into_iter().try_for_each(|parts| running.add(parts))?;
        Ok(running)
    }

    /// Plays a recording, a tab for each of its sessions; the group of each begins as told.
    #[must_use]
    pub fn play(playback: Box<dyn Playback>, tabs: usize, group: impl Fn(usize) -> Group + 'static) -> Self {
        let mut running = Self::none(group, Arc::default(), Some(playback));
        running.tabs = (0..tabs).map(|tab| RunningSession::played((running.group)(tab))).collect();
        running
    }

    fn none(
        group: impl Fn(usize) -> Group + 'static,
        standing_changed: Arc<Notify>,
        playback: Option<Box<dyn Playback>>,
    ) -> Self {
        let (answers, pages) = mpsc::unbounded_channel();
        Self { tabs: Vec::new(), visible: 0, group: Box::new(group), standing_changed, pages, answers, playback }
    }

    /// The time that is shown.
    fn now(&self) -> Millis {
        self.playback.as_ref().map_or_else(clock::now, |playback| playback.now())
    }

    /// Until there is something to play; for ever, if nothing is.
    async fn is_due(wait: Option<Duration>) {
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
    }

    /// Plays what is due, or does what the user wants of it; what to say.
    fn play_on(&mut self, request: Option<PlaybackRequest>) -> Option<Clean> {
        let Self { tabs, group, playback, .. } = self;
        let playback = playback.as_mut()?;
        let mut tell = |played: PlayedBack| match played {
            PlayedBack::Told(tab, at, event) => {
                if let Some(tab) = tabs.get(tab) {
                    tab.shared.group().apply(at, &event);
                }
            }
            PlayedBack::Anew => {
                for (number, tab) in tabs.iter().enumerate() {
                    *tab.shared.group() = group(number);
                }
            }
        };
        match request {
            Some(request) => Some(playback.ask(request, &mut tell)),
            None => playback.advance(&mut tell),
        }
    }

    /// Starts one more.
    fn add(&mut self, parts: SessionParts) -> io::Result<()> {
        let group = (self.group)(self.tabs.len());
        self.tabs.push(RunningSession::start(parts, group, Arc::clone(&self.standing_changed))?);
        Ok(())
    }

    fn visible(&self) -> io::Result<&RunningSession> {
        self.tabs.get(self.visible).ok_or_else(|| io::Error::other("there is no session to show"))
    }

    /// Turns to the tab so many places on, around the end.
    fn turn(&mut self, step: isize) -> usize {
        let count = self.tabs.len().max(1);
        let step = step.rem_euclid(isize::try_from(count).unwrap_or(isize::MAX)).unsigned_abs();
        self.visible = (self.visible + step) % count;
        self.visible
    }

    /// Asks the journal of a tab for older rows; what there is to say at once, if there is none.
    fn ask_for_older(&mut self, number: usize, before: Option<u64>, count: usize) -> Option<OlderRows> {
        let Self { tabs, answers, .. } = self;
        let tab = tabs.get_mut(number)?;
        let Some(older) = &mut tab.older else { return Some(OlderRows::NoJournal) };
        let asked = older.ask(before, count, tab.shared.group().feed(), (number, answers));
        asked.err().map(|error| OlderRows::Failed(Clean::new(&error.to_string())))
    }

    fn standings(&self) -> Vec<Standing> {
        self.tabs.iter().map(|tab| Standing::of(&tab.shared.group())).collect()
    }

    async fn leave(self) {
        futures_util::future::join_all(self.tabs.into_iter().map(RunningSession::leave)).await;
    }
}

/// A session on its own thread, and what it knows.
struct RunningSession {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    /// [`None`] if it is one of a recording.
    thread: Option<JoinHandle<()>>,
    /// What is older than memory, if a journal is kept.
    older: Option<JournalPages>,
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
struct GroupKeeper {
    shared: Arc<Shared>,
    memory: Option<KnownDevicesStore>,
    standing_changed: Arc<Notify>,
}

impl EventSink for GroupKeeper {
    fn tell(&mut self, at: Millis, event: Event) {
        let mut group = self.shared.group();
        let before = Standing::of(&group);
        let told_before = group.notices().count();
        group.apply(at, &event);
        for notice in group.notices().since(told_before) {
            tracing::info!("told: {}", notice.text);
        }
        let stands_elsewhere = Standing::of(&group) != before;
        let changes_the_known =
            matches!(event, Event::Devices(_) | Event::DevicesAcknowledged | Event::DeviceDropped(_));
        let known = if changes_the_known && self.memory.is_some() { group.known() } else { None };
        drop(group);
        self.shared.changed.notify_one();
        // A group that is not in sight is drawn in one word only.
        if stands_elsewhere {
            self.standing_changed.notify_one();
        }
        if let (Some(memory), Some(known)) = (&self.memory, known) {
            memory.keep(known);
        }
    }
}

impl RunningSession {
    /// Starts the thread. What is learned of the own slot goes to the memories, and which devices are known is taken from
    /// there and kept there.
    fn start(parts: SessionParts, group: Group, standing_changed: Arc<Notify>) -> io::Result<Self> {
        let (session, address, ProfileState { slot, known: memory, journal, names, recorder }, observers) = parts;
        let older = journal.as_ref().map(|journal| JournalPages::of(journal.path().to_owned()));
        let group = match &memory {
            Some(memory) => group.remembering(memory.ever()),
            None => group,
        };
        let group = group.naming(names.as_ref().map(|names| names.names().clone()).unwrap_or_default());
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let shared = Arc::new(Shared { group: Mutex::new(group), changed: Notify::new(), ended: Notify::new() });
        let keeper = GroupKeeper { shared: Arc::clone(&shared), memory, standing_changed };
        let sink = Observers::new(keeper).with_all(observers).with_some(names).remembering(slot)?;
        let ended = Arc::clone(&shared);
        let runtime = event_loop()?;
        let thread = std::thread::Builder::new().name("session".to_owned()).spawn(move || {
            runtime.block_on(drive_keeping(KeptBy { journal, recorder }, session, address, receiver, sink));
            ended.ended.notify_one();
        })?;
        Ok(Self { commands, shared, thread: Some(thread), older })
    }

    /// One of a recording, which nothing can be asked of.
    fn played(group: Group) -> Self {
        let shared = Arc::new(Shared { group: Mutex::new(group), changed: Notify::new(), ended: Notify::new() });
        Self { commands: mpsc::channel(1).0, shared, thread: None, older: None }
    }

    /// Asks for something; false if too much is waiting already.
    fn ask(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// Lets the session leave, for as long as that is worth waiting for.
    async fn leave(self) {
        let Some(thread) = self.thread else { return };
        let _ = tokio::time::timeout(LEAVE_WITHIN, async {
            let _ = self.commands.send(Command::Leave).await;
            self.shared.ended.notified().await;
        })
        .await;
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// Shows sessions on a screen, one at a time, until the user quits or a signal ends the program.
///
/// # Errors
/// If the terminal fails.
pub async fn run<S: Screen>(
    mut sessions: RunningSessions,
    screen: &mut S,
    inputs: impl Stream<Item = io::Result<S::Input>>,
) -> io::Result<()> {
    let ended = show(&mut sessions, screen, inputs, signals::terminated()).await;
    // The terminal is given back before anything is waited for.
    let restored = screen.suspend();
    sessions.leave().await;
    ended.and(restored)
}

async fn show<S: Screen>(
    sessions: &mut RunningSessions,
    screen: &mut S,
    inputs: impl Stream<Item = io::Result<S::Input>>,
    terminated: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut inputs = pin!(inputs);
    let mut terminated = pin!(terminated);
    let mut frames = Frames::new();
    let mut is_working = true;
    loop {
        let shared = Arc::clone(&sessions.visible()?.shared);
        let by_time = screen.changes_at(&shared.group(), sessions.now()).filter(|_| sessions.playback.is_none());
        let wait = sessions.playback.as_ref().and_then(|playback| playback.wait());
        tokio::select! {
            biased;
            input = inputs.next() => {
                let Some(input) = input else { return Ok(()) };
                is_working = true;
                match react(sessions, screen, input?)? {
                    Next::Nothing => {}
                    // A key is answered at once, whatever the frame rate.
                    Next::Draw => frames.draw(sessions, screen)?,
                    Next::End => return Ok(()),
                }
            }
            () = frames.due() => {
                is_working = true;
                frames.draw(sessions, screen)?;
            }
            Some((tab, page)) = sessions.pages.recv() => {
                is_working = true;
                let reaction = sessions.tabs.get(tab).map(|tab_of| screen.take_older(tab, page, &tab_of.shared.group()));
                if let Next::Draw = act(sessions, screen, tab, reaction.unwrap_or(Reaction::Nothing))? {
                    frames.wanted();
                }
            }
            () = shared.changed.notified() => frames.wanted(),
            () = sessions.standing_changed.notified() => frames.wanted(),
            () = clock::sleep_until(by_time) => frames.wanted(),
            () = &mut terminated => return Ok(()),
            () = RunningSessions::is_due(wait) => {
                is_working = true;
                if let Some(words) = sessions.play_on(None) {
                    screen.notify(words);
                }
                frames.wanted();
            }
            // Last, and after the event loop has looked for what else there is.
            () = tokio::task::yield_now(), if is_working => {
                let worked = screen.work(&shared.group());
                is_working = worked.more;
                if worked.changed {
                    frames.wanted();
                }
            }
        }
    }
}

enum Next {
    Nothing,
    Draw,
    End,
}

fn react<S: Screen>(sessions: &mut RunningSessions, screen: &mut S, input: S::Input) -> io::Result<Next> {
    let session = sessions.visible()?;
    let reaction = screen.handle(input, &session.shared.group(), sessions.now());
    let tab = sessions.visible;
    act(sessions, screen, tab, reaction)
}

/// Does what the screen of a tab wants.
fn act<S: Screen>(sessions: &mut RunningSessions, screen: &mut S, tab: usize, reaction: Reaction) -> io::Result<Next> {
    match reaction {
        Reaction::Nothing => return Ok(Next::Nothing),
        Reaction::Redraw | Reaction::Repaint => {}
        Reaction::Tab(step) => screen.show_tab(sessions.turn(step)),
        Reaction::Open(profile) => {
            screen.suspend()?;
            let is_open = screen.open_tab(&profile, &mut |parts| sessions.add(parts));
            screen.resume()?;
            if is_open {
                sessions.visible = sessions.tabs.len().saturating_sub(1);
                screen.show_tab(sessions.visible);
            }
        }
        Reaction::Playback(request) => {
            if let Some(words) = sessions.play_on(Some(request)) {
                screen.notify(words);
            }
        }
        Reaction::Command(_) if sessions.playback.is_some() => {
            screen.notify(Clean::literal("this is a recording: nothing can be asked for"));
        }
        Reaction::Command(command) => {
            if !sessions.visible()?.ask(command) {
                screen.notify(Clean::literal("busy: too many requests are waiting; try again in a moment"));
            }
        }
        Reaction::Older { before, count } => {
            if let Some(page) = sessions.ask_for_older(tab, before, count)
                && let Some(of_tab) = sessions.tabs.get(tab)
            {
                screen.take_older(tab, page, &of_tab.shared.group());
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

    fn draw<S: Screen>(&mut self, sessions: &RunningSessions, screen: &mut S) -> io::Result<()> {
        self.dirty = false;
        let standings = sessions.standings();
        screen.draw(&sessions.visible()?.shared.group(), &standings, sessions.now())?;
        screen.present()?;
        self.last = Some(Instant::now());
        super::fault::point();
        Ok(())
    }
}
