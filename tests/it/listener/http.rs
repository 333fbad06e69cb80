//! What is no WebSocket gets an answer in HTTP, and the log keeps to what matters.

use d2mtop::mediator::{LogEvent, MediatorConfig};
use d2mtop::net::{ConnectionRefusal, LogLine};
use d2mtop::protocol::{DeviceId, Dialect, SlotState};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as WebSocketError;

use super::client::{self, Client, Server, in_time, own_device};

/// Sends bytes, and reads whatever comes until the server closes.
async fn ask(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = in_time("the answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn every_request_gets_an_answer() {
    let server = Server::start(MediatorConfig::default()).await;
    let group = client::segment(Dialect::Dgk);
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let long = "x".repeat(20_000);
    let cases = [
        ("a browser at the root", "GET / HTTP/1.1\r\nHost: m\r\n\r\n".to_owned(), "426", "speaks WebSocket"),
        ("no upgrade", format!("GET /{group} HTTP/1.1\r\nHost: m\r\n\r\n"), "426", "WebSocket connections only"),
        ("another path", "GET /x HTTP/1.1\r\nHost: m\r\n\r\n".to_owned(), "404", "device group"),
        ("a post", format!("POST /{group} HTTP/1.1\r\nHost: m\r\nContent-Length: 0\r\n\r\n"), "405", "GET"),
        (
            "version 8",
            format!("GET /{group} HTTP/1.1\r\nHost: m\r\n{websocket}{key}Sec-WebSocket-Version: 8\r\n\r\n"),
            "426",
            "sec-websocket-version: 13",
        ),
        (
            "no key",
            format!("GET /{group} HTTP/1.1\r\nHost: m\r\n{websocket}Sec-WebSocket-Version: 13\r\n\r\n"),
            "400",
            "Sec-WebSocket-Key",
        ),
        (
            "a short key",
            format!("GET /{group} HTTP/1.1\r\n{websocket}Sec-WebSocket-Key: YQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
            "400",
            "Sec-WebSocket-Key",
        ),
        (
            "HTTP/1.0",
            format!("GET /{group} HTTP/1.0\r\n{websocket}{key}Sec-WebSocket-Version: 13\r\n\r\n"),
            "505",
            "HTTP/1.1",
        ),
        ("a long head", format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n"), "431", ""),
        ("no HTTP", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n".to_owned(), "400", ""),
        ("a health check", "GET /health HTTP/1.1\r\nHost: m\r\n\r\n".to_owned(), "200", "ok"),
        ("readiness", "GET /ready HTTP/1.1\r\nHost: m\r\n\r\n".to_owned(), "200", "ready"),
    ];
    for (what, request, status, words) in cases {
        let answer = ask(&server, &request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert_eq!(line.split(' ').nth(1), Some(status), "{what}: {answer:?}");
        assert!(answer.contains(words), "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn health_checks_do_not_fill_the_log() {
    let server = Server::start(MediatorConfig::default()).await;
    for _ in 0..3 {
        drop(TcpStream::connect(server.address).await.unwrap());
        ask(&server, "GET /health HTTP/1.1\r\nHost: m\r\n\r\n").await;
        ask(&server, "HEAD /ready HTTP/1.1\r\nHost: m\r\n\r\n").await;
    }
    let lines = server.stop().await;
    assert!(!lines.iter().any(|line| matches!(line, LogLine::Refused { .. })), "{lines:?}");
}

#[tokio::test]
async fn a_group_too_many_gets_503_before_its_login() {
    let server = Server::start(MediatorConfig { max_groups: 1, ..MediatorConfig::default() }).await;
    let mut first = Client::connect(&server, Dialect::Dgk).await;
    first.log_in(own_device(1), SlotState::New).await;
    let late = format!("/{}", client::segment(Dialect::Mk));
    match Client::connect_to(&server, &late, Dialect::Mk).await.err() {
        Some(WebSocketError::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"), "{response:?}");
        }
        other => panic!("{other:?}"),
    }
    // Those that are known still come in.
    let mut second = Client::connect(&server, Dialect::Dgk).await;
    second.log_in(DeviceId(2), SlotState::New).await;
    let lines = server.stop().await;
    let full = |line: &LogLine| matches!(line, LogLine::Refused { refusal: ConnectionRefusal::NotAdmitted(_), .. });
    assert!(lines.iter().any(full), "{lines:?}");
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_no_protocol_error() {
    let server = Server::start(MediatorConfig::default()).await;
    let mut client = Client::connect(&server, Dialect::Dgk).await;
    client.log_in(own_device(1), SlotState::New).await;
    drop(client);
    // Only after the first is gone does the next lead.
    let mut next = Client::connect(&server, Dialect::Dgk).await;
    next.log_in(DeviceId(2), SlotState::New).await;
    next.next().await;
    let lines = server.stop().await;
    let ends = lines.iter().filter_map(|line| match line {
        LogLine::Mediator(LogEvent::Closed { end, .. }) => Some(format!("{end:?}")),
        _ => None,
    });
    let ends: Vec<String> = ends.collect();
    assert_eq!(ends.first().map(String::as_str), Some("Theirs(None)"), "{ends:?}");
}
