//! Plays one simulated device: an ordinary session over a real WebSocket that follows its script.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::cast::CastMember;
use super::hand::Hand;
use super::script::{Script, ScriptStep};
use crate::group::{DisconnectCause, Event, LockEvent, NextStep};
use crate::net::Address;
use crate::protocol::{GroupKeys, Millis, SlotState, TransactionScope};
use crate::runtime::EventSink;
use crate::runtime::clock;
use crate::runtime::driver::{COMMAND_CAPACITY, drive};
use crate::session::{Command, LeaderPolicy, Session, SessionConfig, SlotExpectation};

/// How long a simulated user holds the lock, so that a person sees it.
const LOCK_HELD: Duration = Duration::from_millis(1_200);
/// How long a simulated device waits for the lock before it goes on without.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// How far a device may fall behind its script before it lets the rest go.
const MOST_BEHIND: Duration = Duration::from_secs(2);

/// What a player learns of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) dry: bool,
    pub(super) leader: bool,
    lock: LockCue,
    /// Dropped from the group, or otherwise not coming back.
    out: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LockCue {
    #[default]
    Free,
    Wanted,
    Ours,
}

/// Tells the player what it needs to know.
struct Prompter {
    cue: Arc<watch::Sender<Cue>>,
    /// Whoever holds the device is told of its lock.
    tells: Option<mpsc::UnboundedSender<(Millis, Event)>>,
}

impl EventSink for Prompter {
    fn tell(&mut self, at: Millis, event: Event) {
        if let (Some(tells), Event::Lock(_) | Event::Refused(_) | Event::Disconnected { .. }) = (&self.tells, &event) {
            let _ = tells.send((at, event.clone()));
        }
        self.cue.send_if_modified(|cue| {
            let before = *cue;
            match event {
                Event::LoggedIn(_) => *cue = Cue::default(),
                Event::QueueDry => cue.dry = true,
                Event::Promoted => cue.leader = true,
                Event::Lock(LockEvent::Requested(_)) => cue.lock = LockCue::Wanted,
                Event::Lock(LockEvent::Acquired { .. }) => cue.lock = LockCue::Ours,
                Event::Lock(LockEvent::Released(_) | LockEvent::Abandoned | LockEvent::Lost(_)) => {
                    cue.lock = LockCue::Free;
                }
                Event::Disconnected { cause, next } => {
                    let stays_away = next == NextStep::WaitForUser || cause == DisconnectCause::ByUser;
                    *cue = Cue { out: stays_away, ..Cue::default() };
                }
                _ => {}
            }
            before != *cue
        });
    }
}

/// One simulated device.
pub(super) struct Player {
    pub(super) member: CastMember,
    pub(super) script: Script,
    pub(super) keys: Arc<GroupKeys>,
    pub(super) address: Address,
    pub(super) seed: u64,
    /// Shared with whoever waits for the device to be there.
    pub(super) cue: Arc<watch::Sender<Cue>>,
    /// Whoever holds it.
    pub(super) hand: Option<Hand>,
}

impl Player {
    /// Plays until the device is dropped.
    pub(super) async fn play(mut self) {
        let mut expected = SlotState::New;
        for visit in 0_u64.. {
            let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
            self.cue.send_replace(Cue::default());
            // Each visit has nonces of its own.
            let session =
                Session::new(self.config(expected), StdRng::seed_from_u64(self.seed.wrapping_add(visit << 32)));
            let tells = self.hand.as_ref().map(|hand| hand.tells.clone());
            let prompter = Prompter { cue: Arc::clone(&self.cue), tells };
            let driven = tokio::spawn(drive(session, self.address.clone(), receiver, prompter));
            let mut hand = self.hand.take();
            let away_for = tokio::select! {
                away_for = self.perform(&commands) => away_for,
                () = pass_on(hand.as_mut(), &commands) => None,
            };
            self.hand = hand;
            let _ = commands.send(Command::Leave).await;
            let _ = driven.await;
            let Some(away_for) = away_for else { return };
            tokio::time::sleep(away_for).await;
            expected = SlotState::Existing;
        }
    }

    fn config(&self, expected: SlotState) -> SessionConfig {
        SessionConfig {
            device_info: self.member.device_info.clone(),
            expects: SlotExpectation::Only(expected),
            expiration_policy: self.member.expiration_policy,
            // These stand for apps that speak to the chat server.
            leader_policy: LeaderPolicy::Stay,
            ..SessionConfig::of(Arc::clone(&self.keys), self.member.device_id)
        }
    }

    /// Follows the script while the device is there; tells for how long it is away then, or [`None`] if it is out.
    async fn perform(&mut self, commands: &mpsc::Sender<Command>) -> Option<Duration> {
        let mut cue = self.cue.subscribe();
        if cue.wait_for(|cue| cue.dry || cue.out).await.is_ok_and(|cue| cue.out) {
            return None;
        }
        // Pauses are counted from when the last step was due, so that a high rate is not slowed by each sleep.
        let mut due = Instant::now();
        while let Some((pause, step)) = self.script.next() {
            // What a transaction held up is made up for, within reason.
            due = (due + pause).max(Instant::now().checked_sub(MOST_BEHIND).unwrap_or(due));
            tokio::select! {
                biased;
                out = cue.wait_for(|cue| cue.out) => {
                    drop(out);
                    return None;
                }
                () = tokio::time::sleep_until(due) => {}
            }
            match step {
                ScriptStep::Reflect { line, ephemeral } => {
                    let envelope = Box::new(line.envelope(clock::now()));
                    commands.send(Command::Reflect { envelope, ephemeral }).await.ok()?;
                }
                ScriptStep::Transaction { scope, lines } => {
                    self.transact(commands, &mut cue, scope, lines).await?;
                }
                ScriptStep::Leave { away_for } => return Some(away_for),
            }
        }
        None
    }

    async fn transact(
        &self,
        commands: &mpsc::Sender<Command>,
        cue: &mut watch::Receiver<Cue>,
        scope: TransactionScope,
        lines: Vec<super::line::ScriptLine>,
    ) -> Option<()> {
        commands.send(Command::TakeLock { scope, ttl: None }).await.ok()?;
        let ours = cue.wait_for(|cue| cue.lock == LockCue::Ours || cue.out);
        let acquired = matches!(tokio::time::timeout(LOCK_PATIENCE, ours).await, Ok(Ok(cue)) if !cue.out);
        if acquired {
            for line in lines {
                let envelope = Box::new(line.envelope(clock::now()));
                commands.send(Command::Reflect { envelope, ephemeral: false }).await.ok()?;
            }
            tokio::time::sleep(LOCK_HELD).await;
        }
        commands.send(Command::ReleaseLock).await.ok()
    }
}

/// Passes on what the hand asks for; for ever.
async fn pass_on(hand: Option<&mut Hand>, commands: &mpsc::Sender<Command>) {
    if let Some(hand) = hand {
        while let Some(command) = hand.asks.recv().await {
            let _ = commands.send(command).await;
        }
    }
    std::future::pending::<()>().await;
}
