//! The dashboard's loop over several sessions, with real sessions at a real mediator and a screen that only remembers.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use d2mtop::group::{Event, Group};
use d2mtop::net::{Address, TlsOptions};
use d2mtop::output::standing::Standing;
use d2mtop::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, ServerGroup};
use d2mtop::runtime::{
    EventSink, OlderRows, ProfileState, Reaction, RunningSessions, Screen, SessionParts, Worked, clock, dashboard,
    drive,
};
use d2mtop::session::{Command, LeaderPolicy, Session, SessionConfig};
use d2mtop::text::Clean;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::support::envelopes;
use crate::support::program::Mediator;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A device of the group with that number.
fn device(mediator: &Mediator, group: u8, id: u64) -> (Session, Address) {
    let dialect = Dialect::Dgk;
    let config = SessionConfig {
        leader_policy: LeaderPolicy::Stay,
        ..SessionConfig::of(Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [group; 32]))), DeviceId(id))
    };
    let session = Session::new(config, StdRng::from_entropy());
    let url = session.url(&mediator.url(), ServerGroup::parse("01", dialect).unwrap());
    let address = Address::new(&url, &TlsOptions::default()).unwrap();
    (session, address)
}

fn parts(mediator: &Mediator, group: u8, id: u64) -> SessionParts {
    let (session, address) = device(mediator, group, id);
    (session, address, ProfileState::default(), Vec::new())
}

/// What a frame showed.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    tab: usize,
    own: Option<DeviceId>,
    rows: u64,
    standings: Vec<Standing>,
}

/// Remembers what it is told to draw; an input is the reaction to it.
struct Memory {
    tab: usize,
    /// What is opened when it is asked for.
    spare: Option<SessionParts>,
    frames: UnboundedSender<Frame>,
}

impl Screen for Memory {
    type Input = Reaction;

    fn draw(&mut self, group: &Group, standings: &[Standing], _now: Millis) -> io::Result<()> {
        let (own, rows) = (group.own(), group.feed().end());
        let _ = self.frames.send(Frame { tab: self.tab, own, rows, standings: standings.to_vec() });
        Ok(())
    }

    fn present(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn handle(&mut self, input: Reaction, _group: &Group, _now: Millis) -> Reaction {
        input
    }

    fn work(&mut self, _group: &Group) -> Worked {
        Worked::default()
    }

    fn take_older(&mut self, _tab: usize, _page: OlderRows, _group: &Group) -> Reaction {
        Reaction::Nothing
    }

    fn open_tab(&mut self, _profile: &Clean, start: &mut dyn FnMut(SessionParts) -> io::Result<()>) -> bool {
        self.spare.take().is_some_and(|parts| start(parts).is_ok())
    }

    fn show_tab(&mut self, tab: usize) {
        self.tab = tab;
    }

    fn notify(&mut self, _notice: Clean) {}

    fn changes_at(&self, _group: &Group, _now: Millis) -> Option<Millis> {
        None
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Quiet(UnboundedSender<Event>);

impl EventSink for Quiet {
    fn tell(&mut self, _at: Millis, event: Event) {
        let _ = self.0.send(event);
    }
}

async fn frame(frames: &mut UnboundedReceiver<Frame>, what: &str, fits: impl Fn(&Frame) -> bool) -> Frame {
    let mut last = None;
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            let frame = frames.recv().await.expect("the loop goes on");
            if fits(&frame) {
                return frame;
            }
            last = Some(frame);
        }
    });
    found.await.unwrap_or_else(|_| panic!("no frame with {what}; the last was {last:?}"))
}

#[test]
fn sessions_are_shown_one_at_a_time_and_all_leave() {
    let mediator = Mediator::start(&[]);
    let sessions =
        RunningSessions::start([parts(&mediator, 1, 11), parts(&mediator, 2, 22)], Group::default, Arc::default())
            .unwrap();
    let (frame_sender, mut frames) = mpsc::unbounded_channel();
    let (keys, inputs) = mpsc::unbounded_channel();
    let inputs = futures_util::stream::unfold(inputs, |mut inputs: UnboundedReceiver<Reaction>| async {
        inputs.recv().await.map(|input| (Ok(input), inputs))
    });
    d2mtop::os::event_loop::event_loop().unwrap().block_on(async {
        let mut screen = Memory { tab: 0, spare: Some(parts(&mediator, 3, 33)), frames: frame_sender };
        let running = dashboard::run(sessions, &mut screen, inputs);
        let user = async {
            // Both are alone in their groups, and asked to stay.
            let both = |frame: &Frame| frame.standings == [Standing::Leading, Standing::Leading];
            let first = frame(&mut frames, "both", |frame| both(frame) && frame.own.is_some()).await;
            assert_eq!((first.tab, first.own), (0, Some(DeviceId(11))));
            for (step, tab, own) in [(1, 1, 22), (1, 0, 11), (-1, 1, 22), (-1, 0, 11)] {
                keys.send(Reaction::Tab(step)).unwrap();
                let shown = frame(&mut frames, "the other tab", |frame| frame.tab == tab).await;
                assert_eq!(shown.own, Some(DeviceId(own)));
            }
            hidden_news(&mediator, &mut frames, &keys).await;
            // A third one is opened at run time; there is no fourth.
            for _ in 0..2 {
                keys.send(Reaction::Open(Clean::literal("third"))).unwrap();
            }
            let third = frame(&mut frames, "a third", |frame| frame.standings == [Standing::Leading; 3]).await;
            assert_eq!((third.tab, third.own), (2, Some(DeviceId(33))));
            keys.send(Reaction::Quit).unwrap();
            Instant::now()
        };
        let (ended, quit) = tokio::join!(running, user);
        ended.unwrap();
        assert!(quit.elapsed() < Duration::from_millis(1_900), "both left, and nobody was waited for in vain");
    });
    // They have left: a device of either group is alone, and told so by being promoted.
    for group in [1, 2, 3] {
        d2mtop::os::event_loop::event_loop().unwrap().block_on(async {
            let (commands, mut events, driven) = join(&mediator, group, 55);
            let promoted = async { while events.recv().await.expect("it logs in") != Event::Promoted {} };
            tokio::time::timeout(PATIENCE, promoted).await.expect("nobody else leads");
            commands.send(Command::Leave).await.unwrap();
            driven.await.unwrap();
        });
    }
}

type Joined = (mpsc::Sender<Command>, UnboundedReceiver<Event>, tokio::task::JoinHandle<()>);

fn join(mediator: &Mediator, group: u8, id: u64) -> Joined {
    let (session, address) = device(mediator, group, id);
    let (commands, receiver) = mpsc::channel(64);
    let (sender, events) = mpsc::unbounded_channel();
    let driven = tokio::spawn(drive(session, address, receiver, Quiet(sender)));
    (commands, events, driven)
}

/// What comes in a group that is not in sight draws nothing, and is there when one turns to it.
async fn hidden_news(mediator: &Mediator, frames: &mut UnboundedReceiver<Frame>, keys: &UnboundedSender<Reaction>) {
    const MESSAGES: u64 = 200;
    let (commands, mut events, driven) = join(mediator, 2, 44);
    while events.recv().await.expect("it logs in") != Event::QueueDry {}
    // What is left over from turning back and forth is drawn first; then the screen is quiet.
    while tokio::time::timeout(Duration::from_millis(200), frames.recv()).await.is_ok_and(|frame| frame.is_some()) {}
    let mut stored = 0;
    for number in 0..MESSAGES {
        let text = envelopes::text(Dialect::Dgk, DeviceId(44), MessageId(number), clock::now());
        commands.send(Command::Reflect { envelope: Box::new(text), ephemeral: false }).await.unwrap();
        while !matches!(events.recv().await.expect("it goes on"), Event::ReflectionStored { .. }) {}
        stored += 1;
    }
    assert_eq!(stored, MESSAGES);
    let drawn = std::iter::from_fn(|| frames.try_recv().ok()).count();
    assert_eq!(drawn, 0, "nothing in sight has changed");
    keys.send(Reaction::Tab(1)).unwrap();
    let shown = frame(frames, "all messages", |frame| frame.rows == MESSAGES).await;
    assert_eq!(shown.tab, 1);
    commands.send(Command::Leave).await.unwrap();
    driven.await.unwrap();
}
