//! A phone that is in the group and brings a device in: holds the group's lock meanwhile, as phones do.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use d2mtop::group::{Event, LockEvent};
use d2mtop::net::{Address, RelayLink, RelayLinkEvent, TlsOptions};
use d2mtop::protocol::d2d::Platform;
use d2mtop::protocol::{
    DeviceId, DeviceInfo, Dialect, ExpirationPolicy, GroupKeys, GroupSecret, MessageId, Millis, ServerGroup, SlotState,
    TransactionScope,
};
use d2mtop::rendezvous::wire::{ContactName, EssentialData, GroupName, JoinLink, Names};
use d2mtop::rendezvous::{Admit, AdmitEnd, AdmitEvent, AdmitInput, AdmitOutput, AdmitTiming, Fresh};
use d2mtop::runtime::{EventSink, clock, drive};
use d2mtop::session::{Command, LeaderPolicy, Session, SessionConfig, SlotExpectation};
use d2mtop::text::Clean;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::mpsc;

use crate::support::program::{KEY, Mediator};

const PHONE: DeviceId = DeviceId(77);
/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Told(mpsc::UnboundedSender<Event>);

impl EventSink for Told {
    fn tell(&mut self, _at: Millis, event: Event) {
        let _ = self.0.send(event);
    }
}

/// What its user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Matches(bool),
    Cancels,
}

pub struct Phone {
    emoji: Receiver<[String; 3]>,
    does: mpsc::UnboundedSender<Does>,
    thread: JoinHandle<AdmitEnd>,
}

/// What it sends.
pub fn data(contacts: usize) -> EssentialData {
    let contact = |number: usize| ContactName {
        identity: Clean::new(&if number == 0 { "ECHOECHO".to_owned() } else { format!("C{number:07}") }),
        first: Clean::new(&if number == 0 { "Echo".to_owned() } else { format!("First {number}") }),
        last: Clean::literal("Nymph"),
        nickname: Clean::default(),
    };
    let choir = GroupName { id: MessageId(5), creator: Clean::literal("ECHOECHO"), name: Clean::literal("Choir") };
    EssentialData {
        secret: GroupSecret::from_hex(KEY).unwrap(),
        server_group: ServerGroup::parse("01", Dialect::Dgk).unwrap(),
        identity: Some(Clean::literal("MYSELF01")),
        names: Names { contacts: (0..contacts).map(contact).collect(), groups: vec![choir], ..Names::default() },
    }
}

impl Phone {
    /// Scans a link.
    pub fn scans(mediator: &Mediator, link: &str, data: EssentialData) -> Self {
        let link = JoinLink::parse(link).unwrap();
        let (url, relay) = (mediator.url(), link.relay_url.to_string());
        let (shown, emoji) = channel();
        let (does, done) = mpsc::unbounded_channel();
        let thread = std::thread::spawn(move || {
            let event_loop = d2mtop::os::event_loop::event_loop().unwrap();
            event_loop.block_on(async {
                tokio::time::timeout(PATIENCE, admit(&url, &link, &relay, data, shown, done)).await.expect("it ends")
            })
        });
        Self { emoji, does, thread }
    }

    /// Scans a link, and lets the device in without a look at the pictures.
    pub fn lets_in(mediator: &Mediator, link: &str, data: EssentialData) -> Self {
        let phone = Self::scans(mediator, link, data);
        phone.emoji();
        phone.does(Does::Matches(true));
        phone
    }

    /// The names of the pictures that it shows.
    pub fn emoji(&self) -> [String; 3] {
        self.emoji.recv_timeout(PATIENCE).expect("it shows emoji")
    }

    pub fn does(&self, what: Does) {
        self.does.send(what).expect("it is there");
    }

    pub fn end(self) -> AdmitEnd {
        self.thread.join().expect("the phone does not panic")
    }
}

async fn admit(
    mediator: &str,
    link: &JoinLink,
    relay: &str,
    data: EssentialData,
    shown: std::sync::mpsc::Sender<[String; 3]>,
    mut done: mpsc::UnboundedReceiver<Does>,
) -> AdmitEnd {
    let (commands, mut events, session) = session(mediator);
    while !matches!(events.recv().await.expect("the phone logs in"), Event::QueueDry) {}
    let mut random = StdRng::from_entropy();
    let fresh = Fresh::new(&mut random.r#gen::<[u8; 32]>(), random.r#gen());
    let mut machine = Admit::new(link, fresh, data, AdmitTiming::default());
    let mut relay = RelayLink::open(&Address::new(relay, &TlsOptions::default()).unwrap());
    let end = 'join: loop {
        while let Some(output) = machine.poll() {
            match output {
                AdmitOutput::Link(output) => relay.act(output).await,
                AdmitOutput::Event(AdmitEvent::Emoji(emoji)) => {
                    let _ = shown.send(emoji.map(|emoji| emoji.name().to_owned()));
                }
                AdmitOutput::Event(_) => {}
                AdmitOutput::BeginTransaction => {
                    let scope = TransactionScope::NewDeviceSync;
                    commands.send(Command::TakeLock { scope, ttl: None }).await.unwrap();
                }
                AdmitOutput::EndTransaction => commands.send(Command::ReleaseLock).await.unwrap(),
                AdmitOutput::Ended(end) => break 'join end,
            }
        }
        let input = tokio::select! {
            event = relay.next() => match event {
                RelayLinkEvent::Input(input) => AdmitInput::Link(input),
                RelayLinkEvent::Flushed => continue,
            },
            Some(does) = done.recv() => match does {
                Does::Matches(matches) => AdmitInput::Match(matches),
                Does::Cancels => AdmitInput::Cancel,
            },
            Some(event) = events.recv() => match event {
                Event::Lock(LockEvent::Acquired { .. }) => AdmitInput::TransactionOpen,
                Event::Lock(LockEvent::Released(_)) => AdmitInput::TransactionEnded,
                _ => continue,
            },
            () = clock::sleep_until(machine.deadline()) => AdmitInput::Timer,
        };
        machine.handle(clock::now(), input);
    };
    commands.send(Command::Leave).await.unwrap();
    session.await.unwrap();
    end
}

/// The phone as a device of the group; it may have been there before.
fn session(mediator: &str) -> (mpsc::Sender<Command>, mpsc::UnboundedReceiver<Event>, tokio::task::JoinHandle<()>) {
    let keys = Arc::new(GroupKeys::derive(Dialect::Dgk, &GroupSecret::from_hex(KEY).unwrap()));
    let config = SessionConfig {
        device_info: DeviceInfo {
            platform: Platform::Android,
            label: Clean::literal("phone"),
            ..DeviceInfo::default()
        },
        expects: SlotExpectation::First(SlotState::New),
        expiration_policy: ExpirationPolicy::Persistent,
        leader_policy: LeaderPolicy::Stay,
        ..SessionConfig::of(keys, PHONE)
    };
    let session = Session::new(config, StdRng::from_entropy());
    let url = session.url(mediator, ServerGroup::parse("01", Dialect::Dgk).unwrap());
    let address = Address::new(&url, &TlsOptions::default()).unwrap();
    let (commands, receiver) = mpsc::channel(64);
    let (sender, events) = mpsc::unbounded_channel();
    (commands, events, tokio::spawn(drive(session, address, receiver, Told(sender))))
}
