//! The server: as little work as possible between the encoded stream and the socket.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use d2mtop::protocol::challenge::ephemeral_public_key;
use d2mtop::protocol::{Challenge, Sealed, ServerHello, ServerInfo, ServerMessage, SlotState};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

use crate::stream::{self, DIALECT};

/// What a client does with the stream, by the path that it asks for.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    /// Reads.
    Receives,
    /// Reads and acknowledges.
    Acknowledges,
    /// Logs in, reads and acknowledges.
    LogsIn,
}

/// Prints the port, then serves one client after the other until it is killed; so many messages a second, or as fast as
/// they go if that is zero.
pub(crate) fn serve(size: usize, messages: u32, rate: u32) {
    let (stream, ends) = stream::encode(size, messages);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    for socket in listener.incoming() {
        // A client that goes away early says so itself.
        let _ = serve_one(socket.unwrap(), &stream, &ends, messages, rate);
    }
}

#[allow(clippy::result_large_err, reason = "the shape is the library's")]
fn serve_one(socket: TcpStream, stream: &[u8], ends: &[usize], messages: u32, rate: u32) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut client = Client::LogsIn;
    let socket = accept_hdr(socket, |request: &Request, response: Response| {
        client = match request.uri().path() {
            "/receive" => Client::Receives,
            "/floor" => Client::Acknowledges,
            _ => Client::LogsIn,
        };
        Ok(response)
    });
    let mut socket = socket.map_err(|error| std::io::Error::other(error.to_string()))?;
    if client == Client::LogsIn {
        log_in(&mut socket, messages);
    }
    let mut reader = socket.get_ref().try_clone()?;
    let acknowledged = std::thread::spawn(move || {
        if client != Client::Receives {
            count_acknowledgements(&mut reader, messages);
        }
    });
    let raw = socket.get_mut();
    if rate == 0 {
        raw.write_all(stream)?;
    } else {
        write_steadily(raw, stream, ends, rate)?;
    }
    let mut dry = Vec::new();
    stream::frame(&mut dry, &ServerMessage::ReflectionQueueDry.encode(DIALECT));
    raw.write_all(&dry)?;
    acknowledged.join().unwrap();
    // A close frame with code 1000.
    raw.write_all(&[0x88, 2, 0x03, 0xe8])
}

/// A hundred times a second, what is due.
fn write_steadily(socket: &mut TcpStream, stream: &[u8], ends: &[usize], rate: u32) -> std::io::Result<()> {
    const STEP: Duration = Duration::from_millis(10);
    let at_once = usize::try_from(rate / 100).unwrap().max(1);
    let mut due = Instant::now();
    let mut start = 0;
    for chunk in ends.chunks(at_once) {
        let end = *chunk.last().unwrap();
        socket.write_all(&stream[start..end])?;
        start = end;
        due += STEP;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn log_in(socket: &mut WebSocket<TcpStream>, messages: u32) {
    let mut send = |message: &ServerMessage| socket.send(Message::Binary(message.encode(DIALECT))).unwrap();
    send(&ServerMessage::Hello(ServerHello {
        version: 0,
        ephemeral_key: ephemeral_public_key(&[2; 32]),
        challenge: Challenge([3; 32]),
    }));
    send(&ServerMessage::Info(ServerInfo {
        max_device_slots: 5,
        slot_state: SlotState::New,
        shared_device_data: Sealed::default(),
        current_time: None,
        reflection_queue_length: Some(messages),
    }));
    send(&ServerMessage::DevicesInfo(BTreeMap::new()));
}

/// Reads the client's frames until it has acknowledged everything.
fn count_acknowledgements(reader: &mut TcpStream, messages: u32) {
    const REFLECTED_ACK: u8 = 0x83;
    let mut buffer = Vec::new();
    let mut chunk = vec![0; 256 * 1024];
    let mut left = messages;
    while left > 0 {
        let read = reader.read(&mut chunk).unwrap_or(0);
        if read == 0 {
            return;
        }
        buffer.extend_from_slice(&chunk[..read]);
        let mut at = 0;
        while let Some((first, length)) = client_frame(&buffer[at..]) {
            left -= u32::from(first == Some(REFLECTED_ACK));
            at += length;
        }
        buffer.drain(..at);
    }
}

/// The first byte of a masked frame's payload, and the bytes of the whole frame; [`None`] if it is not all there.
fn client_frame(bytes: &[u8]) -> Option<(Option<u8>, usize)> {
    let short = usize::from(*bytes.get(1)? & 0x7f);
    let (header, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        _ => (2, short),
    };
    let whole = bytes.get(..header + 4 + length)?;
    let first = (length > 0).then(|| whole[header] ^ whole[header + 4]);
    Some((first, whole.len()))
}

/// The same for who reads what a server sends: the payload of an unmasked frame, and the bytes of the whole frame.
pub(crate) fn server_frame(bytes: &Bytes) -> Option<(u8, Bytes, usize)> {
    let short = usize::from(*bytes.get(1)?);
    let (header, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        _ => (2, short),
    };
    if bytes.len() < header + length {
        return None;
    }
    Some((bytes[0], bytes.slice(header..header + length), header + length))
}
