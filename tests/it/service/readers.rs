//! Who reads what a watch prints: slowly, not at all, or only some of it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use d2mtop::protocol::SlotState;
use serde_json::Value;

use super::ends::full_pipe;
use super::phone::{phone_reflects, phone_with_slot_reflects};
use super::program::{Mediator, d2mtop, key_file, run};
use super::{DIALECTS, PATIENCE, add_profile, ends_soon, schema};

/// What the metrics say.
fn figure(url: &str, name: &str) -> Option<f64> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let line = page.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn number(line: &Value, field: &str) -> u64 {
    line[field].as_u64().unwrap_or_else(|| panic!("no {field}: {line}"))
}

fn waiting_at_next_login(home: &Path) -> u64 {
    let output = run(home, &["watch", "home", "--until-dry", "--only", "logged_in"]);
    number(&schema::lines(&output.stdout)[0], "queue_length")
}

#[test]
fn a_reader_who_does_not_read_holds_up_no_acknowledgement_and_is_told_what_was_left_out() {
    // More than is held.
    const COUNT: u64 = 40_000;
    const EVENTS: &str = "connecting,handshaking,logged_in,reflected,acknowledged,left_out";
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        assert_eq!(run(home, &["watch", "home", "--until-dry"]).status.code(), Some(0));
        phone_reflects(&mediator, dialect, COUNT, "Pixel 9");
        let arguments = ["watch", "home", "--stay-leader", "--metrics", "127.0.0.1:0", "--only", EVENTS];
        // Full from the start, so that only the first lines of the login are under way to the reader.
        let (reader, output) = full_pipe();
        let mut watch = d2mtop(home, &arguments).stdout(output).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(watch.stderr.take().unwrap()).lines();
        let said = said.next().expect("where the metrics are").unwrap();
        let url = said.split_once("metrics are at ").expect("where the metrics are").1.to_owned();
        let begin = Instant::now();
        let acknowledged = || figure(&url, "d2mtop_messages_acknowledged_total");
        while acknowledged() != Some(40_000.0) {
            assert!(begin.elapsed() < 2 * PATIENCE, "{dialect}: held up by its reader: {:?}", acknowledged());
            thread::yield_now();
        }
        // [messages, acknowledgements], printed and left out.
        let (mut printed, mut left_out) = ([0, 0], [0, 0]);
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap).filter(|line| !line.is_empty());
        while [printed[0] + left_out[0], printed[1] + left_out[1]] != [COUNT, COUNT] {
            let line = lines.next().expect("all is printed or counted");
            let [line] = <[Value; 1]>::try_from(schema::lines(line.as_bytes())).unwrap();
            match line["event"].as_str().unwrap() {
                "reflected" => printed[0] += 1,
                "acknowledged" => printed[1] += number(&line, "count"),
                "left_out" => {
                    left_out = [left_out[0] + number(&line, "messages"), left_out[1] + number(&line, "acknowledged")];
                }
                _ => {}
            }
        }
        assert!(left_out[0] > 0 && printed[0] > 32_000, "{dialect}: {printed:?} printed, {left_out:?} left out");
        ends_soon(&mut watch, "after a slow reader");
        assert_eq!(waiting_at_next_login(home), 0, "{dialect}: the mediator has all acknowledgements");
    }
}

#[test]
fn a_full_disk_is_named_and_the_messages_are_not_lost() {
    const COUNT: u64 = 300;
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let home = tempfile::tempdir().unwrap();
    let fails = |home: &Path, arguments: &[&str]| {
        let output = d2mtop(home, arguments).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {words}");
        assert!(words.contains("cannot write to standard output: No space left"), "{arguments:?}: {words}");
    };
    for arguments in [&["--help"][..], &["watch", "--help"], &["--version"], &["man"], &["completions", "bash"]] {
        fails(home.path(), arguments);
    }
    fails(home.path(), &["demo", "--headless"]);
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        assert_eq!(run(home, &["watch", "home", "--until-dry"]).status.code(), Some(0));
        fails(home, &["devices", "home"]);
        phone_reflects(&mediator, dialect, COUNT, "Pixel 9");
        fails(home, &["watch", "home"]);
        let rest = run(home, &["watch", "home", "--until-dry"]);
        assert_eq!(rest.status.code(), Some(0));
        let kept = run(home, &["history", "home", "--json", "--limit", "1000"]);
        assert_eq!(schema::lines(&kept.stdout).len() as u64, COUNT, "{dialect}: each is in the journal, once");

        phone_with_slot_reflects(SlotState::Existing, &mediator, dialect, COUNT, "Pixel 9");
        fails(home, &["watch", "home", "--no-journal"]);
        let rest = schema::lines(&run(home, &["watch", "home", "--no-journal", "--until-dry"]).stdout);
        let login = rest.iter().find(|line| line["event"] == "logged_in").expect("a login");
        let came = rest.iter().filter(|line| line["event"] == "reflected").count() as u64;
        assert_eq!(came, number(login, "queue_length"), "{dialect}: what was not acknowledged comes again");
        assert_eq!(waiting_at_next_login(home), 0, "{dialect}");
    }
}

#[test]
fn where_the_metrics_are_is_said_on_standard_error_if_nobody_wants_the_line() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let arguments = ["watch", "home", "--until-dry", "--metrics", "127.0.0.1:0"];
        let chosen = run(home, &[&arguments[..], &["--only", "queue_dry"]].concat());
        let names: Vec<_> = schema::lines(&chosen.stdout).iter().map(|line| line["event"].clone()).collect();
        assert_eq!(names, ["queue_dry"], "{dialect}");
        let words = String::from_utf8(chosen.stderr).unwrap();
        assert!(words.contains("metrics are at http://127.0.0.1:"), "{dialect}: {words}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let closed = d2mtop(home, &arguments).stdout(writer).output().unwrap();
        let words = String::from_utf8(closed.stderr).unwrap();
        assert_eq!((closed.status.code(), words.as_str()), (Some(0), ""), "{dialect}: nobody reads from the start");
    }
}

#[test]
fn a_device_stays_new_until_its_line_was_printed() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        assert_eq!(run(home, &["watch", "home", "--until-dry"]).status.code(), Some(0), "the list is known");
        let (key, url, name) = (key_file(home), mediator.url(), dialect.to_string());
        let arguments = ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &name];
        let new = [
            &arguments[..],
            &["--label", "newcomer", "--device-id", "1111111111111111", "--persistent", "--until-dry"],
        ]
        .concat();
        assert_eq!(run(home, &new).status.code(), Some(0));
        let told = |only: &[&str]| {
            let output = run(home, &[&["watch", "home", "--until-dry"], only].concat());
            schema::lines(&output.stdout).iter().filter(|line| line["event"] == "device_new").count()
        };
        assert_eq!(told(&["--only", "devices,device_gone"]), 0);
        assert_eq!(told(&[]), 1, "{dialect}: nobody had been told");
        assert_eq!(told(&[]), 0, "{dialect}: once is enough");
        assert!(fs::exists(home.join(".local/state/d2mtop/profiles/home/known.json")).unwrap());
    }
}
