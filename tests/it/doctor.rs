//! `d2mtop doctor` with the real binary: what is well, and each thing that is not.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::support::certificates::{Authority, Validity};
use crate::support::program::{self, KEY, Mediator, key_file, run};
use crate::support::watching::Watching;

/// What the doctor says, by check, and the exit code.
fn doctor(home: &Path, arguments: &[&str]) -> (BTreeMap<String, (String, String)>, Option<i32>) {
    let mut all = vec!["doctor", "--json"];
    all.extend(arguments);
    let output = run(home, &all);
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains(KEY), "no key is printed");
    let field = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let found = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .map(|line| (field(&line, "check"), (field(&line, "status"), field(&line, "words"))))
        .collect();
    (found, output.status.code())
}

/// A device that leads, until it is dropped.
fn leader(mediator: &Mediator, arguments: &[&str]) -> Watching {
    let key = key_file(mediator.home.path());
    let mut all = vec!["watch", "--key-file", key.to_str().unwrap(), "--stay-leader"];
    all.extend(arguments);
    Watching::until(program::d2mtop(mediator.home.path(), &all), r#""event":"promoted""#)
}

#[test]
fn all_is_well_in_both_dialects() {
    let authority = Authority::new();
    let leaf = authority.leaf("localhost", Validity::Now);
    let (certificate, private) = (leaf.certificate.to_str().unwrap(), leaf.key.to_str().unwrap());
    let mediator = Mediator::start(&["--tls-cert", certificate, "--tls-key", private]);
    let key = key_file(mediator.home.path());
    let url = format!("wss://localhost:{}/", mediator.port);
    let ca = authority.file();
    for dialect in ["dgk", "mk"] {
        let way = ["--url", &url, "--ca", ca.to_str().unwrap(), "--pin", &leaf.pin, "--dialect", dialect];
        let _leader = leader(&mediator, &way);
        let mut arguments = way.to_vec();
        arguments.extend(["--key-file", key.to_str().unwrap()]);
        let (found, code) = doctor(mediator.home.path(), &arguments);
        assert_eq!(code, Some(0), "{found:?}");
        for check in ["colours", "key", "clock", "dns", "tcp", "tls", "login", "slot", "slots", "leader"] {
            assert_eq!(found[check].0, "ok", "{dialect}: {check} in {found:?}");
        }
        assert_eq!(found["terminal"].0, "warn", "a test has none: {found:?}");
        assert!(found["tls"].1.contains("2120-01-01") && found["tls"].1.contains("pinned one"), "{found:?}");
        assert!(found["slots"].1.starts_with("2 of 5"), "{found:?}");
    }
}

#[test]
fn alone_in_the_group_is_worth_a_word_and_the_lines_read_well() {
    let mediator = Mediator::start(&[]);
    let key = key_file(mediator.home.path());
    let (found, code) = doctor(mediator.home.path(), &["--url", &mediator.url(), "--key-file", key.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{found:?}");
    assert_eq!((found["slots"].0.as_str(), found["leader"].0.as_str()), ("warn", "warn"), "{found:?}");
    let lines = run(mediator.home.path(), &["doctor", "--url", &mediator.url(), "--key-file", key.to_str().unwrap()]);
    let lines = String::from_utf8(lines.stdout).unwrap();
    assert!(lines.contains("✓ ok    login     as device "), "{lines}");
    assert!(lines.contains("! warn  leader    no other device is connected"), "{lines}");
}

#[test]
fn a_d2mtop_that_runs_as_the_same_device_is_not_cut_off() {
    let mediator = Mediator::start(&[]);
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let mut running = leader(&mediator, &["--url", &url, "--device-id", "0102030405060708"]);
    let arguments = ["--url", &url, "--key-file", key.to_str().unwrap(), "--expect", "existing", "--device-id"];
    let with = |device: &'static str| [&arguments[..], &[device]].concat();
    let (found, code) = doctor(mediator.home.path(), &with("0102030405060708"));
    assert_eq!((code, found["login"].0.as_str()), (Some(0), "warn"), "{found:?}");
    assert!(found["login"].1.contains("would cut it off"), "{found:?}");
    assert!(running.goes_on(), "it goes on");
    drop(running);
    let (found, _) = doctor(mediator.home.path(), &with("0102030405060708"));
    assert_eq!(found["login"].0, "ok", "what was killed claims nothing: {found:?}");
}

#[test]
fn the_slot_is_told() {
    let mediator = Mediator::start(&[]);
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let device =
        ["--url", &url, "--key-file", key.to_str().unwrap(), "--device-id", "0102030405060708", "--persistent"];
    let (found, _) = doctor(mediator.home.path(), &device);
    assert!(found["slot"].1.starts_with("new"), "{found:?}");
    let mut existing = device.to_vec();
    existing.extend(["--expect", "existing"]);
    let (found, _) = doctor(mediator.home.path(), &existing);
    assert!(found["slot"].1.starts_with("the mediator knows this device"), "{found:?}");
    let (found, code) = doctor(mediator.home.path(), &device);
    assert_eq!(code, Some(1), "{found:?}");
    assert_eq!(found["login"].0, "fail", "{found:?}");
    assert!(found["login"].1.contains("4115"), "{found:?}");
}

#[test]
fn what_is_wrong_is_told_where_it_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let key = key.to_str().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("ws://127.0.0.1:{free}/");
    let (found, code) = doctor(home.path(), &["--url", &nobody, "--key-file", key]);
    assert_eq!(code, Some(1), "{found:?}");
    assert_eq!(found["tcp"].0, "fail", "{found:?}");
    assert!(found["tcp"].1.contains("is the mediator running"), "{found:?}");
    assert_eq!(found["login"].0, "skip", "{found:?}");

    let (found, code) = doctor(home.path(), &["--url", "wss://no.such.host.invalid/", "--key-file", key]);
    assert_eq!((code, found["dns"].0.as_str()), (Some(1), "fail"), "{found:?}");

    let mediator = Mediator::start(&[]);
    for bad in ["/nonexistent", "/etc/hostname"] {
        let (found, code) = doctor(home.path(), &["--url", &mediator.url(), "--key-file", bad]);
        assert_eq!((code, found["key"].0.as_str()), (Some(1), "fail"), "{bad}: {found:?}");
        assert!(found["key"].1.contains(bad), "{found:?}");
        assert_eq!((found["tcp"].0.as_str(), found["login"].0.as_str()), ("ok", "skip"), "{found:?}");
    }

    let authority = Authority::new();
    let leaf = authority.leaf("mediator.example", Validity::Now);
    let (certificate, private) = (leaf.certificate.to_str().unwrap(), leaf.key.to_str().unwrap());
    let encrypted = Mediator::start(&["--tls-cert", certificate, "--tls-key", private]);
    let url = format!("wss://localhost:{}/", encrypted.port);
    let ca = authority.file();
    let (found, code) = doctor(home.path(), &["--url", &url, "--key-file", key, "--ca", ca.to_str().unwrap()]);
    assert_eq!((code, found["tls"].0.as_str()), (Some(1), "fail"), "{found:?}");
    assert!(found["tls"].1.contains("is for mediator.example, not for localhost"), "{found:?}");
    let any = "--dangerously-accept-any-certificate=even-unattended";
    let (found, code) = doctor(home.path(), &["--url", &url, "--key-file", key, any]);
    assert_eq!((code, found["tls"].0.as_str(), found["login"].0.as_str()), (Some(0), "warn", "ok"), "{found:?}");
}

#[test]
fn a_refused_login_says_that_the_key_may_be_wrong() {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let server = std::thread::spawn(move || {
        d2mtop::os::event_loop::event_loop().unwrap().block_on(async {
            listener.set_nonblocking(true).unwrap();
            let (stream, _) = tokio::net::TcpListener::from_std(listener).unwrap().accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let frame = CloseFrame { code: 4010.into(), reason: "".into() };
            socket.send(Message::Close(Some(frame))).await.unwrap();
            while futures_util::StreamExt::next(&mut socket).await.is_some() {}
        });
    });
    let (found, code) = doctor(home.path(), &["--url", &url, "--key-file", key.to_str().unwrap()]);
    server.join().unwrap();
    assert_eq!((code, found["login"].0.as_str()), (Some(1), "fail"), "{found:?}");
    assert!(found["login"].1.contains("4010") && found["login"].1.contains("wrong group key"), "{found:?}");
}

#[test]
fn a_server_that_says_nothing_does_not_keep_it() {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for (scheme, check, words) in [("wss", "tls", "says nothing in TLS"), ("ws", "login", "opens no WebSocket")] {
        let started = Instant::now();
        let url = format!("{scheme}://127.0.0.1:{port}/");
        let (found, code) = doctor(home.path(), &["--url", &url, "--key-file", key.to_str().unwrap()]);
        assert_eq!((code, found[check].0.as_str()), (Some(1), "fail"), "{found:?}");
        assert!(found[check].1.contains(words), "{found:?}");
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }
}

#[test]
fn without_a_mediator_it_checks_what_it_can_and_bad_options_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let (found, code) = doctor(home.path(), &[]);
    assert_eq!((code, found["mediator"].0.as_str()), (Some(0), "warn"), "{found:?}");
    assert_eq!(found["keyring"].0, "warn", "{found:?}");
    assert!(found["keyring"].1.contains("no keyring can be reached ("), "{found:?}");
    let profiles = home.path().join(".config/d2mtop/profiles.toml");
    std::fs::create_dir_all(profiles.parent().unwrap()).unwrap();
    let profile = "[profile.lab]\nmediator = \"wss://m.example/\"\nserver_group = \"01\"\nkey = \"keyring\"\n";
    std::fs::write(profiles, profile).unwrap();
    let (found, code) = doctor(home.path(), &["lab"]);
    assert_eq!((code, found["key"].0.as_str()), (Some(1), "fail"), "{found:?}");
    assert!(found["key"].1.contains("no keyring can be reached ("), "{found:?}");
    let (found, code) = doctor(home.path(), &["--url", "wss://{deviceGroupIdPrefix4}.example/"]);
    assert_eq!((code, found["mediator"].0.as_str()), (Some(1), "skip"), "{found:?}");
    let key = key_file(home.path());
    for arguments in
        [["--pin", "AAAA"], ["--server-group", "!"], ["--dangerously-accept-any-certificate", "--persistent"]]
    {
        let mut all = vec!["doctor", "--url", "wss://localhost/", "--key-file", key.to_str().unwrap()];
        all.extend(arguments);
        assert_eq!(run(home.path(), &all).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_profile_with_something_wrong_in_it_is_examined_as_far_as_the_rest_goes() {
    let home = tempfile::tempdir().unwrap();
    let profiles = home.path().join(".config/d2mtop/profiles.toml");
    let key = key_file(home.path());
    std::fs::create_dir_all(profiles.parent().unwrap()).unwrap();
    let written = |mediator: &str, server_group: &str, more: &str| {
        let key = key.to_str().unwrap();
        let profile = format!(
            "[profile.lab]\nmediator = \"{mediator}\"\nserver_group = \"{server_group}\"\nkey_file = \"{key}\"\n{more}\n"
        );
        std::fs::write(&profiles, profile).unwrap();
    };
    let url = "wss://m.example/";
    for (mediator, more, words) in [
        ("http://m.example/", "", "of the profile lab: the mediator's URL must begin with wss://"),
        ("m.example", "", "of the profile lab: the mediator's URL is not a URL"),
        ("ws://m.example/", "", "not encrypted"),
        ("wss://me:x@m.example/", "", "user's name or password"),
        ("wss://m.example/?a=b", "", "query or fragment"),
        ("wss://[fe80::7%25eth0]/", "", "an IPv6 address with a zone"),
        ("wss://[fe80::7%eth0]:8443/", "", "an IPv6 address with a zone"),
        ("wss://m.example:70000/", "", "not a number from 1 to 65535"),
        ("wss://m.example:0/", "", "not a number from 1 to 65535"),
        ("wss://mé.example/", "", "a letter in it that URLs do not have"),
        ("wss://m.example/ ", "", "a blank"),
        ("wss://10.1/", "", "neither a name nor a whole address"),
        ("wss://m.example/{deviceGroupIdPrefix2}/", "", "in braces"),
        ("wss://{deviceGroupIdPrefix}.example/", "", "in braces"),
        (url, "ca = \"nowhere.pem\"", "nowhere.pem"),
        (url, "proxy = \"gopher://proxy:1\"", "proxy in the profile"),
    ] {
        written(mediator, "01", more);
        let (found, code) = doctor(home.path(), &["lab"]);
        assert_eq!((code, found["mediator"].0.as_str()), (Some(1), "fail"), "{mediator}: {found:?}");
        assert!(found["mediator"].1.contains(words), "{mediator}: {found:?}");
        let others = ["key", "journal", "login"].map(|check| found[check].0.as_str());
        assert_eq!(others, ["ok", "ok", "skip"], "{mediator}: {found:?}");
    }
    written(url, "!", "");
    let (found, code) = doctor(home.path(), &["lab"]);
    assert_eq!((code, found["profile"].0.as_str(), found["journal"].0.as_str()), (Some(1), "fail", "ok"), "{found:?}");
    assert!(found["profile"].1.contains("server group"), "{found:?}");
    // The key is not needed for a look at the rest.
    written("http://m.example/", "01", "");
    std::fs::write(&key, "no key").unwrap();
    let (found, code) = doctor(home.path(), &["lab"]);
    let all = ["key", "journal", "mediator"].map(|check| found[check].0.as_str());
    assert_eq!((code, all), (Some(1), ["fail", "ok", "fail"]), "{found:?}");
}
