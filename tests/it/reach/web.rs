//! Web servers: correct answers that are seldom seen, and what is no mediator's answer.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use d2mtop::net::{Address, TlsOptions};
use d2mtop::session::LinkEnd;

use super::{answer, printed, relay, serve};
use crate::support::program::{Mediator, d2mtop, key_file};

#[test]
fn an_odd_but_correct_upgrade_works_in_both_dialects() {
    let mediator = Mediator::start(&[]);
    let port = mediator.port;
    let odd = serve(move |mut near| {
        let mut far = TcpStream::connect(("127.0.0.1", port)).unwrap();
        far.write_all(super::head(&mut near).as_bytes()).unwrap();
        let head = super::head(&mut far);
        let lines = head.lines().filter(|line| !line.to_lowercase().starts_with("connection:") && !line.is_empty());
        let rest = lines.skip(1).collect::<Vec<_>>().join("\r\n");
        let before = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
        let head = format!("{before}HTTP/1.1 101 OK\r\nConnection: keep-alive, Upgrade\r\n{rest}\r\n\r\n");
        for byte in head.as_bytes() {
            near.write_all(&[*byte]).unwrap();
        }
        relay(near, far);
    });
    let key = key_file(mediator.home.path());
    let url = format!("ws://127.0.0.1:{odd}/");
    for dialect in ["dgk", "mk"] {
        let arguments =
            ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect, "--until-dry"];
        let (words, code) = printed(&mut d2mtop(mediator.home.path(), &arguments));
        assert_eq!(code, Some(0), "{words}");
    }
}

async fn end(port: u16) -> LinkEnd {
    let address = Address::new(&format!("ws://127.0.0.1:{port}/"), &TlsOptions::default()).unwrap();
    let Err(end) = address.connect().await else { panic!("there is no mediator") };
    end
}

#[tokio::test]
async fn each_answer_has_its_sentence() {
    for (text, needed) in [
        ("HTTP/1.0 401 Unauthorized\r\n\r\n", "wants a login (HTTP 401)"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "does not let this machine in (HTTP 403 Forbidden)"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "no mediator at this path"),
        ("HTTP/1.1 407 x\r\n\r\n", "behind a proxy that wants a login"),
        ("HTTP/1.1 429 x\r\n\r\n", "asked too often"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "trouble of its own (HTTP 502 Bad Gateway)"),
        ("HTTP/1.1 301 x\r\nLocation: https://other/\r\n\r\n", "sends to https://other/ (HTTP 301)"),
        ("HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n", "begins with wss://"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "does it speak TLS at this port"),
        ("HTTP/1.1 200 OK\r\n\r\n", "instead of opening a WebSocket"),
        ("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "not to this request"),
        ("220 mail ESMTP\r\n", "not HTTP"),
        ("", "without an answer"),
    ] {
        let port = serve(move |stream| answer(stream, text));
        let LinkEnd::Unreachable(why) = end(port).await else { panic!("{text:?}") };
        assert!(why.as_str().contains(needed), "{text:?}: {why}");
    }
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is() {
    for (text, seconds) in [
        ("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n\r\n", 120),
        ("HTTP/1.0 429 x\nretry-after: 7\n\n", 7),
        ("HTTP/1.1 503 x\r\nRetry-After: 86400\r\n\r\n", 900),
    ] {
        let port = serve(move |stream| answer(stream, text));
        let LinkEnd::Busy { why, retry_after } = end(port).await else { panic!("{text:?}") };
        assert_eq!(retry_after.as_secs(), seconds, "{text:?}");
        assert!(why.as_str().contains(&format!("asked again in {seconds} s")), "{why}");
    }
}

#[tokio::test]
async fn a_dead_address_makes_no_mediator_unreachable() {
    // localhost is ::1 and 127.0.0.1 on most machines; only the second one listens.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1_024]);
            let _ = stream.write_all(b"HTTP/1.1 418 Teapot\r\n\r\n");
        }
    });
    let address = Address::new(&format!("ws://LOCALHOST:{port}/"), &TlsOptions::default()).unwrap();
    let Err(LinkEnd::Unreachable(why)) = address.connect().await else { panic!("a teapot is no mediator") };
    assert!(why.as_str().contains("HTTP 418 Teapot"), "{why}");
}
