//! The demo's stage: a mediator on loopback, the simulated devices, and a place for one more device.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use super::cast::{Part, cast};
use super::hand::{SERVER_GROUP, SimulatedPhone};
use super::player::{Cue, Player};
use super::script::Script;
use crate::net::{Address, Listener, ListenerOptions, TlsOptions};
use crate::os::event_loop::event_loop;
use crate::output::connecting::explain;
use crate::output::outcome::Failure;
use crate::profile;
use crate::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, ServerGroup};
use crate::rendezvous::RelayConfig;
use crate::session::{Session, SessionConfig};
use crate::text::Clean;

/// More than the simulated devices take, so that several can be linked.
const SLOTS_TO_JOIN: usize = 16;

/// Which group is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageOptions {
    /// The protocol that it speaks.
    pub dialect: Dialect,
    /// How many messages a second the simulated devices reflect, all together.
    pub rate: u32,
    /// The same seed tells the same story.
    pub seed: u64,
    /// Whether the phone admits devices: there is a relay then, and room for them. Only in `dgk`.
    pub admits: bool,
}

impl Default for StageOptions {
    fn default() -> Self {
        Self { dialect: Dialect::Dgk, rate: 2, seed: 1, admits: false }
    }
}

/// The demo, set for one more device.
pub struct Stage {
    /// The session of the one more device.
    pub session: Session,
    /// Where it connects to.
    pub address: Address,
    /// The phone, if it admits devices.
    pub phone: Option<SimulatedPhone>,
    /// The rest of the group.
    pub running: Running,
}

/// The mediator and the simulated devices; they end when this is dropped.
pub struct Running {
    ending: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ending.send_replace(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Stage {
    /// Sets the stage: returns when the simulated phone leads.
    ///
    /// # Errors
    /// If the system gives no socket, event loop or thread.
    pub fn set(options: StageOptions) -> Result<Self, Failure> {
        let dialect = options.dialect;
        let mut random = StdRng::seed_from_u64(options.seed);
        let secret = secret_of(&mut random);
        let keys = Arc::new(GroupKeys::derive(dialect, &secret));
        let admits = options.admits && dialect == Dialect::Dgk;
        let own = DeviceId(random.r#gen());
        let (ending, ended) = watch::channel(false);
        let (mediator, port) = start_mediator(ended.clone(), admits).map_err(Failure::Start)?;
        let server_group = ServerGroup::parse(SERVER_GROUP, dialect).map_err(profile::ProfileError::from)?;
        let config = SessionConfig {
            device_info: profile::own_info(Clean::literal("d2mtop@demo")),
            ..SessionConfig::of(Arc::clone(&keys), own)
        };
        let session = Session::new(config, profile::fresh_random());
        let url = session.url(&format!("ws://127.0.0.1:{port}/"), server_group);
        let address = Address::new(&url, &TlsOptions::default())?.explained_by(explain);
        let (phone, mut hand) = admits.then(|| SimulatedPhone::new(port, secret, options.seed)).unzip();
        let players = cast(options.seed).map(|member| {
            let script = Script::new(&member, dialect, options.seed, options.rate);
            // Nonces and jitter are random: the keys are the demo's own, but habits are not to be broken.
            let seed = profile::fresh_random().r#gen();
            let cue = Arc::new(watch::Sender::new(Cue::default()));
            let hand = if member.part == Part::Phone { hand.take() } else { None };
            Player { member, script, keys: Arc::clone(&keys), address: address.clone(), seed, cue, hand }
        });
        let devices = start_players(players, ended).map_err(Failure::Start)?;
        Ok(Self { session, address, phone, running: Running { ending, threads: vec![devices, mediator] } })
    }
}

/// The key of the group that a seed simulates; nobody's secret.
#[must_use]
pub fn demo_secret(seed: u64) -> GroupSecret {
    secret_of(&mut StdRng::seed_from_u64(seed))
}

fn secret_of(random: &mut StdRng) -> GroupSecret {
    GroupSecret::new(&mut random.r#gen())
}

fn start_mediator(ended: watch::Receiver<bool>, admits: bool) -> io::Result<(JoinHandle<()>, u16)> {
    let event_loop = event_loop()?;
    let mut options = ListenerOptions::default();
    if admits {
        options.rendezvous = Some(RelayConfig::default());
        options.settings.config.max_slots = SLOTS_TO_JOIN;
    }
    let listener = event_loop.block_on(Listener::bind(options)).map_err(|error| error.cause)?;
    let port = listener.local_addr()?.port();
    let thread = std::thread::Builder::new().name("mediator".to_owned()).spawn(move || {
        event_loop.block_on(listener.run(until_true(ended), |line| tracing::debug!("{line:?}")));
    })?;
    Ok((thread, port))
}

/// Starts the devices, one after the other, and returns when the first of them leads.
fn start_players<const N: usize>(players: [Player; N], ended: watch::Receiver<bool>) -> io::Result<JoinHandle<()>> {
    let event_loop = event_loop()?;
    let (ready, leads) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("devices".to_owned()).spawn(move || {
        event_loop.block_on(async move {
            let playing = async {
                let mut tasks = tokio::task::JoinSet::new();
                for player in players {
                    let mut cue = player.cue.subscribe();
                    let leads = player.member.leads;
                    tasks.spawn(player.play());
                    tokio::select! {
                        there = cue.wait_for(|cue| cue.dry && (cue.leader || !leads)) => drop(there),
                        // It will never be there: let whoever waits for the stage know.
                        _ = tasks.join_next() => return,
                    }
                }
                let _ = ready.send(());
                while tasks.join_next().await.is_some() {}
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = playing => {}
                () = until_true(ended) => {}
            }
        });
    })?;
    leads.recv().map_err(io::Error::other)?;
    Ok(thread)
}

async fn until_true(mut ended: watch::Receiver<bool>) {
    // The sender is dropped with the stage: that is the end, too.
    let _ = ended.wait_for(|ended| *ended).await;
}
