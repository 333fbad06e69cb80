//! The session against a server that says exactly what the test wants, in virtual time and in both dialects.

mod alarm;
mod chat;
mod connection;
mod device_list;
mod liveness;
mod lock;
mod login;
mod moved_clock;
mod presence;
mod queue;
mod role;
mod visitor;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::group::to_acknowledge;
use crate::protocol::challenge::ephemeral_public_key;
use crate::protocol::d2d::Platform;
use crate::protocol::{
    Challenge, ClientHello, DeviceId, DeviceInfo, ExpirationPolicy, GroupKeys, GroupSecret, Reflected, ReflectedHeader,
    Sealed, ServerHello, ServerInfo, SlotState, TransactionScope,
};

pub(super) const OWN: DeviceId = DeviceId(0x0101_0101_0101_0101);
pub(super) const PHONE: DeviceId = DeviceId(0x0202_0202_0202_0202);
const SERVER_SECRET: [u8; 32] = [7; 32];
/// Made once: a login with it is done thousands of times.
static SERVER_PUBLIC: LazyLock<[u8; 32]> = LazyLock::new(|| ephemeral_public_key(&SERVER_SECRET));
const CHALLENGE: Challenge = Challenge([9; 32]);

/// Runs a test in both dialects; a failure names the dialect.
pub(super) fn in_both_dialects(test: impl Fn(Dialect)) {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        println!("dialect {dialect}");
        test(dialect);
    }
}

pub(super) fn keys(dialect: Dialect) -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [42; 32])))
}

pub(super) fn config(dialect: Dialect) -> SessionConfig {
    SessionConfig {
        device_info: DeviceInfo { platform: Platform::Desktop, label: Clean::literal("test"), ..DeviceInfo::default() },
        ..SessionConfig::of(keys(dialect), OWN)
    }
}

/// A session, the time, and everything it asked for so far.
pub(super) struct Bench {
    pub(super) session: Session,
    pub(super) now: Millis,
    pub(super) dialect: Dialect,
    outputs: Vec<SessionOutput>,
}

impl Bench {
    pub(super) fn new(config: SessionConfig) -> Self {
        let dialect = config.keys.dialect();
        let session = Session::new(config, StdRng::seed_from_u64(1));
        Self { session, now: Millis(1_700_000_000_000), dialect, outputs: Vec::new() }
    }

    /// Logged in, the device list asked for; what that took is forgotten.
    pub(super) fn logged_in(config: SessionConfig) -> Self {
        let mut bench = Self::new(config);
        bench.log_in(SlotState::New);
        bench.outputs.clear();
        bench
    }

    pub(super) fn log_in(&mut self, slot_state: SlotState) -> ClientHello {
        self.log_in_with(slot_state, Sealed::default())
    }

    pub(super) fn log_in_with(
        &mut self,
        slot_state: SlotState,
        shared_device_data: Sealed<crate::protocol::SharedDeviceData>,
    ) -> ClientHello {
        self.greet();
        let Some(ClientMessage::Hello(hello)) = self.sent().pop() else { panic!("the hello was not answered") };
        self.server(&ServerMessage::Info(ServerInfo {
            max_device_slots: 5,
            slot_state,
            shared_device_data,
            current_time: (self.dialect == Dialect::Dgk).then(|| self.now.offset_by(250)),
            reflection_queue_length: Some(0),
        }));
        hello
    }

    /// Connects, and the server says hello.
    pub(super) fn greet(&mut self) {
        self.input(SessionInput::Timer);
        self.input(SessionInput::LinkUp);
        self.server(&ServerMessage::Hello(ServerHello {
            version: 0,
            ephemeral_key: *SERVER_PUBLIC,
            challenge: CHALLENGE,
        }));
    }

    /// Gives an input; what is reflected counts as durable, and what is sent as flushed, at once.
    pub(super) fn input(&mut self, input: SessionInput) {
        self.session.handle(self.now, input);
        loop {
            let mut sent = false;
            while let Some(output) = self.session.poll() {
                sent |= matches!(output, SessionOutput::Send(_));
                if let SessionOutput::Reflected { connection, messages } = &output {
                    let count = to_acknowledge(messages);
                    self.session.handle(self.now, SessionInput::Durable { connection: *connection, count });
                }
                self.outputs.push(output);
            }
            if !sent {
                return;
            }
            self.session.handle(self.now, SessionInput::Flushed);
        }
    }

    pub(super) fn server(&mut self, message: &ServerMessage) {
        self.servers(std::slice::from_ref(message));
    }

    /// Several messages that arrive in one read.
    pub(super) fn servers(&mut self, messages: &[ServerMessage]) {
        let frames = messages.iter().map(|message| message.encode(self.dialect)).collect();
        self.input(SessionInput::Frames(frames));
    }

    pub(super) fn command(&mut self, command: Command) {
        self.input(SessionInput::Command(command));
    }

    pub(super) fn closed_by_server(&mut self, code: u16) {
        let end = LinkEnd::Closed { code: CloseCode(code), reason: Clean::default() };
        self.input(SessionInput::LinkDown(end));
    }

    /// Lets time pass, with timers at their deadlines.
    pub(super) fn wait(&mut self, span: Duration) {
        let end = self.now.after(span);
        while let Some(deadline) = self.session.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.input(SessionInput::Timer);
        }
        self.now = end;
    }

    /// What was sent since the last call.
    pub(super) fn sent(&mut self) -> Vec<ClientMessage> {
        let dialect = self.dialect;
        self.outputs
            .extract_if(.., |output| matches!(output, SessionOutput::Send(_)))
            .map(|output| match output {
                SessionOutput::Send(frame) => ClientMessage::decode(frame, dialect).unwrap(),
                _ => unreachable!(),
            })
            .collect()
    }

    /// What happened since the last call.
    pub(super) fn events(&mut self) -> Vec<Event> {
        self.outputs
            .extract_if(.., |output| matches!(output, SessionOutput::Event(_) | SessionOutput::Reflected { .. }))
            .map(|output| match output {
                SessionOutput::Event(event) => event,
                SessionOutput::Reflected { messages, .. } => Event::Reflected(messages),
                _ => unreachable!(),
            })
            .collect()
    }

    /// How the last connection ended since the last call of this or [`Bench::events`].
    pub(super) fn disconnected(&mut self) -> (DisconnectCause, NextStep) {
        let ended = self.events().into_iter().rev().find_map(|event| match event {
            Event::Disconnected { cause, next } => Some((cause, next)),
            _ => None,
        });
        ended.expect("the connection has ended")
    }

    /// The last close asked for since the last call.
    pub(super) fn closed(&mut self) -> Option<CloseCode> {
        let closes = self.outputs.extract_if(.., |output| matches!(output, SessionOutput::Close(_)));
        closes.last().map(|output| match output {
            SessionOutput::Close(code) => code,
            _ => unreachable!(),
        })
    }

    pub(super) fn count(&mut self, wanted: &SessionOutput) -> usize {
        self.outputs.extract_if(.., |output| output == wanted).count()
    }

    pub(super) fn scope(&self, scope: TransactionScope) -> Sealed<TransactionScope> {
        Sealed::seal(&scope, &self.session.config.keys, Nonce([3; 24]))
    }
}

/// A message of the queue, whose envelope does not decrypt: the session's handling of ids does not depend on that.
pub(super) fn reflected(id: u32, ephemeral: bool) -> ServerMessage {
    let mut envelope = [0; 64];
    envelope[..4].copy_from_slice(&id.to_le_bytes());
    ServerMessage::Reflected(Reflected {
        id: ReflectedId(id),
        ephemeral,
        timestamp: Millis(1_700_000_000_000),
        header: ReflectedHeader::default(),
        envelope: Sealed::from_wire(Bytes::copy_from_slice(&envelope)),
    })
}
