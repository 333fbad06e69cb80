//! The listener over real sockets, with clients that know nothing but WebSocket and the protocol room.

pub mod client;
mod http;
mod relay;

use std::time::Duration;

use bytes::Bytes;
use client::{Client, Server, frames, in_time, keys, own_device, reflect};
use d2mtop::mediator::{LogEvent, MediatorConfig};
use d2mtop::net::{ConnectionRefusal, LogLine};
use d2mtop::protocol::{
    ClientMessage, ClientUrlInfo, DeviceId, Dialect, ReflectedId, ServerGroup, ServerMessage, SlotState,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::Message;

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

#[tokio::test]
async fn a_device_logs_in_in_both_dialects_on_one_port() {
    let server = Server::start(MediatorConfig::default()).await;
    for dialect in DIALECTS {
        let mut client = Client::connect(&server, dialect).await;
        let messages = client.log_in(own_device(1), SlotState::New).await;
        let [ServerMessage::Info(info), ServerMessage::ReflectionQueueDry] = messages.as_slice() else {
            panic!("login in {dialect}: {messages:?}")
        };
        assert_eq!(info.slot_state, SlotState::New, "in {dialect}");
        assert_eq!(client.next().await, ServerMessage::RolePromotedToLeader, "in {dialect}");
    }
    let lines = server.stop().await;
    let opened = |line: &&LogLine| matches!(line, LogLine::Mediator(LogEvent::LoggedIn { .. }));
    assert_eq!(lines.iter().filter(opened).count(), 2, "{lines:?}");
}

#[tokio::test]
async fn the_path_may_have_a_prefix_and_doubled_slashes() {
    let server = Server::start(MediatorConfig::default()).await;
    let segment = client::segment(Dialect::Dgk);
    for path in
        [format!("/{segment}"), format!("//{segment}"), format!("/d2m/v1//{segment}"), format!("/{segment}?x=1")]
    {
        let mut client = Client::connect_to(&server, &path, Dialect::Dgk).await.unwrap_or_else(|error| {
            panic!("{path} was refused: {error}");
        });
        assert!(matches!(client.next().await, ServerMessage::Hello(_)), "{path}");
    }
}

#[tokio::test]
async fn a_bad_path_is_refused_with_404_before_any_hello() {
    let server = Server::start(MediatorConfig::default()).await;
    let short = ClientUrlInfo {
        dialect: Dialect::Dgk,
        device_group_id: keys(Dialect::Dgk).device_group_id(),
        server_group: ServerGroup::parse("01", Dialect::Dgk).unwrap(),
    }
    .path_segment()
    .replacen("0a20", "0a1f", 1);
    for path in
        ["/", "/favicon.ico", "/zz", "/0a", &format!("/{short}"), &format!("/{}/", client::segment(Dialect::Mk))]
    {
        match Client::connect_to(&server, path, Dialect::Dgk).await.err() {
            Some(WebSocketError::Http(response)) => assert_eq!(response.status(), 404, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    let lines = server.stop().await;
    let refused = |line: &&LogLine| matches!(line, LogLine::Refused { refusal: ConnectionRefusal::Path, .. });
    assert_eq!(lines.iter().filter(refused).count(), 6, "{lines:?}");
}

#[tokio::test]
async fn what_is_no_web_socket_is_dropped() {
    let server =
        Server::start(MediatorConfig { handshake_timeout: Duration::from_millis(200), ..MediatorConfig::default() })
            .await;
    let mut nonsense = TcpStream::connect(server.address).await.unwrap();
    nonsense.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await.unwrap();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    for (what, stream) in [("nonsense", &mut nonsense), ("silence", &mut silent)] {
        let mut rest = Vec::new();
        let _ = in_time(what, stream.read_to_end(&mut rest)).await;
    }
    let lines = server.stop().await;
    for refusal in [ConnectionRefusal::NotAWebSocket, ConnectionRefusal::Timeout] {
        let told = lines.iter().any(|line| matches!(line, LogLine::Refused { refusal: told, .. } if *told == refusal));
        assert!(told, "{refusal:?} is missing in {lines:?}");
    }
}

#[tokio::test]
async fn the_time_to_log_in_ends() {
    let server =
        Server::start(MediatorConfig { handshake_timeout: Duration::from_millis(200), ..MediatorConfig::default() })
            .await;
    let mut client = Client::connect(&server, Dialect::Dgk).await;
    client.next().await;
    assert_eq!(client.closed().await, 4013);
}

#[tokio::test]
async fn text_and_nonsense_end_with_a_protocol_error() {
    let server = Server::start(MediatorConfig::default()).await;
    for (what, message) in [
        ("a text message", Message::Text("hello".into())),
        ("an unknown type", Message::Binary(Bytes::from_static(&[0x7f, 0, 0, 0]))),
        ("too long a message", Message::Binary(vec![0x80; 65_537].into())),
        ("a much too long message", Message::Binary(vec![0x80; 3_000_000].into())),
    ] {
        let mut client = Client::connect(&server, Dialect::Dgk).await;
        client.log_in(own_device(1), SlotState::New).await;
        // The server may stop reading before all is written.
        let _ = in_time(what, client.socket.send(message)).await;
        assert_eq!(client.closed().await, 4010, "{what}");
        let mut other = Client::connect(&server, Dialect::Dgk).await;
        other.log_in(own_device(2), SlotState::New).await;
        other.send(&ClientMessage::DropDevice(own_device(1))).await;
        other.send(&ClientMessage::DropDevice(own_device(2))).await;
        assert_eq!(other.closed().await, 4113);
    }
}

#[tokio::test]
async fn the_largest_message_passes() {
    let server = Server::start(MediatorConfig::default()).await;
    let mut author = Client::logged_in(&server, Dialect::Dgk, 1).await;
    let mut reader = Client::logged_in(&server, Dialect::Dgk, 2).await;
    author.send(&reflect(1, vec![7; 65_516])).await;
    loop {
        if let ServerMessage::Reflected(reflected) = reader.next().await {
            assert_eq!(reflected.envelope.len(), 65_516);
            break;
        }
    }
}

#[tokio::test]
async fn pings_are_answered_and_a_close_is_answered() {
    let server = Server::start(MediatorConfig::default()).await;
    let mut client = Client::connect(&server, Dialect::Dgk).await;
    client.next().await;
    client.socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    let pong = in_time("the pong", client.socket.next()).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"there?")));
    client.socket.close(None).await.unwrap();
    let answer = in_time("the answer to the close", client.socket.next()).await;
    assert!(matches!(answer, Some(Ok(Message::Close(_)))), "{answer:?}");
}

#[tokio::test]
async fn a_device_that_leaves_hands_its_role_on() {
    let server = Server::start(MediatorConfig::default()).await;
    let mut first = Client::logged_in(&server, Dialect::Dgk, 1).await;
    assert_eq!(first.next().await, ServerMessage::RolePromotedToLeader);
    let mut second = Client::logged_in(&server, Dialect::Dgk, 2).await;
    // No close frame: the socket just goes away.
    drop(first);
    assert_eq!(second.next().await, ServerMessage::RolePromotedToLeader);
}

#[tokio::test]
async fn shutdown_closes_everyone_with_1001() {
    let server = Server::start(MediatorConfig::default()).await;
    let mut logged_in = Client::logged_in(&server, Dialect::Dgk, 1).await;
    let mut waiting = Client::connect(&server, Dialect::Mk).await;
    waiting.next().await;
    // One that neither reads nor answers must not hold the end up for long.
    let stalled = Client::logged_in(&server, Dialect::Dgk, 2).await;
    let stopping = tokio::spawn(server.stop());
    assert_eq!(logged_in.closed().await, 1001);
    assert_eq!(waiting.closed().await, 1001);
    let lines = in_time("the end of the server", stopping).await.unwrap();
    assert!(matches!(lines.last(), Some(LogLine::Stopped)), "{lines:?}");
    drop(stalled);
}

#[tokio::test]
async fn a_stalled_reader_delays_nobody_and_gets_everything_later() {
    const MESSAGES: usize = 2_000;
    const SIZE: usize = 8_000;
    let server = Server::start(MediatorConfig::default()).await;
    let mut author = Client::logged_in(&server, Dialect::Dgk, 1).await;
    let mut stalled = Client::logged_in(&server, Dialect::Dgk, 2).await;
    let mut reader = Client::logged_in(&server, Dialect::Dgk, 3).await;
    let writing = tokio::spawn(async move {
        for id in 0..MESSAGES {
            author.send(&reflect(u32::try_from(id).unwrap(), vec![7; SIZE])).await;
            while !matches!(author.next().await, ServerMessage::ReflectAck { .. }) {}
        }
        author
    });
    // 16 MB are more than all buffers on the way to the stalled one hold.
    assert_eq!(frames(&mut reader, MESSAGES).await.len(), MESSAGES);
    let mut author = in_time("the author's acknowledgements", writing).await.unwrap();
    author.send(&ClientMessage::GetDevicesInfo).await;
    assert!(matches!(author.next().await, ServerMessage::DevicesInfo(_)));
    let late = frames(&mut stalled, MESSAGES).await;
    assert!(late.is_sorted(), "the stalled reader gets all in order");
}

#[tokio::test]
async fn one_that_floods_without_reading_is_held_back_and_others_are_served() {
    let server = Server::start(MediatorConfig::default()).await;
    let flooder = Client::logged_in(&server, Dialect::Dgk, 1).await;
    let mut other = Client::logged_in(&server, Dialect::Dgk, 2).await;
    let (mut sink, mut stream) = flooder.socket.split();
    let list = ClientMessage::GetDevicesInfo.encode(Dialect::Dgk);
    let flood = tokio::spawn(async move {
        let mut sent = 0_usize;
        while sent < 2_000_000 {
            let blocked = tokio::time::timeout(Duration::from_secs(2), async {
                for _ in 0..100 {
                    sink.feed(Message::Binary(list.clone())).await.unwrap();
                }
                sink.flush().await.unwrap();
            });
            if blocked.await.is_err() {
                return sent;
            }
            sent += 100;
        }
        panic!("two million unread answers were taken in");
    });
    for _ in 0..20 {
        other.send(&ClientMessage::GetDevicesInfo).await;
        while !matches!(other.next().await, ServerMessage::DevicesInfo(_)) {}
    }
    in_time("the flood to be held back", flood).await.unwrap();
    // Once it reads, it is served again.
    in_time("an answer after the flood", stream.next()).await.unwrap().unwrap();
}

#[tokio::test]
async fn twenty_thousand_messages_drain_with_each_acknowledged_once() {
    const MESSAGES: u32 = 20_000;
    for dialect in DIALECTS {
        let server = Server::start(MediatorConfig::default()).await;
        let mut author = Client::logged_in(&server, dialect, 1).await;
        Client::logged_in(&server, dialect, 2).await.leave().await;
        let mut acknowledged = 0;
        for batch in 0..MESSAGES / 500 {
            for id in 0..500 {
                author.feed(&reflect(batch * 500 + id, vec![7; 200])).await;
            }
            author.socket.flush().await.unwrap();
            while acknowledged < (batch + 1) * 500 {
                acknowledged += u32::from(matches!(author.next().await, ServerMessage::ReflectAck { .. }));
            }
        }
        let mut reader = Client::connect(&server, dialect).await;
        let started = std::time::Instant::now();
        reader.send_login(own_device(2), SlotState::Existing).await;
        let mut next = 1;
        loop {
            match reader.next().await {
                ServerMessage::Info(info) => assert_eq!(info.reflection_queue_length, Some(MESSAGES)),
                ServerMessage::Reflected(reflected) => {
                    assert_eq!(reflected.id, ReflectedId(next));
                    next += 1;
                    reader.feed(&ClientMessage::ReflectedAck(reflected.id)).await;
                    if next % 256 == 0 {
                        reader.socket.flush().await.unwrap();
                    }
                }
                ServerMessage::ReflectionQueueDry => break,
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(next - 1, MESSAGES, "in {dialect}");
        println!("{MESSAGES} messages in {dialect}: {:?}", started.elapsed());
        // The answer to this comes behind all acknowledgements.
        reader.send(&ClientMessage::GetDevicesInfo).await;
        assert!(matches!(reader.next().await, ServerMessage::DevicesInfo(_)));
        reader.leave().await;
        let mut again = Client::connect(&server, dialect).await;
        let messages = again.log_in(own_device(2), SlotState::Existing).await;
        assert_eq!(messages.len(), 2, "nothing is left in the queue: {messages:?}");
    }
}

#[tokio::test]
async fn connections_can_be_encrypted() {
    let server = Server::start_encrypted().await;
    let mut client = Client::connect_encrypted(&server, Dialect::Dgk).await;
    client.log_in(DeviceId(1), SlotState::New).await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = in_time("the end of a plain connection", plain.read_to_end(&mut rest)).await;
    let lines = server.stop().await;
    assert!(matches!(lines.first(), Some(LogLine::Listening { encrypted: true, .. })), "{lines:?}");
    let refused = |line: &LogLine| matches!(line, LogLine::Refused { refusal: ConnectionRefusal::Tls, .. });
    assert!(lines.iter().any(refused), "{lines:?}");
}

#[tokio::test]
async fn no_more_than_so_many_clients_are_logged_in() {
    let config = MediatorConfig { max_connections: 1, ..MediatorConfig::default() };
    let server = Server::start(config).await;
    let mut first = Client::connect(&server, Dialect::Dgk).await;
    let mut late = Client::connect(&server, Dialect::Dgk).await;
    first.log_in(own_device(1), SlotState::New).await;
    late.send_login(own_device(2), SlotState::New).await;
    assert_eq!(late.closed().await, 1013, "one too many");
    // Its own place is not one too many.
    let mut again = Client::connect(&server, Dialect::Dgk).await;
    again.log_in(own_device(1), SlotState::Existing).await;
}

#[tokio::test]
async fn silent_connections_keep_no_login_out() {
    let server = Server::start(MediatorConfig::default()).await;
    let mut silent = Vec::new();
    for _ in 0..700 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    // Some have begun a handshake, and never end it.
    for stream in &mut silent[..100] {
        let _ = stream.write_all(b"GET /").await;
    }
    let mut client = Client::connect(&server, Dialect::Dgk).await;
    client.log_in(own_device(1), SlotState::New).await;
    let lines = server.stop().await;
    let evicted = |line: &&LogLine| matches!(line, LogLine::Refused { refusal: ConnectionRefusal::TooMany, .. });
    assert_eq!(lines.iter().filter(evicted).count(), 701 - 512, "as many as there were too many");
}

#[tokio::test]
async fn what_the_chat_server_tears_comes_as_one_frame_a_message() {
    for dialect in DIALECTS {
        let chat_server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = chat_server.local_addr().unwrap().to_string();
        let frames =
            [vec![1; 80], vec![2; 32], [&[40, 0][..], &[3; 40]].concat(), [&[0, 64][..], &[4; 16_384]].concat()];
        let stream = frames.concat();
        let serving = tokio::spawn(async move {
            let (mut socket, _) = chat_server.accept().await.unwrap();
            let mut hello = [0; 100];
            socket.read_exact(&mut hello).await.unwrap();
            for chunk in stream.chunks(7) {
                socket.write_all(chunk).await.unwrap();
                socket.flush().await.unwrap();
            }
            hello
        });
        let server = Server::start_with(|options| options.chat_server = Some(address.into())).await;
        let mut client = Client::connect(&server, dialect).await;
        // Before the login, and after it.
        client.send(&ClientMessage::Proxy(Bytes::from(vec![9; 48]))).await;
        client.log_in(own_device(1), SlotState::New).await;
        client.send(&ClientMessage::Proxy(Bytes::from(vec![9; 52]))).await;
        let mut came = Vec::new();
        while came.len() < frames.len() {
            if let ServerMessage::Proxy(frame) = client.next().await {
                came.push(frame.to_vec());
            }
        }
        assert_eq!(came, frames, "in {dialect}");
        assert_eq!(in_time("the hello", serving).await.unwrap(), [9; 100]);
        assert_eq!(client.closed().await, 4000, "in {dialect}");
        let lines = server.stop().await;
        let told = lines.iter().find_map(|line| match line {
            LogLine::Mediator(LogEvent::ChatClosed { to_server, from_server, .. }) => {
                Some((to_server.frames, to_server.bytes, from_server.frames))
            }
            _ => None,
        });
        assert_eq!(told, Some((2, 100, 4)), "in {dialect}: {lines:?}");
    }
}

#[tokio::test]
async fn a_chat_server_that_does_not_read_delays_nobody_else() {
    let chat_server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = chat_server.local_addr().unwrap().to_string();
    let server = Server::start_with(|options| options.chat_server = Some(address.into())).await;
    let chatting = Client::logged_in(&server, Dialect::Dgk, 1).await;
    let mut other = Client::logged_in(&server, Dialect::Dgk, 2).await;
    let (mut sink, _stream) = chatting.socket.split();
    let frame = ClientMessage::Proxy(Bytes::from(vec![9; 60_000])).encode(Dialect::Dgk);
    let flood = tokio::spawn(async move {
        for sent in 0..4_000 {
            let sending = sink.send(Message::Binary(frame.clone()));
            if tokio::time::timeout(Duration::from_secs(2), sending).await.is_err() {
                return sent;
            }
        }
        panic!("240 MB that nobody reads were taken in");
    });
    let _unread = in_time("the connection to the chat server", chat_server.accept()).await.unwrap();
    in_time("the flood to be held back", flood).await.unwrap();
    other.send(&ClientMessage::GetDevicesInfo).await;
    while !matches!(other.next().await, ServerMessage::DevicesInfo(_)) {}
}
