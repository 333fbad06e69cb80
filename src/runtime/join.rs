//! [`join_group`]: joins a new device's machine to the relay, the disk and the mediator.

use std::future::Future;
use std::sync::Arc;

use rand::Rng as _;
use tokio::sync::mpsc;

use super::clock;
use super::join_mediator::{JoinLogin, MediatorTask, at_mediator};
use crate::net::{Address, RelayLink, RelayLinkEvent, TlsOptions};
use crate::profile::{self, NewProfile, ProfileName, own_info};
use crate::protocol::{ExhaustedPolicy, SlotState};
use crate::rendezvous::wire::{EssentialData, JoinLink};
use crate::rendezvous::{Fresh, Join, JoinEnd, JoinEvent, JoinInput, JoinOutput, JoinTiming, LinkInput, Persist};
use crate::session::{LeaderPolicy, Presence, SessionConfig, SlotExpectation};
use crate::text::Clean;

/// What is told of a join on its way.
#[derive(Debug)]
pub enum JoinNews {
    /// The relay is reached: the link may be shown.
    RelayReached,
    /// Something happened.
    Happened(JoinEvent),
    /// The data is that of a group which this profile is of already; nothing is registered yet.
    SameGroup(ProfileName),
}

/// Where a join takes place.
#[derive(Debug)]
pub struct JoinPlaces {
    /// The relay, with the link's path.
    pub relay: Address,
    /// How the mediator has to prove who it is.
    pub tls: TlsOptions,
    /// The mediator's URL template, placeholders and all.
    pub mediator: String,
    /// What the other devices see.
    pub label: Clean,
}

/// Joins a group, or does not: one link, one try. `cancelled` ends it politely.
pub async fn join_group(
    new: &Arc<NewProfile>,
    link: &JoinLink,
    places: &JoinPlaces,
    timing: JoinTiming,
    cancelled: impl Future<Output = ()>,
    mut tell: impl FnMut(JoinNews),
) -> JoinEnd {
    let mut random = profile::fresh_random();
    let mut secret = zeroize::Zeroizing::new(random.r#gen::<[u8; 32]>());
    let mut join = Join::new(link, Fresh::new(&mut secret, random.r#gen()), timing);
    let mut relay = RelayLink::open(&places.relay);
    let (answers, mut answered) = mpsc::unbounded_channel();
    let mut doing = Doing { new, places, answers, login: None, asks: None, on_disk: None };
    let mut cancelled = std::pin::pin!(cancelled);
    let mut is_cancelled = false;
    loop {
        while let Some(output) = join.poll() {
            match output {
                JoinOutput::Link(output) => relay.act(output).await,
                JoinOutput::Event(event) => tell(JoinNews::Happened(event)),
                JoinOutput::Persist(Persist::Joining(data)) => {
                    if let Some(other) = new.same_group(&data) {
                        tell(JoinNews::SameGroup(other));
                    }
                    doing.keep(data);
                }
                JoinOutput::Forget => doing.forget().await,
                JoinOutput::Ended(end) => {
                    doing.leave().await;
                    return end;
                }
                other => doing.begin(&other),
            }
        }
        let input = tokio::select! {
            event = relay.next() => match event {
                RelayLinkEvent::Flushed => JoinInput::Flushed,
                RelayLinkEvent::Input(input) => {
                    if matches!(input, LinkInput::Up) {
                        tell(JoinNews::RelayReached);
                    }
                    JoinInput::Link(input)
                }
            },
            Some(answer) = answered.recv() => match answer {
                JoinAnswer::Kept(login) => {
                    doing.login = Some(login);
                    JoinInput::Persisted
                }
                JoinAnswer::Input(input) => input,
            },
            () = clock::sleep_until(join.deadline()) => JoinInput::Timer,
            () = &mut cancelled, if !is_cancelled => {
                is_cancelled = true;
                JoinInput::Cancel
            }
        };
        join.handle(clock::now(), input);
    }
}

/// What comes back of what was begun.
enum JoinAnswer {
    /// The profile is durable, and can log in.
    Kept(Box<JoinLogin>),
    Input(JoinInput),
}

/// What the machine has begun beside the relay.
struct Doing<'a> {
    new: &'a Arc<NewProfile>,
    places: &'a JoinPlaces,
    answers: mpsc::UnboundedSender<JoinAnswer>,
    login: Option<Box<JoinLogin>>,
    /// Whoever is at the mediator, and the way to it.
    asks: Option<(mpsc::Sender<MediatorTask>, tokio::task::JoinHandle<()>)>,
    /// What is being written.
    on_disk: Option<tokio::task::JoinHandle<()>>,
}

impl Doing<'_> {
    fn begin(&mut self, output: &JoinOutput) {
        match output {
            JoinOutput::Persist(Persist::Registered) => {
                let new = Arc::clone(self.new);
                self.on_disk(move || match new.registered(clock::now()) {
                    Ok(()) => JoinAnswer::Input(JoinInput::Persisted),
                    Err(error) => JoinAnswer::Input(JoinInput::PersistFailed(Clean::new(&error.to_string()))),
                });
            }
            JoinOutput::LogIn => {
                if let Some(login) = self.login.take() {
                    let (asks, asked) = mpsc::channel(1);
                    let answers = self.answers.clone();
                    let answer = move |input| {
                        let _ = answers.send(JoinAnswer::Input(input));
                    };
                    let driven = tokio::spawn(at_mediator(login, asked, answer));
                    self.asks = Some((asks, driven));
                }
            }
            JoinOutput::DropSlot => match &self.asks {
                Some((asks, _)) if asks.try_send(MediatorTask::GiveUpSlot).is_ok() => {}
                _ => self.answer(JoinInput::NotDropped),
            },
            JoinOutput::Link(_)
            | JoinOutput::Event(_)
            | JoinOutput::Forget
            | JoinOutput::Ended(_)
            | JoinOutput::Persist(Persist::Joining(_)) => {}
        }
    }

    fn keep(&mut self, data: Box<EssentialData>) {
        let new = Arc::clone(self.new);
        let (tls, mediator, label) = (self.places.tls.clone(), self.places.mediator.clone(), self.places.label.clone());
        self.on_disk(move || {
            let kept = new.keep(&data).map_err(|error| error.to_string()).and_then(|keys| {
                let record = new.record();
                let device_id = record.device_id.ok_or("it has no device id")?;
                let config = SessionConfig {
                    device_info: own_info(label),
                    expects: SlotExpectation::Only(SlotState::New),
                    expiration_policy: record.slot.into(),
                    exhausted_policy: ExhaustedPolicy::Reject,
                    leader_policy: LeaderPolicy::Stay,
                    presence: Presence::Stay,
                    ..SessionConfig::of(keys, device_id)
                };
                JoinLogin::new(config, &mediator, data.server_group.clone(), &tls, record.proxy.as_ref(), new.name())
            });
            match kept {
                Ok(login) => JoinAnswer::Kept(Box::new(login)),
                Err(why) => JoinAnswer::Input(JoinInput::PersistFailed(Clean::new(&why))),
            }
        });
    }

    /// Deletes the profile, once nothing more is written of it: a key that came later would stay.
    async fn forget(&mut self) {
        if let Some(writing) = self.on_disk.take() {
            let _ = writing.await;
        }
        if let Err(error) = self.new.forget() {
            tracing::warn!("cannot delete the profile of a join that failed: {error}");
        }
    }

    /// The disk or the keyring may take their time; the relay wants its pings answered meanwhile.
    fn on_disk(&mut self, job: impl FnOnce() -> JoinAnswer + Send + 'static) {
        let answers = self.answers.clone();
        self.on_disk = Some(tokio::task::spawn_blocking(move || {
            let _ = answers.send(job());
        }));
    }

    fn answer(&self, input: JoinInput) {
        let _ = self.answers.send(JoinAnswer::Input(input));
    }

    /// Says goodbye to the mediator.
    async fn leave(self) {
        if let Some((asks, driven)) = self.asks {
            drop(asks);
            let _ = driven.await;
        }
    }
}
