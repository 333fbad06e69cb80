//! The relay over real sockets: two clients of bare WebSocket messages meet on a path.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::net::{ConnectionRefusal, LogLine};
use d2mtop::protocol::{CloseCode, Dialect, SlotState};
use d2mtop::rendezvous::{RelayConfig, RelayEnd, RelayEvent};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use super::client::{Client, Server, in_time, own_device};
use crate::support::program::Mediator;

type Socket = WebSocketStream<TcpStream>;

async fn serve(config: RelayConfig) -> Server {
    Server::start_with(|options| options.rendezvous = Some(config)).await
}

fn place(number: u8) -> String {
    format!("/rendezvous/{}", hex::encode([number; 32]))
}

async fn try_connect(server: &Server, path: &str) -> Result<Socket, WebSocketError> {
    try_connect_to(server.address, path).await
}

async fn try_connect_to(address: SocketAddr, path: &str) -> Result<Socket, WebSocketError> {
    let stream = TcpStream::connect(address).await.unwrap();
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let upgrade = tokio_tungstenite::client_async_with_config(format!("ws://localhost{path}"), stream, Some(config));
    Ok(in_time("the answer to the WebSocket request", upgrade).await?.0)
}

async fn connect(server: &Server, number: u8) -> Socket {
    try_connect(server, &place(number)).await.expect("a WebSocket")
}

async fn pair(server: &Server, number: u8) -> (Socket, Socket) {
    (connect(server, number).await, connect(server, number).await)
}

async fn send(socket: &mut Socket, bytes: impl Into<Bytes>) {
    in_time("room in the socket", socket.send(Message::Binary(bytes.into()))).await.unwrap();
}

async fn received(socket: &mut Socket) -> Bytes {
    loop {
        match in_time("the other's message", socket.next()).await {
            Some(Ok(Message::Binary(bytes))) => return bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("expected a message, got {other:?}"),
        }
    }
}

/// The code that the connection is closed with.
async fn closed(socket: &mut Socket) -> u16 {
    loop {
        match in_time("the close", socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("expected a close, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn two_meet_and_what_one_sends_reaches_the_other_as_it_is() {
    let server = serve(RelayConfig::default()).await;
    let mut first = connect(&server, 1).await;
    send(&mut first, &b"before anybody is there"[..]).await;
    let mut second = connect(&server, 1).await;
    assert_eq!(received(&mut second).await, &b"before anybody is there"[..]);
    let (mut one, mut other) = pair(&server, 2).await;
    send(&mut one, &b"another path"[..]).await;
    assert_eq!(received(&mut other).await, &b"another path"[..]);
    // Cut nowhere and joined nowhere: one message stays one, whatever its length.
    let long: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    for message in [Vec::new(), vec![7], long, vec![8; 65_536], vec![9; 65_537]] {
        let length = message.len();
        send(&mut second, message.clone()).await;
        assert!(received(&mut first).await == message, "{length} bytes came otherwise");
    }
    first.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).await.unwrap();
    assert_eq!(closed(&mut second).await, 1000);
}

#[tokio::test]
async fn close_codes_are_mirrored_where_they_say_something() {
    let server = serve(RelayConfig::default()).await;
    for (code, seen) in [(1000_u16, 1000), (4100, 4100), (4199, 4199), (4000, 4004), (4200, 4004)] {
        let (mut one, mut other) = pair(&server, 1).await;
        send(&mut one, &b"last word"[..]).await;
        one.close(Some(CloseFrame { code: code.into(), reason: "words".into() })).await.unwrap();
        assert_eq!(received(&mut other).await, &b"last word"[..]);
        assert_eq!(closed(&mut other).await, seen, "{code}");
    }
    let (one, mut other) = pair(&server, 2).await;
    drop(one);
    assert_eq!(closed(&mut other).await, 4004, "a connection that breaks");
    let (mut one, mut other) = pair(&server, 3).await;
    one.send(Message::Text("hello".into())).await.unwrap();
    assert_eq!((closed(&mut one).await, closed(&mut other).await), (4000, 4004), "a text message");
    let lines = server.stop().await;
    let told = |line: &LogLine| {
        let LogLine::Relay(RelayEvent::Closed { by: RelayEnd::Client, code, bytes: 9, .. }) = line else { return None };
        *code
    };
    let codes: Vec<u16> = lines.iter().filter_map(told).map(|CloseCode(code)| code).collect();
    assert_eq!(codes, [1000, 4100, 4199, 4000, 4200], "{lines:?}");
    let text = format!("{lines:?}");
    assert!(!text.contains(&hex::encode([1; 32])) && !text.contains("[1, 1, 1"), "no path is told: {text}");
}

#[tokio::test]
async fn a_third_is_turned_away_and_so_is_who_comes_when_there_are_too_many() {
    let server = serve(RelayConfig { max_paths: 2, ..RelayConfig::default() }).await;
    let (mut one, mut other) = pair(&server, 1).await;
    let mut third = connect(&server, 1).await;
    assert_eq!(closed(&mut third).await, 4000);
    let _waiting = connect(&server, 2).await;
    let mut too_many = connect(&server, 3).await;
    assert_eq!(closed(&mut too_many).await, 1013);
    send(&mut one, &b"still here"[..]).await;
    assert_eq!(received(&mut other).await, &b"still here"[..]);
}

#[tokio::test]
async fn who_waits_in_vain_is_told() {
    let server = serve(RelayConfig { wait: Duration::from_millis(100), ..RelayConfig::default() }).await;
    assert_eq!(closed(&mut connect(&server, 1).await).await, 4003);
    let idle = RelayConfig { idle: Duration::from_millis(300), ..RelayConfig::default() };
    let server = serve(idle).await;
    let (mut one, mut other) = pair(&server, 1).await;
    assert_eq!((closed(&mut one).await, closed(&mut other).await), (4004, 4004));
}

#[tokio::test]
async fn only_places_are_served_and_only_where_there_is_a_relay() {
    let server = serve(RelayConfig::default()).await;
    let digits = hex::encode([1; 32]);
    for good in [format!("/a//rendezvous//{digits}?x"), format!("/rendezvous/{digits}")] {
        assert!(try_connect(&server, &good).await.is_ok(), "{good}");
    }
    let other_path =
        ["/rendezvous/".to_owned(), format!("/rendezvous/{digits}0"), format!("/rendezvous/{}", "g".repeat(64))];
    let without = Server::start_with(|_| {}).await;
    let refused = other_path.iter().map(|path| (&server, path.as_str())).chain([(&without, "/rendezvous/1")]);
    for (server, path) in refused {
        match try_connect(server, path).await {
            Err(WebSocketError::Http(response)) => assert_eq!(response.status(), 404, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    let mut device = Client::connect(&server, Dialect::Mk).await;
    device.log_in(own_device(1), SlotState::New).await;
    let lines = server.stop().await;
    let refused = |line: &&LogLine| matches!(line, LogLine::Refused { refusal: ConnectionRefusal::Path, .. });
    assert_eq!(lines.iter().filter(refused).count(), 3, "{lines:?}");
    assert!(matches!(lines.first(), Some(LogLine::Listening { rendezvous: true, .. })), "{lines:?}");
}

#[tokio::test]
async fn who_floods_one_that_does_not_read_is_held_back() {
    let server = serve(RelayConfig::default()).await;
    let (mut flooder, mut stalled) = pair(&server, 1).await;
    let (mut one, mut other) = pair(&server, 2).await;
    let flood = tokio::spawn(async move {
        for sent in 0_usize..4_000 {
            let sending = flooder.send(Message::Binary(vec![7; 60_000].into()));
            if tokio::time::timeout(Duration::from_secs(2), sending).await.is_err() {
                return sent;
            }
        }
        panic!("240 MB that nobody reads were taken in");
    });
    send(&mut one, &b"others are served"[..]).await;
    assert_eq!(received(&mut other).await, &b"others are served"[..]);
    let sent = in_time("the flood to be held back", flood).await.unwrap();
    for _ in 0..sent {
        assert_eq!(received(&mut stalled).await.len(), 60_000, "what was taken in comes");
    }
}

#[tokio::test]
async fn messages_that_nobody_finishes_do_not_fill_the_memory() {
    const PIECE: usize = 400_000;
    let server = serve(RelayConfig { max_memory: 1_000_000, ..RelayConfig::default() }).await;
    let mut unfinished = Vec::new();
    for number in 0..3 {
        let mut socket = connect(&server, number).await;
        // The head of a masked frame of 100,000,000 bytes, and a piece of it.
        let head = [&[0x82, 0xff][..], &100_000_000_u64.to_be_bytes(), &[0; 4]].concat();
        socket.get_mut().write_all(&head).await.unwrap();
        socket.get_mut().write_all(&vec![0; PIECE]).await.unwrap();
        unfinished.push(socket);
    }
    assert_eq!(closed(&mut unfinished[2]).await, 4000, "there is no room for its piece");
    drop(unfinished);
    let lines = server.stop().await;
    let told = lines.iter().filter(|line| {
        matches!(line, LogLine::Relay(RelayEvent::Closed { by: RelayEnd::Relay, code: Some(CloseCode(4000)), .. }))
    });
    assert_eq!(told.count(), 1, "{lines:?}");
}

#[tokio::test]
async fn shutdown_closes_everyone_with_1001() {
    let server = serve(RelayConfig::default()).await;
    let (mut one, mut other) = pair(&server, 1).await;
    let mut waiting = connect(&server, 2).await;
    let stopping = tokio::spawn(server.stop());
    for socket in [&mut one, &mut other, &mut waiting] {
        assert_eq!(closed(socket).await, 1001);
    }
    let lines = in_time("the end of the server", stopping).await.unwrap();
    assert!(lines.iter().any(|line| matches!(line, LogLine::Stopping { connections: 3 })), "{lines:?}");
}

/// Its lines are checked against the schema when it ends.
#[tokio::test]
async fn the_command_serves_it_and_logs_who_met() {
    let mediator = Mediator::start(&["--rendezvous"]);
    let address = SocketAddr::from(([127, 0, 0, 1], mediator.port));
    let mut one = try_connect_to(address, &place(1)).await.unwrap();
    let mut other = try_connect_to(address, &place(1)).await.unwrap();
    send(&mut one, &b"1234"[..]).await;
    assert_eq!(received(&mut other).await, &b"1234"[..]);
    one.close(Some(CloseFrame { code: 4100.into(), reason: "".into() })).await.unwrap();
    assert_eq!(closed(&mut other).await, 4100);
    let log = tokio::task::spawn_blocking(move || mediator.await_logged("relay_closed", 2)).await.unwrap();
    for told in [
        r#""rendezvous":true"#,
        r#""event":"relay_waiting""#,
        r#""with":1"#,
        r#""by":"client","code":4100,"bytes":4"#,
        r#""by":"peer","code":4100,"bytes":0"#,
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
}
