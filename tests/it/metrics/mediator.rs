//! `mediator --metrics`: what Prometheus sees of a mediator, in both dialects.

use std::fs;
use std::net::SocketAddr;

use rustix::process::{Signal, kill_process};

use super::assets::{as_prometheus_text, assert_told_and_documented, asset, names_in, promtool, queries_of};
use super::{DIALECTS, ask, scrape};
use crate::support::openmetrics::read;
use crate::support::program::{Mediator, key_file, run};

fn address(mediator: &Mediator) -> SocketAddr {
    let log = mediator.await_logged("metrics", 1);
    let line = log.lines().find(|line| line.contains("\"event\":\"metrics\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let url = line["url"].as_str().unwrap();
    url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap()
}

fn visit(mediator: &Mediator, dialect: &str) {
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let arguments = ["watch", "--url", &url, "--dialect", dialect, "--key-file", key.to_str().unwrap(), "--until-dry"];
    let output = run(mediator.home.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_happens_is_counted_and_what_there_is_is_told() {
    for dialect in DIALECTS {
        let data = tempfile::tempdir().unwrap();
        let mediator = Mediator::start(&["--metrics", "127.0.0.1:0", "--data", data.path().to_str().unwrap()]);
        let address = address(&mediator);
        visit(&mediator, dialect);
        ask(SocketAddr::from(([127, 0, 0, 1], mediator.port)), "GET /nothing HTTP/1.1\r\nHost: m\r\n\r\n");
        mediator.await_logged("refused", 1);
        let text = scrape(address);
        let page = read(&text);
        for (name, labels, value) in [
            ("d2mtop_mediator_ready", &[][..], 1.0),
            ("d2mtop_mediator_storing", &[], 1.0),
            ("d2mtop_mediator_groups", &[], 1.0),
            ("d2mtop_mediator_slots", &[], 1.0),
            ("d2mtop_mediator_connections", &[("state", "logged_in")], 0.0),
            ("d2mtop_mediator_logins_total", &[("slot", "new")], 1.0),
            ("d2mtop_mediator_refusals_total", &[("reason", "path")], 1.0),
            ("d2mtop_mediator_closes_total", &[("by", "client"), ("code", "1000")], 1.0),
        ] {
            assert!((page.sum(name, labels) - value).abs() < f64::EPSILON, "{dialect}: {name}: {text}");
        }
        for name in ["d2mtop_mediator_commit_seconds_count", "d2mtop_mediator_answer_seconds_count"] {
            assert!(page.sum(name, &[]) > 0.0, "{dialect}: {name}: {text}");
        }
        promtool(&["check", "metrics"], &as_prometheus_text(&text));
        for (path, status) in [("/health", "200"), ("/ready", "200"), ("/", "404")] {
            let answer = ask(address, &format!("GET {path} HTTP/1.1\r\nHost: m\r\n\r\n"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        }
    }
}

#[test]
fn rules_dashboard_and_manual_name_metrics_that_exist() {
    let mediator = Mediator::start(&["--metrics", "127.0.0.1:0"]);
    let real = read(&scrape(address(&mediator))).sample_names();
    let queries: Vec<String> = queries_of("mediator-dashboard.json").into_iter().map(|(_, query)| query).collect();
    let rules = asset("mediator-rules.yml");
    let used = queries.iter().chain([&rules]).flat_map(|text| names_in(text)).collect();
    assert_told_and_documented(used, real, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mediator.md")));
    let rule = |(number, query)| serde_json::json!({ "record": format!("shown:{number}"), "expr": query });
    let rules: Vec<_> = queries.into_iter().enumerate().map(rule).collect();
    let path = mediator.home.path().join("rules.json");
    fs::write(&path, serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string()).unwrap();
    promtool(&["check", "rules", "--lint=none", path.to_str().unwrap()], "");
}

#[test]
fn the_mediators_rules_fire_when_they_should() {
    promtool(&["check", "rules", concat!(env!("CARGO_MANIFEST_DIR"), "/assets/mediator-rules.yml")], "");
    promtool(&["test", "rules", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mediator-rules.test.yml")], "");
}

#[test]
fn a_configuration_is_read_anew_without_closing_anybody() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mediator.toml");
    fs::write(&file, "max-groups = 1\nmetrics = \"127.0.0.1:0\"\n").unwrap();
    let mediator = Mediator::start(&["--config", file.to_str().unwrap()]);
    let metrics = address(&mediator);
    visit(&mediator, "dgk");
    let reload = |text: &str| {
        fs::write(&file, text).unwrap();
        kill_process(mediator.process(), Signal::HUP).unwrap();
    };
    reload("max-groups = 1\nmax-slots = \"many\"\n");
    let log = mediator.await_logged("reload_failed", 1);
    assert!(log.contains("mediator.toml, line 2: invalid value 'many' for '--max-slots <N>'"), "{log}");
    reload("max-groups = 2\nrendezvous = true\nmetrics = \"127.0.0.1:0\"\n");
    let log = mediator.await_logged("reloaded", 1);
    assert!(log.contains("\"next_start\":[\"rendezvous\"]"), "{log}");
    // There is room for another group now; `mk` has another id for the same key.
    visit(&mediator, "mk");
    let page = read(&scrape(metrics));
    assert!((page.sum("d2mtop_mediator_groups", &[]) - 2.0).abs() < f64::EPSILON);
    let wrong = run(home.path(), &["mediator", "--config", "/nowhere.toml"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}
