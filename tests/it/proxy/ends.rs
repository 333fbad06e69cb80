//! Who ends the connection, and what is told of it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rustix::process::{Signal, kill_process};

use super::{DIALECTS, LOGIN, Proxy, chat_server, echo, is_at_its_end, log_in, mediator_with, with_client};
use crate::support::program::{key_file, run};

#[test]
fn what_was_carried_is_told_also_when_a_signal_ends_it() {
    for dialect in DIALECTS {
        let (_mediator, mut proxy, mut stream) = with_client(dialect);
        assert_eq!(proxy.end(), Some(0), "{dialect}");
        assert!(is_at_its_end(&mut stream), "{dialect}");
        let told = proxy.until("client_disconnected");
        assert_eq!((&told["by"], &told["words"]), (&"proxy".into(), &"d2mtop ends".into()), "{dialect}: {told}");
        for (count, carried) in [("bytes_to_server", 48 + LOGIN), ("bytes_from_server", 80 + 32)] {
            assert_eq!(told[count], carried, "{dialect}: {told}");
        }
        let end = proxy.until("disconnected");
        assert_eq!((&end["cause"], &end["next"]), (&"by_user".into(), &"end".into()), "{dialect}: {end}");
    }
}

#[test]
fn what_was_carried_is_told_also_when_the_device_is_dropped() {
    for dialect in DIALECTS {
        let (address, _serving) = chat_server(1, echo);
        let mediator = mediator_with(&address);
        let device = "1111111111111111";
        let mut proxy = Proxy::start_with(&mediator, dialect, &["--device-id", device]);
        let mut stream = proxy.connect();
        log_in(&mut stream);
        let key = key_file(mediator.home.path());
        let url = mediator.url();
        let drop = ["drop", device, "--yes", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect];
        let dropped = run(mediator.home.path(), &drop);
        assert_eq!(dropped.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&dropped.stderr));
        let told = proxy.until("client_disconnected");
        assert_eq!((&told["by"], &told["frames_to_server"]), (&"mediator".into(), &2.into()), "{dialect}: {told}");
        assert_eq!(proxy.child.wait().unwrap().code(), Some(3), "{dialect}: somebody has to decide");
    }
}

#[test]
fn the_chat_server_s_end_is_told_in_words() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (closing, _serving) = chat_server(8, |mut stream| stream.read_exact(&mut [0; 48]).unwrap());
    let (babbling, _babbling) = chat_server(8, |mut stream| {
        stream.read_exact(&mut [0; 48]).unwrap();
        stream.write_all(&[0xff; 114]).unwrap();
        let _ = stream.read(&mut [0]);
    });
    for dialect in DIALECTS {
        for (address, code, words) in [
            (&closing, 4000, "the chat server closed its connection"),
            (&closed, 4001, "the mediator could not reach the chat server"),
            (&babbling, 4009, "internal error towards the chat server"),
        ] {
            let mediator = mediator_with(address);
            let mut proxy = Proxy::start(&mediator, dialect);
            let mut stream = proxy.connect();
            stream.write_all(&[3; 48]).unwrap();
            assert!(is_at_its_end(&mut stream), "{dialect}, {code}: the client is cut off");
            let told = loop {
                let told = proxy.until("disconnected");
                if told["cause"] == "closed_by_server" {
                    break told;
                }
            };
            assert_eq!(told["code"], code, "{dialect}: {told}");
            let told_words = told["words"].as_str().unwrap();
            assert!(told_words.contains(words), "{dialect}: {told}");
            assert_eq!(
                told_words.matches("chat server").count(),
                if code == 4009 { 2 } else { 1 },
                "{dialect}: {told}"
            );
            assert_eq!(told["next"], "retry", "{dialect}: {told}");
            assert_eq!(proxy.until("client_disconnected")["by"], "mediator", "{dialect}, {code}");
        }
    }
}

#[test]
fn the_mediator_s_end_is_the_client_s_end_and_not_the_proxy_s() {
    for dialect in DIALECTS {
        let (mediator, mut proxy, mut stream) = with_client(dialect);
        kill_process(mediator.process(), Signal::KILL).unwrap();
        assert!(is_at_its_end(&mut stream));
        assert_eq!(proxy.until("client_disconnected")["by"], "mediator");
        proxy.until("connecting");
        assert_eq!(proxy.end(), Some(0));
    }
}
