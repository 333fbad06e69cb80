//! `--metrics` as Prometheus sees it: the real binary, scraped while it runs, in both dialects.

mod assets;
mod mediator;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use d2mtop::protocol::Dialect;

use crate::support::noting;
use crate::support::one_shot;
use crate::support::openmetrics::{Page, read};
use crate::support::phone::phone_reflects;
use crate::support::program::{self, Mediator, d2mtop, key_file};
use crate::support::schema;
use crate::support::terminal;
use crate::support::watching::Watching;

const DIALECTS: [&str; 2] = ["dgk", "mk"];

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What prints and is measured; killed when dropped.
struct Measured {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
    /// Ids and labels of the devices, as printed.
    names: Vec<String>,
    home: Option<tempfile::TempDir>,
}

impl Measured {
    fn demo(dialect: &str, more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let arguments =
            ["demo", "--headless", "--rate", "50", "--dialect", dialect, "--metrics", "127.0.0.1:0"].to_vec();
        let arguments = [arguments, more.to_vec()].concat();
        let mut demo = Self::of(d2mtop(home.path(), &arguments));
        demo.home = Some(home);
        demo
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = schema::lines(lines.next().unwrap().unwrap().as_bytes()).remove(0);
        assert_eq!(first["event"], "metrics", "the first line says where the metrics are");
        let url = first["url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap();
        Self { child, lines, address, names: Vec::new(), home: None }
    }

    /// Reads on until so many more events of a name were printed.
    fn await_events(&mut self, event: &str, mut count: usize) {
        while count > 0 {
            let line = self.lines.next().expect("it goes on").unwrap();
            let line = schema::lines(line.as_bytes()).remove(0);
            count -= usize::from(line["event"] == event);
            for device in line["devices"].as_array().into_iter().flatten() {
                let named = ["device", "label"].map(|field| device[field].as_str().unwrap_or_default().to_owned());
                self.names.extend(named.into_iter().filter(|name| !name.is_empty()));
            }
        }
    }

    fn scrape(&self) -> String {
        scrape(self.address)
    }
}

fn scrape(address: SocketAddr) -> String {
    let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let content_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.contains(content_type), "{head}");
    body.to_owned()
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and reads until the other side closes.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // Who is refused before all was read is reset.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn count(page: &Page, name: &str) -> f64 {
    page.sum(name, &[])
}

#[test]
fn numbers_rise_with_what_is_printed_and_name_nobody_unless_asked() {
    for dialect in DIALECTS {
        for with_labels in [false, true] {
            let more: &[&str] = if with_labels { &["--metrics-labels"] } else { &[] };
            let mut demo = Measured::demo(dialect, more);
            demo.await_events("devices", 1);
            demo.await_events("acknowledged", 5);
            let text = demo.scrape();
            let page = read(&text);
            assert!((page.sum("d2mtop_logins_total", &[]) - 1.0).abs() < f64::EPSILON);
            assert!((page.sum("d2mtop_connection_state", &[("state", "live")]) - 1.0).abs() < f64::EPSILON, "{text}");
            assert!(count(&page, "d2mtop_devices") >= 4.0, "{text}");
            assert!(page.sum("d2mtop_devices", &[("platform", "android")]) >= 1.0, "{text}");
            assert!(page.all("d2mtop_device_info", &[("platform", "android")]).next().is_some(), "{text}");
            assert!(page.all("d2mtop_device_unseen_seconds", &[]).next().is_some(), "{text}");
            assert!(page.sum("d2mtop_build_info", &[("version", env!("CARGO_PKG_VERSION"))]) > 0.0);
            let told = demo.names.iter().filter(|name| text.contains(name.as_str())).count();
            assert_eq!(told > 0, with_labels, "{dialect}: {told} names of {:?} in\n{text}", demo.names);

            demo.await_events("lock_ended", 1);
            demo.await_events("reflected", 20);
            let later = read(&demo.scrape());
            for name in [
                "d2mtop_messages_total",
                "d2mtop_message_bytes_total",
                "d2mtop_messages_acknowledged_total",
                "d2mtop_message_age_seconds_count",
                "d2mtop_acknowledgement_latency_seconds_count",
                "d2mtop_locks_total",
            ] {
                assert!(count(&later, name) > count(&page, name), "{dialect}: {name} does not rise");
            }
            let kinds: f64 = later.sum("d2mtop_messages_total", &[("kind", "incoming_message")]);
            assert!(kinds > 0.0, "messages are counted by kind");
            // The first dialect's envelopes do not say who reflected them.
            let unsaid = later.sum("d2mtop_messages_total", &[("device", "unsaid")]) > 0.0;
            assert_eq!(unsaid, dialect == "mk");
        }
    }
}

/// The one sample with these labels.
fn value(page: &Page, name: &str, labels: &[(&str, &str)]) -> f64 {
    let found: Vec<f64> = page.all(name, labels).map(|sample| sample.value).collect();
    assert_eq!(found.len(), 1, "{name}{labels:?}: {found:?} in {:?}", page.0.get(name));
    found[0]
}

fn assert_is(page: &Page, name: &str, labels: &[(&str, &str)], expected: f64) {
    let found = value(page, name, labels);
    assert!((found - expected).abs() < f64::EPSILON, "{name}{labels:?} is {found}, not {expected}");
}

#[test]
fn a_watch_is_measured_and_its_devices_are_called_the_same_after_a_restart() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&["--max-slots", "4"]);
        let home = mediator.home.path();
        noting::add_profile(&mediator, dialect);
        noting::watch(&mediator, &[]);
        phone_reflects(&mediator, dialect, 3, "Pixel 9");
        let mut runs = Vec::new();
        for waited in [3.0, 0.0] {
            let arguments = ["watch", "home", "--stay-leader", "--metrics", "127.0.0.1:0", "--on", "close=4113=true"];
            let mut watch = Measured::of(d2mtop(home, &arguments));
            watch.await_events("devices", 1);
            let of = ("profile", "home");
            let page = read(&watch.scrape());
            for (name, expected) in [
                ("d2mtop_connection_attempts_total", 1.0),
                ("d2mtop_logins_total", 1.0),
                ("d2mtop_login_queue_messages", waited),
                ("d2mtop_device_slots", 4.0),
                ("d2mtop_redeliveries_total", 0.0),
            ] {
                assert_is(&page, name, &[of], expected);
            }
            assert!(value(&page, "d2mtop_clock_offset_seconds", &[of]).abs() < 60.0, "{dialect}");
            let login = value(&page, "d2mtop_last_login_timestamp_seconds", &[of]);
            let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
            assert!((now - 120.0..now + 1.0).contains(&login), "{dialect}: {login}");
            assert!(value(&page, "d2mtop_device_list_age_seconds", &[of]) < 60.0, "{dialect}");
            assert_is(&page, "d2mtop_journal_state", &[of, ("state", "keeps")], 1.0);
            assert_is(&page, "d2mtop_journal_state", &[of, ("state", "failed")], 0.0);
            // Rules watch these rise.
            for outcome in ["ran", "failed", "timed_out", "suppressed"] {
                assert_is(&page, "d2mtop_alerts_total", &[("alert", "close"), ("outcome", outcome)], 0.0);
            }
            assert_is(&page, "d2mtop_disconnects_total", &[of, ("code", "4113")], 0.0);
            let listed = &page.0["d2mtop_device"].samples;
            runs.push(listed.iter().map(|sample| sample.labels["device"].clone()).collect::<BTreeSet<String>>());
        }
        assert_eq!(runs[0].len(), 2, "{dialect}: {runs:?}");
        assert_eq!(runs[0], runs[1], "{dialect}");
        assert!(!runs[0].iter().any(|name| "4d00000000000000".contains(name.as_str())), "{dialect}: an id: {runs:?}");
    }
}

#[test]
fn the_dashboard_is_measured() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let key = key_file(mediator.home.path());
        // Nobody says which port the system took, so it is asked for one before.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (url, address) = (mediator.url(), free.to_string());
        let arguments = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect, "--stay-leader"];
        let monitors = ["--metrics", &address, "--on", "promoted=true", "--bell"];
        let mut terminal = terminal::Terminal::start(&[&arguments[..], &monitors].concat(), 30, 100, &[]);
        terminal.wait_for("leads");
        let page = read(&scrape(free));
        for name in ["d2mtop_logins_total", "d2mtop_leader", "d2mtop_promotions_total"] {
            assert_is(&page, name, &[], 1.0);
        }
        assert_is(&page, "d2mtop_journal_state", &[("state", "off")], 1.0);
        for outcome in ["ran", "told"] {
            assert!(value(&page, "d2mtop_alerts_total", &[("alert", "promoted"), ("outcome", outcome)]) <= 1.0);
        }
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn the_endpoint_answers_nothing_else_and_is_not_kept_busy() {
    let demo = Measured::demo("dgk", &[]);
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: here\r\n\r\n", "404"),
        ("GET /metrics/../etc/passwd HTTP/1.1\r\nHost: here\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n", "405"),
        ("DELETE /metrics HTTP/1.1\r\nHost: here\r\n\r\n", "405"),
        ("nonsense\r\n\r\n", "400"),
    ] {
        let answer = ask(demo.address, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
    }
    let head = ask(demo.address, "HEAD /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    let long = ask(demo.address, &format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000)));
    assert!(!long.contains("# EOF"), "a head without end is not read to its end");
    // Some connect and say nothing; the others are answered all the same.
    let silent: Vec<TcpStream> = (0..7).map(|_| TcpStream::connect(demo.address).unwrap()).collect();
    read(&demo.scrape());
    drop(silent);
}

#[test]
fn an_address_that_cannot_be_used_is_refused_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let all = [&["demo", "--headless", "--for", "1s"], arguments].concat();
        let output = program::run(home.path(), &all);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, words) = refused(&["--metrics", "0.0.0.0:0"]);
    assert!(code == Some(2) && words.contains("--metrics-allow-remote"), "{code:?} {words}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, words) = refused(&["--metrics", &taken.local_addr().unwrap().to_string()]);
    assert!(code == Some(1) && words.contains("choose another port"), "{code:?} {words}");
    let (code, words) = refused(&["--metrics", "9464"]);
    assert!(code == Some(2) && words.contains("--metrics"), "{code:?} {words}");
    let (code, words) = refused(&["--metrics", "0.0.0.0:0", "--metrics-allow-remote"]);
    assert_eq!(code, Some(0), "{words}");
}

/// A device that was dropped, or gone from a persistent slot, is news when it is back, and as critical as a new one; one
/// that was only away from a volatile slot is none.
#[test]
fn a_device_that_is_back_is_critical_only_if_it_had_left_for_good() {
    for dialect in [Dialect::Dgk, Dialect::Mk] {
        let mediator = Mediator::start(&["--volatile-grace", "1ms"]);
        noting::add_profile(&mediator, dialect);
        let (home, key) = (mediator.home.path(), key_file(mediator.home.path()));
        let (url, dialect_name) = (mediator.url(), dialect.to_string());
        let guest = |arguments: &[&str]| {
            let guest = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect_name];
            let output = program::run(home, &[arguments, &guest].concat());
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let laptop = "0000000000000009";
        // What is told meanwhile, what the metrics count as new, and what `--on new-device` is given.
        let looks = || {
            let (new, path) = noting::noting(home, "new-device");
            let _ = std::fs::remove_file(&path);
            let arguments = ["watch", "home", "--stay-leader", "--metrics", "127.0.0.1:0", "--on", &new];
            let mut watch = Measured::of(d2mtop(home, &arguments));
            let mut told = Vec::new();
            loop {
                let line = watch.lines.next().expect("it goes on").unwrap();
                let line = schema::lines(line.as_bytes()).remove(0);
                match line["event"].as_str() {
                    Some("device_new") => told.push(line),
                    Some("devices") => break,
                    _ => {}
                }
            }
            let text = watch.scrape();
            let counted = read(&text).sum("d2mtop_device_changes_total", &[("change", "new")]);
            let expected = f64::from(u8::try_from(told.len()).unwrap());
            assert!((counted - expected).abs() < f64::EPSILON, "{dialect}: {told:?} in {text}");
            one_shot::signal(&watch.child, rustix::process::Signal::TERM);
            watch.child.wait().unwrap();
            let noted = if told.is_empty() { Vec::new() } else { noting::noted(&path) };
            assert_eq!(noted.len(), told.len(), "{dialect}: {noted:?}");
            (told, noted)
        };
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        assert!(looks().0.is_empty(), "{dialect}: the first list is all known");
        let laptop_stays = || {
            let arguments = ["watch", "--stay-leader", "--device-id", laptop, "--label", "laptop"];
            let guest = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect_name];
            Watching::until(d2mtop(home, &[&arguments[..], &guest].concat()), "queue_dry")
        };
        // A volatile one comes, goes, and is back.
        let there = laptop_stays();
        let (told, _) = looks();
        assert_eq!(
            (told.len(), &told[0]["device"], &told[0]["returned"]),
            (1, &laptop.into(), &serde_json::Value::Null)
        );
        drop(there);
        looks();
        let there = laptop_stays();
        assert!(looks().0.is_empty(), "{dialect}: it was only away");
        drop(there);
        // The phone is dropped, and comes back.
        guest(&["drop", "4d00000000000000", "--yes"]);
        assert!(looks().0.is_empty());
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        let (told, noted) = looks();
        for line in [&told[0], &noted[0]] {
            let said = (&line["event"], &line["device"], &line["returned"]);
            assert_eq!(said, (&"device_new".into(), &"4d00000000000000".into(), &true.into()), "{dialect}");
        }
        assert!(looks().0.is_empty(), "{dialect}: it is told once");
    }
}
