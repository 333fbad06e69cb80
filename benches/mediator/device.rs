//! A device of bare WebSocket messages, on a thread of its own.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use d2mtop::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, ClientUrlInfo, DeviceId, Dialect, ExhaustedPolicy, ExpirationPolicy,
    GroupKeys, GroupSecret, Nonce, Reflect, ReflectId, Reflected, Sealed, ServerGroup, ServerMessage, SlotState,
};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::{ACKNOWLEDGED, SIZE};

const DIALECT: Dialect = Dialect::Dgk;
/// An envelope that says that nothing more comes.
const LAST: &[u8] = b"last";

pub struct Device {
    socket: WebSocket<TcpStream>,
    next: u32,
    taken: usize,
    /// The same, for others to see.
    progress: Arc<AtomicUsize>,
}

impl Device {
    /// Logs in as a new device.
    pub fn log_in(port: u16, group: u16, device: u64) -> Self {
        Self::log_in_as(port, group, device, SlotState::New)
    }

    /// Logs in, and reads up to the first message or the end of the queue.
    pub fn log_in_as(port: u16, group: u16, device: u64, expected_slot_state: SlotState) -> Self {
        let keys = GroupKeys::derive(DIALECT, &GroupSecret::new(&mut secret(group)));
        let server_group = ServerGroup::parse("01", DIALECT).unwrap();
        let url = ClientUrlInfo { dialect: DIALECT, device_group_id: keys.device_group_id(), server_group };
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/{}", url.path_segment()), stream).unwrap();
        let mut device_socket = Self { socket, next: 0, taken: 0, progress: Arc::default() };
        let ServerMessage::Hello(hello) = device_socket.read() else { panic!("the hello comes first") };
        let response =
            ChallengeResponse::answer(&hello.challenge, &hello.ephemeral_key, &keys, &Nonce([9; 24])).unwrap();
        device_socket.write(&ClientMessage::Hello(ClientHello {
            version: 0,
            response,
            device_id: DeviceId(device),
            exhausted_policy: ExhaustedPolicy::Reject,
            expiration_policy: ExpirationPolicy::Persistent,
            expected_slot_state,
            device_info: Sealed::default(),
        }));
        device_socket.socket.flush().unwrap();
        loop {
            match device_socket.read() {
                ServerMessage::ReflectionQueueDry => return device_socket,
                ServerMessage::Reflected(reflected) => {
                    device_socket.acknowledge(&reflected);
                    return device_socket;
                }
                _ => {}
            }
        }
    }

    fn read(&mut self) -> ServerMessage {
        loop {
            match self.socket.read().unwrap() {
                Message::Binary(bytes) => return ServerMessage::decode(bytes, DIALECT).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn write(&mut self, message: &ClientMessage) {
        self.socket.write(Message::Binary(message.encode(DIALECT))).unwrap();
    }

    fn send(&mut self, envelope: Bytes) {
        self.next += 1;
        let envelope = Sealed::from_wire(envelope);
        self.write(&ClientMessage::Reflect(Reflect { id: ReflectId(self.next), ephemeral: false, envelope }));
    }

    /// Sends messages, and waits until no more than some are not acknowledged.
    pub fn reflect(&mut self, messages: usize, ahead: usize) {
        const BODY: [u8; SIZE] = [b'm'; SIZE];
        let mut outstanding = 0;
        for number in 1..=messages {
            self.send(Bytes::from_static(&BODY));
            outstanding += 1;
            if number == messages || outstanding >= ahead {
                self.socket.flush().unwrap();
                let most = if number == messages { 0 } else { ahead / 2 };
                while outstanding > most {
                    outstanding -= usize::from(matches!(self.read(), ServerMessage::ReflectAck { .. }));
                }
            }
        }
    }

    pub fn reflect_last(&mut self) {
        self.send(Bytes::from_static(LAST));
        self.socket.flush().unwrap();
        while !matches!(self.read(), ServerMessage::ReflectAck { .. }) {}
    }

    /// Takes and acknowledges so many messages.
    pub fn take(&mut self, messages: usize) {
        let until = self.taken + messages;
        while self.taken < until {
            if let ServerMessage::Reflected(reflected) = self.read() {
                self.acknowledge(&reflected);
            }
        }
        self.socket.flush().unwrap();
    }

    pub fn progress(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.progress)
    }

    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Takes and acknowledges until nothing more comes; how many there were.
    pub fn take_until_last(&mut self) -> u64 {
        loop {
            let ServerMessage::Reflected(reflected) = self.read() else { continue };
            self.acknowledge(&reflected);
            if reflected.envelope.as_bytes() == LAST {
                self.socket.flush().unwrap();
                return self.taken as u64;
            }
        }
    }

    fn acknowledge(&mut self, reflected: &Reflected) {
        self.write(&ClientMessage::ReflectedAck(reflected.id));
        self.taken += 1;
        self.progress.store(self.taken, Ordering::Relaxed);
        if self.taken.is_multiple_of(ACKNOWLEDGED) {
            self.socket.flush().unwrap();
        }
    }
}

fn secret(group: u16) -> [u8; 32] {
    let mut secret = [7; 32];
    secret[..2].copy_from_slice(&group.to_le_bytes());
    secret
}
