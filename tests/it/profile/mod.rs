//! `d2mtop profile` and opening profiles, with the real binary and a mediator in a process of its own.

mod editing;
mod keyring;
mod keys;
mod opening;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::program::{KEY, key_file, run};

const CLIENT_KEY: &str = "1a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233343536373839";

fn text(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains(KEY) && !text.contains(CLIENT_KEY), "no key is printed");
    text
}

/// Runs it, and expects this exit code and these words.
fn expect(home: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = run(home, arguments);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?} says {word:?}: {text}");
    }
    text
}

fn add(home: &Path, name: &str, url: &str, more: &[&str]) -> String {
    let key = key_file(home);
    let mut arguments = vec!["profile", "add", name, "--mediator", url, "--server-group", "01"];
    arguments.extend(["--key-file", key.to_str().unwrap()]);
    arguments.extend(more);
    expect(home, &arguments, 0, &["added the profile", name])
}

fn profiles(home: &Path) -> PathBuf {
    home.join(".config/d2mtop/profiles.toml")
}

fn list(home: &Path) -> Vec<Value> {
    let output = run(home, &["profile", "list", "--json"]);
    text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logged_in(output: &Output) -> Value {
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let login = lines.lines().find(|line| line.contains("\"logged_in\""));
    serde_json::from_str(login.unwrap_or_else(|| panic!("no login: {lines}{}", text(output)))).unwrap()
}
