//! `wss://` with the real binary on both sides: every way in which it fails has its own sentence.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::support::certificates::{Authority, Leaf, Validity};
use crate::support::program::{Mediator, key_file, run};
use crate::support::terminal::Terminal;

const OTHER_PIN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn mediator(leaf: &Leaf) -> Mediator {
    let (certificate, key) = (leaf.certificate.to_str().unwrap(), leaf.key.to_str().unwrap());
    Mediator::start(&["--tls-cert", certificate, "--tls-key", key])
}

/// What `watch` prints on a connection to that port, and its exit code.
fn watch(mediator: &Mediator, port: u16, arguments: &[&str]) -> (String, Option<i32>) {
    let key = key_file(mediator.home.path());
    let url = format!("wss://localhost:{port}/");
    let mut all = vec!["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--until-dry"];
    all.extend(arguments);
    let output = run(mediator.home.path(), &all);
    (String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn a_good_certificate_and_the_right_pin_connect_in_both_dialects() {
    let authority = Authority::new();
    let leaf = authority.leaf("localhost", Validity::Now);
    let mediator = mediator(&leaf);
    let ca = authority.file();
    for dialect in ["dgk", "mk"] {
        for pins in [vec![], vec!["--pin", &leaf.pin], vec!["--pin", OTHER_PIN, "--pin", &leaf.pin]] {
            let mut arguments = vec!["--ca", ca.to_str().unwrap(), "--dialect", dialect];
            arguments.extend(&pins);
            let (printed, code) = watch(&mediator, mediator.port, &arguments);
            assert_eq!(code, Some(0), "{dialect} {pins:?}: {printed}");
            assert!(printed.contains(r#""event":"queue_dry""#), "{printed}");
            assert!(!printed.contains(r#""event":"warning""#), "{printed}");
        }
    }
}

#[test]
fn the_pins_of_a_profile_count_where_no_option_names_one() {
    let authority = Authority::new();
    let leaf = authority.leaf("localhost", Validity::Now);
    let mediator = mediator(&leaf);
    let home = mediator.home.path();
    let (ca, key) = (authority.file(), key_file(home));
    let url = format!("wss://localhost:{}/", mediator.port);
    for (name, pin, code) in [("right", leaf.pin.as_str(), 0), ("wrong", OTHER_PIN, 4)] {
        let add = ["profile", "add", name, "--mediator", &url, "--server-group", "01", "--pin", pin];
        let files = ["--ca", ca.to_str().unwrap(), "--key-file", key.to_str().unwrap()];
        assert_eq!(run(home, &[&add[..], &files].concat()).status.code(), Some(0));
        let output = run(home, &["watch", name, "--until-dry"]);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{name}: {printed}");
        assert_eq!(printed.contains("is not the pinned one"), code != 0, "{name}: {printed}");
    }
}

#[test]
fn every_failure_has_its_own_sentence() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let good = authority.leaf("localhost", Validity::Now);
    let cases = [
        ("pin", &good, &authority, OTHER_PIN, "the key of localhost is not the pinned one"),
        (
            "host",
            &authority.leaf("mediator.example", Validity::Now),
            &authority,
            "",
            "is for mediator.example, not for",
        ),
        ("root", &good, &stranger, "", "no trusted authority vouches for the certificate of localhost"),
        ("expired", &authority.leaf("localhost", Validity::Over), &authority, "", "expired on 2021-02-03"),
        (
            "not yet",
            &authority.leaf("localhost", Validity::NotYet),
            &authority,
            "",
            "not valid yet, only from 2119-04-05",
        ),
    ];
    let own = authority.as_leaf();
    let cases =
        [&cases[..], &[("authority", &own, &authority, "", "is an authority's, which no server can have")]].concat();
    for (what, leaf, trusted, pin, sentence) in &cases {
        let mediator = mediator(leaf);
        let ca = trusted.file();
        let mut arguments = vec!["--ca", ca.to_str().unwrap()];
        if !pin.is_empty() {
            arguments.extend(["--pin", pin]);
        }
        let (printed, code) = watch(&mediator, mediator.port, &arguments);
        assert_eq!(code, Some(4), "{what}: {printed}");
        assert!(printed.contains(r#""cause":"unreachable""#), "{what}: {printed}");
        for (other, _, _, _, words) in &cases {
            assert_eq!(printed.contains(words), other == what, "{what}: {sentence} in {printed}");
        }
        assert!(!printed.contains('…'), "{what}: the sentence is shown whole: {printed}");
        if *what == "pin" {
            assert!(printed.contains(&leaf.pin), "the pin that was seen is named: {printed}");
        }
    }
    // Without --ca the built-in roots count, which never heard of the test's authority.
    let mediator = mediator(&good);
    let (printed, _) = watch(&mediator, mediator.port, &[]);
    assert!(printed.contains("no trusted authority"), "{printed}");
    let url = format!("ws://127.0.0.1:{}/", mediator.port);
    let key = key_file(mediator.home.path());
    let plain = run(mediator.home.path(), &["devices", "--url", &url, "--key-file", key.to_str().unwrap()]);
    let words = String::from_utf8(plain.stderr).unwrap();
    assert!(plain.status.code() == Some(4) && words.contains("wss:// if the mediator speaks TLS"), "{words}");
    // A pin takes nothing away from the other checks.
    let (printed, _) = watch(&mediator, mediator.port, &["--pin", &good.pin]);
    assert!(printed.contains("no trusted authority"), "{printed}");
}

#[test]
fn what_is_not_tls_is_told_as_such() {
    let plain = Mediator::start(&[]);
    let (printed, code) = watch(&plain, plain.port, &[]);
    assert_eq!(code, Some(4), "{printed}");
    assert!(printed.contains("instead of speaking TLS") || printed.contains("does not speak TLS"), "{printed}");

    for (answer, words) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not speak TLS; check the port"),
        // A fatal alert: handshake_failure.
        (&[21, 3, 3, 0, 2, 2, 40][..], "no cipher or kind of key in common"),
        (&b""[..], "ended the connection instead of speaking TLS"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = [0; 4_096];
            let _ = stream.read(&mut hello).unwrap();
            stream.write_all(answer).unwrap();
        });
        let (printed, _) = watch(&plain, port, &[]);
        answering.join().unwrap();
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

#[test]
fn the_override_is_long_and_loud_and_asked_for_twice_where_nobody_looks() {
    let authority = Authority::new();
    let leaf = authority.leaf("mediator.example", Validity::Over);
    let mediator = mediator(&leaf);
    let (printed, code) = watch(&mediator, mediator.port, &["--dangerously-accept-any-certificate"]);
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("=even-unattended"), "{printed}");
    // Who pins a key does not believe just anybody.
    let both = ["--pin", OTHER_PIN, "--dangerously-accept-any-certificate=even-unattended"];
    let (printed, code) = watch(&mediator, mediator.port, &both);
    assert_eq!(code, Some(2), "{printed}");
    let (printed, code) = watch(&mediator, mediator.port, &["--dangerously-accept-any-certificate=even-unattended"]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.lines().next().unwrap().contains(r#""event":"warning""#), "{printed}");
    assert!(printed.contains(r#""event":"queue_dry""#), "{printed}");

    let key = key_file(mediator.home.path());
    let url = format!("wss://localhost:{}/", mediator.port);
    let arguments = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dangerously-accept-any-certificate"];
    let mut terminal = Terminal::start(&arguments, 24, 80, &[]);
    terminal.wait_for("left, so that a phone can lead");
    terminal.wait_for("UNSAFE: any certificate is accepted");
    terminal.press("?");
    terminal.wait_for("Keys");
    let first_row = terminal.screen().rows(0, 80).next().unwrap();
    assert!(first_row.contains("UNSAFE"), "{}", terminal.contents());
    let cell = terminal.screen().cell(0, 1).unwrap();
    assert_eq!(cell.fgcolor(), vt100::Color::Idx(1), "it is red");
    terminal.press("\u{3}");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn unusable_options_are_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let empty = home.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (arguments, words) in [
        (["--pin", "AAAA"], "--pin: a pin is the SHA-256 of the server's public key in base64, 32 bytes; this has 3"),
        (["--pin", "no pin!"], "this is not base64"),
        (["--ca", empty.to_str().unwrap()], "has no certificate in it"),
        (["--ca", "/nonexistent"], "/nonexistent"),
        (["--dangerously-accept-any-certificate=yes", "--until-dry"], "even-unattended"),
    ] {
        let mut all = vec!["watch", "--url", "wss://localhost:1/", "--key-file", key.to_str().unwrap()];
        all.extend(arguments);
        let output = run(home.path(), &all);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}
