//! Where it listens, and what it does where nothing can be printed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{DIALECTS, Proxy, proxy};
use crate::support::program::{self, Mediator, key_file, run};

#[test]
fn what_cannot_be_used_is_said_before_anything_listens() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&["--max-slots", "1"]);
        let key = key_file(mediator.home.path());
        let (url, key) = (mediator.url(), key.to_str().unwrap());
        let connection = ["proxy", "--url", &url, "--key-file", key, "--dialect", dialect];
        for (more, words) in [
            (&["--read-only"][..], "--read-only"),
            (&["--dangerously-accept-any-certificate"], "even-unattended"),
            (&["--listen", "nowhere"], "--listen"),
        ] {
            let output = run(mediator.home.path(), &[&connection[..], more].concat());
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{more:?}: {stderr}");
            assert!(stderr.contains(words), "{more:?}: {stderr}");
        }
        let output = run(mediator.home.path(), &["mediator", "--chat-server", "nowhere"]);
        assert_eq!(output.status.code(), Some(2), "no port is named");
        let taken = format!("127.0.0.1:{}", mediator.port);
        let output = run(mediator.home.path(), &[&connection[..], &["--listen", &taken]].concat());
        assert_eq!(output.status.code(), Some(1), "the address is taken");
        let watch = ["watch", "--url", &url, "--key-file", key, "--dialect", dialect, "--until-dry"];
        let watch = [&watch[..], &["--persistent", "--device-id", "1111111111111111"]].concat();
        assert_eq!(run(mediator.home.path(), &watch).status.code(), Some(0), "{dialect}: it takes the only slot");
        let refused = run(mediator.home.path(), &connection);
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{dialect}: the login is refused: {words}");
        assert!(words.contains("4111") && words.contains("drop one"), "{dialect}: {words}");
    }
}

#[test]
fn an_address_that_others_can_reach_is_warned_about() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let mut proxy = Proxy::start_with(&mediator, dialect, &["--listen", "0.0.0.0:0"]);
        let warning = proxy.seen.iter().find(|line| line["event"] == "warning").expect("a warning before it listens");
        assert_eq!(warning["warning"], "not_loopback", "{dialect}: {warning}");
        assert_eq!(proxy.end(), Some(0));
        let mut proxy = Proxy::start(&mediator, dialect);
        assert!(!proxy.seen.iter().any(|line| line["event"] == "warning"), "{dialect}: {:?}", proxy.seen);
        assert_eq!(proxy.end(), Some(0));
    }
}

/// A command that serves, and whose output nothing can be written to; ended when it has listened, and somebody was served.
fn serves_with_a_full_disk(mut command: Command, home: &std::path::Path, serve: impl FnOnce(u16)) {
    let port_file = home.join("full.port");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = command.arg("--port-file").arg(&port_file).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let mut words = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    words.read_line(&mut first).unwrap();
    assert!(first.contains("cannot write to standard output: No space left"), "{first}");
    serve(std::fs::read_to_string(&port_file).unwrap().trim().parse().unwrap());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    words.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{first}{rest}");
    assert_eq!(rest.matches("No space left").count(), 1, "only once more, at the end: {rest}");
}

#[test]
fn who_serves_goes_on_with_a_full_disk_and_says_so() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let key = key_file(home);
        let log_in = |port: u16| {
            let url = format!("ws://127.0.0.1:{port}/");
            let watch = ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect];
            assert_eq!(run(home, &[&watch[..], &["--until-dry"]].concat()).status.code(), Some(0), "{dialect}");
        };
        serves_with_a_full_disk(program::d2mtop(home, &["mediator"]), home, log_in);
        let connect = |port: u16| drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
        serves_with_a_full_disk(proxy(&mediator, dialect, &[]), home, connect);
    }
}
