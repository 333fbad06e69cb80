//! `--metrics` as Prometheus sees it: the real binary, scraped while it runs, in both dialects.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "support/openmetrics.rs"]
mod openmetrics;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod program;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use openmetrics::{Page, read};
use program::d2mtop;
use serde_json::Value;

const DIALECTS: [&str; 2] = ["dgk", "mk"];

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo that prints and is measured; killed when dropped.
struct Demo {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
    /// Ids and labels of the devices, as printed.
    names: Vec<String>,
    _home: tempfile::TempDir,
}

impl Demo {
    fn start(dialect: &str, more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let arguments =
            ["demo", "--headless", "--rate", "50", "--dialect", dialect, "--metrics", "127.0.0.1:0"].to_vec();
        let arguments = [arguments, more.to_vec()].concat();
        let mut child = d2mtop(home.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = program::schema::lines(lines.next().unwrap().unwrap().as_bytes()).remove(0);
        assert_eq!(first["event"], "metrics", "the first line says where the metrics are");
        let url = first["url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap();
        Self { child, lines, address, names: Vec::new(), _home: home }
    }

    /// Reads on until so many more events of a name were printed.
    fn await_events(&mut self, event: &str, mut count: usize) {
        while count > 0 {
            let line = self.lines.next().expect("the demo goes on").unwrap();
            let line = program::schema::lines(line.as_bytes()).remove(0);
            count -= usize::from(line["event"] == event);
            for device in line["devices"].as_array().into_iter().flatten() {
                let named = ["device", "label"].map(|field| device[field].as_str().unwrap_or_default().to_owned());
                self.names.extend(named.into_iter().filter(|name| !name.is_empty()));
            }
        }
    }

    fn scrape(&self) -> String {
        let answer = ask(self.address, "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let content_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(head.contains(content_type), "{head}");
        body.to_owned()
    }
}

impl Drop for Demo {
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
            let mut demo = Demo::start(dialect, more);
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

#[test]
fn the_endpoint_answers_nothing_else_and_is_not_kept_busy() {
    let demo = Demo::start("dgk", &[]);
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

/// The names of metrics in a query, or in a text full of queries.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(move |character| !is_part(character)).filter(|word| word.starts_with("d2mtop_"))
}

fn asset(name: &str) -> String {
    std::fs::read_to_string(format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn dashboard_rules_and_readme_name_metrics_that_exist() {
    let mut demo = Demo::start("dgk", &[]);
    demo.await_events("logged_in", 1);
    let page = read(&demo.scrape());
    let mut real = page.sample_names();
    let dashboard: Value = serde_json::from_str(&asset("grafana-dashboard.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 10);
    let rules = asset("alert-rules.yml");
    let used: Vec<&str> = queries.into_iter().chain([rules.as_str()]).flat_map(names_in).collect();
    for name in &used {
        assert!(real.contains(*name), "{name} is shown or watched, but never told");
    }
    real.retain(|name| !name.ends_with("_sum") && !name.ends_with("_count"));
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let documented: Vec<&str> = names_in(&readme).collect();
    for name in &real {
        let family = name.trim_end_matches("_bucket");
        assert!(documented.contains(&family), "{family} is not in the README");
    }
    for name in documented {
        assert!(real.contains(name) || real.contains(&format!("{name}_bucket")), "{name} is in the README only");
    }
}

/// Runs Prometheus's own tool, if it is there.
fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = match command.spawn() {
        Ok(tool) => tool,
        #[allow(clippy::print_stderr, reason = "whoever runs the tests should know what did not run")]
        Err(error) => return eprintln!("promtool {} did not run: {error}", arguments.join(" ")),
    };
    tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "promtool {arguments:?}: {}\n{input}", String::from_utf8_lossy(&said));
}

#[test]
fn prometheus_itself_takes_page_and_rules() {
    promtool(&["check", "rules", concat!(env!("CARGO_MANIFEST_DIR"), "/assets/alert-rules.yml")], "");
    for dialect in DIALECTS {
        let mut demo = Demo::start(dialect, &["--metrics-labels"]);
        demo.await_events("lock_ended", 1);
        demo.await_events("acknowledged", 5);
        let text = demo.scrape();
        promtool(&["check", "metrics"], &as_prometheus_text(&text));
        // Its reader of OpenMetrics wants to know when.
        let with_times: String = text
            .lines()
            .map(|line| if line.starts_with('#') { format!("{line}\n") } else { format!("{line} 1700000000\n") })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let (page, blocks) = (directory.path().join("page"), directory.path().join("blocks"));
        std::fs::write(&page, with_times).unwrap();
        let paths = [page.to_str().unwrap(), blocks.to_str().unwrap()];
        promtool(&["tsdb", "create-blocks-from", "openmetrics", paths[0], paths[1]], "");
    }
}

/// The same in the older format, which `promtool check metrics` reads: there the suffix is part of a counter's name.
fn as_prometheus_text(text: &str) -> String {
    let page = read(text);
    let mut out = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "UNIT", ..] | ["#", "EOF"] => {}
            ["#", word, name, rest] => {
                let suffix = match page.0[*name].kind.as_str() {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                let rest = if *rest == "info" { "gauge" } else { rest };
                out.extend(["# ", word, " ", name, suffix, " ", rest, "\n"]);
            }
            _ => out.extend([line, "\n"]),
        }
    }
    out
}
