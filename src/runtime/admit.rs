//! [`admit_device`]: joins the machine of a device that admits another to the relay and to its session.

use std::time::Duration;

use rand::Rng as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::clock;
use super::one_shot::OneShotSession;
use crate::group::{Event, LockEvent};
use crate::net::{Address, RelayLink, RelayLinkEvent};
use crate::output::advice::refusal_words;
use crate::profile;
use crate::protocol::{DeviceId, TransactionScope};
use crate::rendezvous::wire::{EssentialData, JoinLink};
use crate::rendezvous::{Admit, AdmitEnd, AdmitEvent, AdmitInput, AdmitOutput, AdmitTiming, Fresh, LinkInput};
use crate::session::Command;
use crate::text::Clean;

/// For how long the lock is asked for: longer than the new device has for its registration, whatever the mediator allows.
const LEASE: Duration = Duration::from_secs(90);
/// How long the end of the lock is waited for, once there is nothing else to do.
const RELEASE_WITHIN: Duration = Duration::from_secs(2);

/// What is told of an admission on its way.
#[derive(Debug)]
pub enum AdmitNews {
    RelayReached,
    /// Something happened.
    Happened(AdmitEvent),
    /// Another device has the lock; it is waited for.
    LockHeldBy(DeviceId),
    /// This device became leader.
    Promoted,
}

/// What a person says meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmitAnswer {
    /// Whether the pictures match.
    Match(bool),
    Cancel,
}

impl AdmitAnswer {
    /// A typed line: everything but a yes is a no.
    #[must_use]
    pub fn of_line(line: &str) -> Self {
        Self::Match(matches!(line.trim(), "y" | "Y" | "yes"))
    }
}

/// What is given, over what.
#[derive(Debug)]
pub struct Admission {
    /// What the new device shows.
    pub link: JoinLink,
    /// The link's relay.
    pub relay: Address,
    /// What the new device gets.
    pub data: EssentialData,
    /// How long each step may take.
    pub timing: AdmitTiming,
}

/// Admits a device, or does not: one link, one try. The session is logged in, and stays so.
pub async fn admit_device(
    visit: &mut OneShotSession,
    admission: Admission,
    answers: &mut mpsc::UnboundedReceiver<AdmitAnswer>,
    mut tell: impl FnMut(AdmitNews),
) -> AdmitEnd {
    let mut random = profile::fresh_random();
    let mut secret = Zeroizing::new(random.r#gen::<[u8; 32]>());
    let fresh = Fresh::new(&mut secret, random.r#gen());
    let mut admit = Admit::new(&admission.link, fresh, admission.data, admission.timing);
    let mut relay = RelayLink::open(&admission.relay);
    let mut lock = Lock { visit, over: None, is_asked: false };
    lock.visit.take_time();
    let mut may_answer = true;
    loop {
        while let Some(output) = admit.poll() {
            match output {
                AdmitOutput::Link(output) => relay.act(output).await,
                AdmitOutput::Event(event) => tell(AdmitNews::Happened(event)),
                AdmitOutput::BeginTransaction => lock.take(),
                AdmitOutput::EndTransaction => lock.release(),
                AdmitOutput::Ended(end) => {
                    lock.settle().await;
                    return end;
                }
            }
        }
        let input = tokio::select! {
            event = relay.next() => match event {
                RelayLinkEvent::Flushed => continue,
                RelayLinkEvent::Input(input) => {
                    if matches!(input, LinkInput::Up) {
                        tell(AdmitNews::RelayReached);
                    }
                    AdmitInput::Link(input)
                }
            },
            news = lock.next() => match news {
                LockNews::Input(input) => input,
                LockNews::Told(news) => {
                    tell(news);
                    continue;
                }
            },
            answer = answers.recv(), if may_answer => match answer {
                Some(AdmitAnswer::Match(is_match)) => AdmitInput::Match(is_match),
                Some(AdmitAnswer::Cancel) => AdmitInput::Cancel,
                None => {
                    may_answer = false;
                    continue;
                }
            },
            () = clock::sleep_until(admit.deadline()) => AdmitInput::Timer,
        };
        admit.handle(clock::now(), input);
    }
}

enum LockNews {
    Input(AdmitInput),
    Told(AdmitNews),
}

/// The group's lock, by way of the session.
struct Lock<'a> {
    visit: &'a mut OneShotSession,
    /// Why the session is over, once it is.
    over: Option<Clean>,
    /// Whether we have asked for the lock, or have it.
    is_asked: bool,
}

impl Lock<'_> {
    fn take(&mut self) {
        self.is_asked = true;
        self.visit.ask(Command::TakeLock { scope: TransactionScope::NewDeviceSync, ttl: Some(LEASE) });
    }

    fn release(&self) {
        self.visit.ask(Command::ReleaseLock);
    }

    /// What comes of it. A session that is over has no lock, and gives none: but that matters only once it is asked for.
    async fn next(&mut self) -> LockNews {
        loop {
            match &self.over {
                Some(why) if self.is_asked => {
                    self.is_asked = false;
                    return LockNews::Input(AdmitInput::TransactionRefused(why.clone()));
                }
                Some(_) => std::future::pending().await,
                None => {}
            }
            match self.visit.next().await {
                Ok((_, Event::Lock(LockEvent::Acquired { .. }))) => {
                    return LockNews::Input(AdmitInput::TransactionOpen);
                }
                Ok((_, Event::Lock(LockEvent::HeldBy { holder, .. }))) => {
                    return LockNews::Told(AdmitNews::LockHeldBy(holder));
                }
                Ok((_, Event::Lock(LockEvent::Released(_) | LockEvent::Abandoned | LockEvent::Lost(_)))) => {
                    self.is_asked = false;
                    return LockNews::Input(AdmitInput::TransactionEnded);
                }
                Ok((_, Event::Refused(why))) if self.is_asked => {
                    self.is_asked = false;
                    return LockNews::Input(AdmitInput::TransactionRefused(Clean::new(&refusal_words(why))));
                }
                Ok((_, Event::Promoted)) => return LockNews::Told(AdmitNews::Promoted),
                Ok(_) => {}
                Err(end) => self.over = Some(Clean::new(&end.to_string())),
            }
        }
    }

    /// Waits until the lock is free, so that nobody has to wait for it until the mediator sees us gone.
    async fn settle(&mut self) {
        let free = async {
            while self.is_asked {
                self.next().await;
            }
        };
        // If the mediator does not say so, it sees that the connection ends.
        let _ = timeout(RELEASE_WITHIN, free).await;
    }
}
