//! The dashboard and the rules in `assets`: what they ask for is there, and Prometheus takes them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{DIALECTS, Measured};
use crate::support::openmetrics::read;

/// The names of metrics in a query, or in a text full of queries.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(move |character| !is_part(character)).filter(|word| word.starts_with("d2mtop_"))
}

pub(super) fn asset(name: &str) -> String {
    std::fs::read_to_string(format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn dashboard_rules_and_readme_name_metrics_that_exist() {
    let mut demo = Measured::demo("dgk", &[]);
    demo.await_events("logged_in", 1);
    let page = read(&demo.scrape());
    let queries: Vec<String> = queries().into_iter().map(|(_, query)| query).collect();
    assert!(queries.len() > 10);
    let rules = asset("alert-rules.yml");
    let used: Vec<&str> = queries.iter().chain([&rules]).flat_map(|text| names_in(text)).collect();
    assert_told_and_documented(
        used,
        page.sample_names(),
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md")),
    );
}

/// What is used by a dashboard or rules is told by the program, and what is told stands in its page of the manual.
pub(super) fn assert_told_and_documented(used: Vec<&str>, mut real: BTreeSet<String>, page: &str) {
    for name in used {
        assert!(real.contains(name), "{name} is shown or watched, but never told");
    }
    real.retain(|name| !name.ends_with("_sum") && !name.ends_with("_count"));
    let documented: Vec<&str> = names_in(page).collect();
    for name in &real {
        let family = name.trim_end_matches("_bucket");
        assert!(documented.contains(&family), "{family} is not in the manual");
    }
    for name in documented {
        assert!(real.contains(name) || real.contains(&format!("{name}_bucket")), "{name} is in the manual only");
    }
}

/// The queries of the dashboard, each with its panel's title; of all profiles, over five minutes.
fn queries() -> Vec<(String, String)> {
    queries_of("grafana-dashboard.json")
}

pub(super) fn queries_of(dashboard: &str) -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&asset(dashboard)).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap().replace("$profile", ".*").replace("$__rate_interval", "5m");
            queries.push((panel["title"].as_str().unwrap().to_owned(), query));
        }
    }
    queries
}

/// Runs Prometheus's own tool, if it is there.
pub(super) fn promtool(arguments: &[&str], input: &str) {
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
    promtool(&["test", "rules", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/alert-rules.test.yml")], "");
    for dialect in DIALECTS {
        let mut demo = Measured::demo(dialect, &["--metrics-labels"]);
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

#[test]
fn the_dashboard_shows_messages_of_every_device_of_two_instances() {
    let series = |text: &str, values: &str| serde_json::json!({ "series": text, "values": values });
    let mut input = Vec::new();
    for instance in ["a", "b"] {
        for device in ["listed", "gone", "unsaid"] {
            let labels = format!("instance=\"{instance}\",profile=\"home\",device=\"{device}\"");
            input.push(series(&format!("d2mtop_messages_total{{{labels},kind=\"group_sync\"}}"), "0+60x10"));
            if device == "listed" {
                input.push(series(&format!("d2mtop_device_info{{{labels},platform=\"android\"}}"), "1+0x10"));
            }
        }
    }
    let query = queries().into_iter().find(|(title, _)| title == "Messages by device").unwrap().1;
    // A message a second of each of the two.
    let samples = [
        serde_json::json!({ "labels": "{device=\"listed\",platform=\"android\"}", "value": 2 }),
        serde_json::json!({ "labels": "{device=\"gone\"}", "value": 2 }),
        serde_json::json!({ "labels": "{device=\"unsaid\"}", "value": 2 }),
    ];
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let path = directory.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // A query that can be a rule can be read.
    let rule = |(number, (_, query)): (usize, (String, String))| serde_json::json!({ "record": "shown", "expr": query, "labels": { "number": number.to_string() } });
    let rules: Vec<Value> = queries().into_iter().enumerate().map(rule).collect();
    let rules = write("rules.json", &serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] }));
    promtool(&["check", "rules", "--lint=none", &rules], "");
    let shown = serde_json::json!({ "expr": query, "eval_time": "10m", "exp_samples": samples });
    let test = serde_json::json!({ "interval": "1m", "input_series": input, "promql_expr_test": [shown] });
    let test = write("test.json", &serde_json::json!({ "rule_files": [rules], "tests": [test] }));
    promtool(&["test", "rules", &test], "");
}

/// The same in the older format, which `promtool check metrics` reads: there the suffix is part of a counter's name.
pub(super) fn as_prometheus_text(text: &str) -> String {
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
