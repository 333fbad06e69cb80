//! The mediator's listener: one task owns the machine, one task for each connection owns its socket.
//!
//! The machine's task waits for no socket. What it has to send goes into a connection's own queue, which the machine keeps
//! bounded; what comes in from all connections goes through one bounded queue, so that a flood waits in the sockets.

mod answer;
mod budget;
mod chat;
mod connection;
mod door;
mod gate;
mod log;
mod operations;
mod pending;
mod rendezvous;
mod storage;
mod tls;
mod upgrade;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use rand::RngCore as _;
use rand::rngs::OsRng;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use budget::Budget;
use chat::ChatHandle;
use connection::{ConnectionCommand, ConnectionEvent, Handle};
use door::{Accepted, Doors};
pub use door::{CannotListen, ClientAddress, ListenAt, NoPlace};
pub use gate::Inspector;
use gate::{Gate, GateQuestion};
pub use log::{ConnectionRefusal, LogLine};
use operations::Operations;
use pending::Pending;
use rendezvous::RelayHost;
pub use storage::StoreLink;
use storage::{Round, Storage};
pub use tls::{Tls, TlsError};

use crate::mediator::{
    AllowedGroups, ChatAction, ConnectionId, GroupRefusal, HandshakeSecrets, Mediator, MediatorConfig, MediatorInput,
    MediatorOutput, MediatorStatus, MediatorTime, StoreReply,
};
use crate::protocol::Millis;
use crate::rendezvous::RelayConfig;

/// How many events of all connections together may wait for the machine.
const EVENTS: usize = 256;
/// How long the end waits for clients to answer the close.
const FAREWELL: Duration = Duration::from_secs(3);

/// Where and how to listen.
#[derive(Debug)]
pub struct ListenerOptions {
    /// The places; port 0 takes any free one.
    pub listen: Vec<ListenAt>,
    /// What can be changed while it runs.
    pub settings: ListenerSettings,
    /// The chat server that Proxy frames are passed on to, as `host:port`; without one they are only counted.
    pub chat_server: Option<Arc<str>>,
    /// The bounds of the relay, if there is to be one: it is served at `/rendezvous/` and 64 hex digits.
    pub rendezvous: Option<RelayConfig>,
    /// The store of what the mediator acknowledges; without one everything is in memory only.
    pub store: Option<StoreLink>,
}

/// What a listener takes anew while it runs, without closing a connection that it still serves.
#[derive(Clone, Debug, Default)]
pub struct ListenerSettings {
    /// The certificate, if the connections are to be encrypted.
    pub tls: Option<Tls>,
    /// The groups that are served.
    pub allowed: AllowedGroups,
    /// The machine's settings.
    pub config: MediatorConfig,
}

/// The way to change the settings of a listener that runs.
#[derive(Clone, Debug)]
pub struct SettingsSender(mpsc::Sender<ListenerSettings>);

impl SettingsSender {
    /// Has the listener take new settings; of one that has ended nobody asks.
    pub async fn send(&self, settings: ListenerSettings) {
        let _ = self.0.send(settings).await;
    }
}

impl Default for ListenerOptions {
    /// Unencrypted, on any free port of this machine only.
    fn default() -> Self {
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
        let settings = ListenerSettings::default();
        Self { listen, settings, chat_server: None, rendezvous: None, store: None }
    }
}

/// A mediator that listens, and does not yet answer.
#[derive(Debug)]
pub struct Listener {
    doors: Doors,
    options: ListenerOptions,
    new_settings: (SettingsSender, mpsc::Receiver<ListenerSettings>),
    gate: (Gate, mpsc::Receiver<GateQuestion>),
}

impl Listener {
    /// Takes the places.
    ///
    /// # Errors
    /// If the system does not give one of them.
    pub async fn bind(options: ListenerOptions) -> Result<Self, CannotListen> {
        let doors = Doors::open(&options.listen).await?;
        let (sender, receiver) = mpsc::channel(1);
        Ok(Self { doors, options, new_settings: (SettingsSender(sender), receiver), gate: Gate::new() })
    }

    /// The first address with the port that the system gave.
    ///
    /// # Errors
    /// If the system does not tell, or all places are sockets of the file system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let first = self.doors.places()?.into_iter().find_map(|(_, address)| address);
        first.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it listens at no port"))
    }

    /// The way to change its settings once it runs.
    #[must_use]
    pub fn settings(&self) -> SettingsSender {
        self.new_settings.0.clone()
    }

    /// The way to look into it while it runs.
    #[must_use]
    pub fn inspector(&self) -> Inspector {
        Inspector(self.gate.0.clone())
    }

    /// Serves until `shutdown` is ready; then closes all connections with 1001, and waits for them a moment.
    pub async fn run(self, shutdown: impl Future<Output = ()>, mut log: impl FnMut(LogLine)) {
        for (at, address) in self.doors.places().unwrap_or_default() {
            let (encrypted, chat_server) = (self.options.settings.tls.is_some(), self.options.chat_server.clone());
            let rendezvous = self.options.rendezvous.is_some();
            let port = address.map(|address| address.port());
            log(LogLine::Listening { at, port, encrypted, chat_server, rendezvous });
        }
        let (open, mut arriving) = self.doors.accept();
        let (events, mut arrived) = mpsc::channel(EVENTS);
        let (gate, mut questions) = self.gate;
        let mut server = Server {
            mediator: Mediator::new(MediatorConfig {
                chat_server: self.options.chat_server.is_some(),
                stores: self.options.store.is_some(),
                ..self.options.settings.config
            }),
            handles: HashMap::new(),
            rendezvous: RelayHost::new(self.options.rendezvous.unwrap_or_default()),
            budget: self.options.rendezvous.map(|config| Arc::new(Budget::new(config.max_memory))),
            tasks: JoinSet::new(),
            chats: HashMap::new(),
            chat_tasks: JoinSet::new(),
            events,
            gate,
            accepted: 0,
            pending: Pending::default(),
            operations: Operations::default(),
            storage: Storage::default(),
            round: Round::default(),
            options: self.options,
        };
        if let Some(link) = server.options.store.take() {
            let (storage, restored) = Storage::begin(link, &mut server.mediator, now());
            server.storage = storage;
            log(restored);
        }
        server.restrict();
        let (_settings, mut new_settings) = self.new_settings;
        let mut shutdown = pin!(shutdown);
        let mut batch = Vec::with_capacity(EVENTS);
        loop {
            let deadline = server.deadline();
            tokio::select! {
                () = &mut shutdown => break,
                _ = arrived.recv_many(&mut batch, EVENTS), if server.storage.has_room() => {
                    batch.drain(..).for_each(|event| server.take(event, &mut log));
                }
                reply = server.storage.next() => {
                    server.stored(reply, &mut log);
                    if server.storage.has_failed {
                        break;
                    }
                }
                Some(settings) = new_settings.recv() => {
                    server.options.settings = settings;
                    server.mediator.configure(server.options.settings.config);
                    server.restrict();
                }
                Some(question) = questions.recv() => server.answer(question),
                Some(accepted) = arriving.recv() => match accepted {
                    Ok((stream, peer)) => server.serve(stream, peer, &mut log),
                    Err(error) => log(LogLine::AcceptFailed { kind: error.kind() }),
                },
                () = sleep_until(deadline), if server.storage.is_well() => server.timer(),
                Some(_) = server.tasks.join_next() => {}
                Some(_) = server.chat_tasks.join_next() => {}
            }
            server.carry_out(&mut log);
        }
        drop(open);
        log(LogLine::Stopping { connections: server.handles.len() + server.rendezvous.connections() });
        server.farewell(&mut arrived, &mut log).await;
        log(LogLine::Stopped);
    }
}

/// The machines, and the way to each connection's task.
struct Server {
    mediator: Mediator,
    handles: HashMap<ConnectionId, Handle>,
    rendezvous: RelayHost,
    /// There if the relay is served.
    budget: Option<Arc<Budget>>,
    tasks: JoinSet<()>,
    chats: HashMap<ConnectionId, ChatHandle>,
    chat_tasks: JoinSet<()>,
    events: mpsc::Sender<(ConnectionId, ConnectionEvent)>,
    gate: Gate,
    accepted: u64,
    /// Connections that are not logged in yet.
    pending: Pending,
    operations: Operations,
    storage: Storage,
    round: Round,
    options: ListenerOptions,
}

impl Server {
    /// A new connection gets a task of its own, which upgrades it first.
    fn serve(&mut self, stream: Accepted, peer: ClientAddress, log: &mut impl FnMut(LogLine)) {
        self.accepted += 1;
        let id = ConnectionId(self.accepted);
        let (tls, budget) = (self.options.settings.tls.clone(), self.budget.clone());
        let dead_after = self.options.settings.config.dead_after;
        let incoming = upgrade::Incoming { id, stream, peer, accepted: self.now(), tls, budget, dead_after };
        let timeout = self.options.settings.config.handshake_timeout;
        let task = self.tasks.spawn(connection::serve(incoming, timeout, self.gate.clone(), self.events.clone()));
        if let Some(evicted) = self.pending.add(id, peer, task) {
            log(LogLine::Refused { connection: evicted.id, peer: evicted.peer, refusal: ConnectionRefusal::TooMany });
            evicted.task.abort();
            self.handles.remove(&evicted.id);
            self.mediator.handle(self.now(), MediatorInput::Closed { connection: evicted.id, code: None });
        }
    }

    fn take(&mut self, (id, event): (ConnectionId, ConnectionEvent), log: &mut impl FnMut(LogLine)) {
        let Some(event) = self.rendezvous.take(id, event) else { return };
        let input = match event {
            ConnectionEvent::Refused { peer, refusal } => {
                self.pending.remove(id);
                return refusal.into_iter().for_each(|refusal| log(LogLine::Refused { connection: id, peer, refusal }));
            }
            ConnectionEvent::Opened { url, accepted, handle } => {
                let mut ephemeral = HandshakeSecrets { secret: [0; 32], challenge: [0; 32] };
                let random = OsRng.try_fill_bytes(&mut ephemeral.secret);
                if random.and_then(|()| OsRng.try_fill_bytes(&mut ephemeral.challenge)).is_err() {
                    // Without the handle the task ends. No login is better than a guessable challenge.
                    return log(LogLine::NoRandomness { connection: id });
                }
                self.handles.insert(id, *handle);
                // The time for the login began with the TCP connection.
                return self.mediator.open(accepted, id, &url, ephemeral);
            }
            ConnectionEvent::Arrived { path, handle } => {
                if self.rendezvous.open(id, &path, *handle) {
                    self.pending.remove(id);
                }
                return;
            }
            ConnectionEvent::Frame(bytes) => {
                self.round.count();
                MediatorInput::Frame { connection: id, bytes }
            }
            ConnectionEvent::Text => MediatorInput::Text { connection: id },
            ConnectionEvent::Unreadable => MediatorInput::Unreadable { connection: id },
            ConnectionEvent::Alive => MediatorInput::Alive { connection: id },
            ConnectionEvent::Pong => MediatorInput::Pong { connection: id },
            ConnectionEvent::Written(frames) => MediatorInput::Written { connection: id, frames },
            ConnectionEvent::Chat(event) => MediatorInput::Chat { connection: id, event },
            ConnectionEvent::Closed(code) => {
                self.handles.remove(&id);
                self.pending.remove(id);
                MediatorInput::Closed { connection: id, code }
            }
        };
        self.mediator.handle(self.now(), input);
        if self.pending.contains(id) && self.mediator.is_logged_in(id) {
            self.pending.remove(id);
        }
    }

    fn stored(&mut self, reply: StoreReply, log: &mut impl FnMut(LogLine)) {
        let Some(reply) = self.operations.transferred(reply) else { return };
        if let Some(input) = self.storage.take(reply, log) {
            self.mediator.handle(self.now(), input);
        }
    }

    /// The machine's time, which stands still while the store does: nobody can be blamed for what is not read then.
    fn now(&self) -> MediatorTime {
        let MediatorTime { wall, steady } = now();
        MediatorTime {
            wall,
            steady: Millis(0).after(steady.since(Millis(0)).saturating_sub(self.storage.stood_still())),
        }
    }

    fn restrict(&mut self) {
        self.mediator.restrict(self.now(), self.options.settings.allowed.clone());
    }

    /// Whoever asked may be gone; then nobody hears the answer.
    fn answer(&mut self, question: GateQuestion) {
        match question {
            GateQuestion::Admits(group, answer) => {
                let well = if self.storage.is_well() { Ok(()) } else { Err(GroupRefusal::NotStoring) };
                let _ = answer.send(well.and_then(|()| self.mediator.admits(&group)));
            }
            GateQuestion::Figures(answer) => drop(answer.send(self.mediator.figures())),
            GateQuestion::Status(answer) => {
                let status = self.mediator.status();
                let _ = answer.send(MediatorStatus { ready: status.ready && self.storage.is_well(), ..status });
            }
            GateQuestion::Transfer(prefixes, file, direction, answer) => {
                self.operations.transfer(&self.storage, (prefixes, file, direction), answer);
            }
            GateQuestion::Operate(request, answer) => {
                let operation = self.operations.begin(answer);
                self.mediator.handle(self.now(), MediatorInput::Operate { operation, request });
            }
            GateQuestion::Ready(answer) => drop(answer.send(self.storage.is_well() && self.mediator.is_ready())),
        }
    }

    fn deadline(&self) -> Option<Millis> {
        let machine = self.mediator.deadline().map(|deadline| deadline.after(self.storage.stood_still()));
        [machine, self.rendezvous.deadline()].into_iter().flatten().min()
    }

    fn timer(&mut self) {
        self.mediator.handle(self.now(), MediatorInput::Timer);
        self.rendezvous.timer();
    }

    /// Does what the machines say, without waiting for anybody.
    fn carry_out(&mut self, log: &mut impl FnMut(LogLine)) {
        self.rendezvous.carry_out(log);
        self.storage.submit(&mut self.mediator, std::mem::take(&mut self.round), log);
        while let Some(output) = self.mediator.poll() {
            match output {
                MediatorOutput::Send { connection, bytes } => {
                    if let Some(handle) = self.handles.get(&connection) {
                        handle.send(ConnectionCommand::Send(bytes));
                    }
                }
                MediatorOutput::Close { connection, code, reason, discard } => {
                    if let Some(handle) = self.handles.remove(&connection) {
                        handle.close(code, reason, discard);
                    }
                }
                MediatorOutput::Ping { connection } => {
                    if let Some(handle) = self.handles.get(&connection) {
                        handle.send(ConnectionCommand::Ping);
                    }
                }
                MediatorOutput::Pause { connection } => {
                    self.handles.get(&connection).into_iter().for_each(Handle::pause);
                }
                MediatorOutput::Resume { connection } => {
                    self.handles.get(&connection).into_iter().for_each(Handle::resume);
                }
                MediatorOutput::Chat { connection, action } => self.act_on_chat(connection, action),
                MediatorOutput::Fetch(fetch) => self.storage.fetch(fetch),
                MediatorOutput::Operated { operation, answer } => self.operations.end(operation, answer),
                MediatorOutput::Log(event) => log(LogLine::Mediator(event)),
            }
        }
    }

    fn act_on_chat(&mut self, id: ConnectionId, action: ChatAction) {
        match (action, &self.options.chat_server) {
            (ChatAction::Connect, Some(address)) => {
                let (handle, serving) = chat::relay(id, Arc::clone(address), self.events.clone());
                self.chats.insert(id, handle);
                self.chat_tasks.spawn(serving);
            }
            (ChatAction::Close, _) => {
                self.chats.remove(&id);
            }
            (action, _) => {
                if self.chats.get(&id).is_some_and(|chat| !chat.act(action)) {
                    self.chats.remove(&id);
                }
            }
        }
    }

    /// Closes everything; whoever does not answer in time is cut off.
    async fn farewell(
        mut self,
        arrived: &mut mpsc::Receiver<(ConnectionId, ConnectionEvent)>,
        log: &mut impl FnMut(LogLine),
    ) {
        self.mediator.handle(self.now(), MediatorInput::Shutdown);
        self.rendezvous.shutdown();
        self.carry_out(log);
        let since = tokio::time::Instant::now();
        while let Some(reply) = self.storage.last(since).await {
            self.stored(reply, log);
            self.carry_out(log);
        }
        self.mediator.give_up_storing();
        self.carry_out(log);
        let waited = tokio::time::timeout(FAREWELL, async {
            while !(self.tasks.is_empty() && self.chat_tasks.is_empty()) {
                tokio::select! {
                    Some(_) = self.tasks.join_next() => {}
                    Some(_) = self.chat_tasks.join_next() => {}
                    // Tasks that still have something to tell must not wait for us; upgrades that end now are closed.
                    Some(event) = arrived.recv() => {
                        self.take(event, log);
                        self.carry_out(log);
                    }
                }
            }
        });
        // An elapsed time is fine: the rest is cut off with the task set.
        let _ = waited.await;
    }
}

fn now() -> MediatorTime {
    MediatorTime { wall: SystemTime::now().into(), steady: steady() }
}

/// Never set, whatever happens to the time of day.
fn steady() -> Millis {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Millis(0).after(START.elapsed())
}

async fn sleep_until(deadline: Option<Millis>) {
    match deadline {
        // The machine counts milliseconds, so one more makes sure that the deadline is reached.
        Some(deadline) => tokio::time::sleep(deadline.since(steady()) + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}
