//! [`Script`]: what one simulated device does, step by step and without end.

mod messages;
mod scene;
mod sync;

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::cast::{CastMember, Part};
use super::line::ScriptLine;
use super::world::{self, Contact, SimulatedGroup, World};
use crate::protocol::d2d::{Conversation, MessageDraft, MessageType, ReceiptStatus};
use crate::protocol::{Composer, Dialect, Envelope, MessageId, Millis, Nonce, TransactionScope};
use scene::Scene;

/// Lines get their time when they are played.
const LATER: Millis = Millis(0);
/// A device takes the lock at most this often, whatever the rate: people change contacts by the minute, not by the
/// millisecond, and a lock that is always held stops everything else.
const BETWEEN_TRANSACTIONS: Duration = Duration::from_secs(4);
/// How long a device that comes and goes is there, and away, in seconds.
const THERE_SECONDS: std::ops::Range<u64> = 25..50;
const AWAY_SECONDS: std::ops::Range<u64> = 8..20;

/// What a device does next.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptStep {
    /// Reflect to the other devices.
    Reflect {
        line: ScriptLine,
        /// Only to those connected now.
        ephemeral: bool,
    },
    /// Take the lock, reflect under it, and commit.
    Transaction {
        /// The scope of the lock.
        scope: TransactionScope,
        /// What to reflect.
        lines: Vec<ScriptLine>,
    },
    /// Disconnect, and come back.
    Leave {
        /// How long the device stays away.
        away_for: Duration,
    },
}

/// The steps of one simulated device, each with the pause before it.
#[derive(Clone, Debug)]
pub struct Script {
    part: Part,
    dialect: Dialect,
    composer: Composer,
    world: World,
    rng: StdRng,
    /// The mean pause before each message.
    interval: Duration,
    ahead: VecDeque<ScriptStep>,
    /// How long until this device leaves, if it is one that does.
    leaves_in: Option<Duration>,
    /// How long it has not taken the lock.
    unlocked_for: Duration,
}

impl Script {
    /// The script of a device. `rate` is how many messages all devices of the [`cast`](super::cast()) reflect in a second
    /// while they are there.
    #[must_use]
    pub fn new(member: &CastMember, dialect: Dialect, seed: u64, rate: u32) -> Self {
        // The device's id is of the seed, too, and differs between devices.
        let mut rng = StdRng::seed_from_u64(seed ^ member.device_id.0);
        let (share, comes_and_goes) = match member.part {
            Part::Phone => (60, false),
            Part::Laptop => (20, false),
            Part::Tablet | Part::Web => (10, true),
        };
        let nanoseconds = 100_000_000_000 / (u64::from(rate.max(1)) * share);
        Self {
            part: member.part,
            dialect,
            composer: Composer::new(dialect, member.device_id),
            world: World::new(seed),
            interval: Duration::from_nanos(nanoseconds),
            ahead: VecDeque::new(),
            leaves_in: comes_and_goes.then(|| seconds(THERE_SECONDS, &mut rng)),
            unlocked_for: BETWEEN_TRANSACTIONS,
            rng,
        }
    }

    /// Plans the next scene.
    fn plan(&mut self) {
        let scenes = Scene::of(self.part);
        let mut drawn = self.rng.gen_range(0..scenes.iter().map(|(_, weight)| weight).sum());
        for (scene, weight) in scenes {
            if drawn < *weight {
                if scene.takes_the_lock() {
                    if self.unlocked_for < BETWEEN_TRANSACTIONS {
                        return;
                    }
                    self.unlocked_for = Duration::ZERO;
                }
                return self.play(*scene);
            }
            drawn -= weight;
        }
    }

    fn play(&mut self, scene: Scene) {
        let contact = world::contact(&mut self.rng);
        match scene {
            Scene::Chat => self.chat(&contact),
            Scene::GroupTalk => self.group_talk(),
            Scene::File => {
                let draft = MessageDraft::file(self.id(), LATER, &world::file(&mut self.rng));
                self.incoming(&contact, draft);
            }
            Scene::Receipt => {
                let status = if self.rng.gen_bool(0.6) { ReceiptStatus::Received } else { ReceiptStatus::Read };
                let messages: Vec<MessageId> = (0..self.rng.gen_range(1..4)).map(|_| self.id()).collect();
                let draft = MessageDraft::delivery_receipt(self.id(), LATER, status, &messages);
                self.incoming(&contact, draft);
            }
            Scene::Reaction => {
                let draft = MessageDraft::reaction(self.id(), LATER, self.id(), world::emoji(&mut self.rng));
                self.incoming(&contact, draft);
            }
            Scene::Read => self.read(&contact.conversation()),
            Scene::Write => {
                let draft = MessageDraft::text(self.id(), LATER, world::text(&mut self.rng));
                self.outgoing(contact.conversation(), draft, 1);
            }
            Scene::WriteToGroup => self.write_to_group(),
            Scene::Contacts => self.sync_contacts(),
            Scene::Groups => self.sync_group(),
            Scene::Settings => self.sync_settings(),
            Scene::Profile => self.sync_profile(),
        }
    }

    fn incoming(&mut self, sender: &Contact, draft: MessageDraft) {
        let ephemeral = draft.message_type == MessageType::TYPING_INDICATOR && self.dialect.has_reflection_flags();
        let nonce = self.nonce();
        let line = ScriptLine::new(self.padded().incoming(sender.identity, draft, nonce));
        self.ahead.push_back(ScriptStep::Reflect { line, ephemeral });
    }

    /// A message of the user, and that the chat server has it.
    fn outgoing(&mut self, to: Conversation, draft: MessageDraft, receivers: usize) {
        let id = draft.id;
        let line = self.outgoing_line(&to, draft, receivers);
        self.reflect(line);
        let sent = self.padded().sent(&[(to, id)]);
        self.reflect(sent);
    }

    fn outgoing_line(&mut self, to: &Conversation, draft: MessageDraft, receivers: usize) -> Option<Envelope> {
        let nonces: Vec<Nonce> = (0..receivers).map(|_| self.nonce()).collect();
        self.padded().outgoing(to, draft, &nonces)
    }

    /// Plans a reflection; what the dialect cannot carry does not happen in it.
    fn reflect(&mut self, envelope: Option<Envelope>) {
        self.ahead
            .extend(envelope.map(|envelope| ScriptStep::Reflect { line: ScriptLine::new(envelope), ephemeral: false }));
    }

    fn transaction(&mut self, scope: TransactionScope, envelopes: Vec<Option<Envelope>>) {
        let lines = envelopes.into_iter().flatten().map(ScriptLine::new).collect();
        self.ahead.push_back(ScriptStep::Transaction { scope, lines });
    }

    fn padded(&mut self) -> Composer {
        self.composer.padded(self.rng.r#gen())
    }

    fn id(&mut self) -> MessageId {
        MessageId(self.rng.r#gen())
    }

    fn nonce(&mut self) -> Nonce {
        Nonce(self.rng.r#gen())
    }

    fn group(&mut self) -> SimulatedGroup {
        self.world.group(&mut self.rng).clone()
    }

    /// The pause before so many messages, evenly between none and twice the mean.
    fn pause(&mut self, messages: u32) -> Duration {
        self.interval * messages * self.rng.gen_range(0..2001) / 1000
    }
}

impl Iterator for Script {
    type Item = (Duration, ScriptStep);

    /// Never [`None`].
    fn next(&mut self) -> Option<Self::Item> {
        if self.leaves_in.is_some_and(|left| left.is_zero()) {
            self.leaves_in = Some(seconds(THERE_SECONDS, &mut self.rng));
            return Some((Duration::ZERO, ScriptStep::Leave { away_for: seconds(AWAY_SECONDS, &mut self.rng) }));
        }
        while self.ahead.is_empty() {
            self.plan();
        }
        let step = self.ahead.pop_front()?;
        let messages = match &step {
            ScriptStep::Transaction { lines, .. } => u32::try_from(lines.len()).unwrap_or(1),
            ScriptStep::Reflect { .. } | ScriptStep::Leave { .. } => 1,
        };
        let pause = self.pause(messages);
        self.leaves_in = self.leaves_in.map(|left| left.saturating_sub(pause));
        self.unlocked_for = self.unlocked_for.saturating_add(pause);
        Some((pause, step))
    }
}

fn seconds(range: std::ops::Range<u64>, rng: &mut StdRng) -> Duration {
    Duration::from_secs(rng.gen_range(range))
}
