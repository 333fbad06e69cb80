//! Whoever runs a mediator: asks it over its control socket, and has several of them share the groups.

mod balanced;
mod control;
mod moving;

use std::path::Path;

use d2mtop::protocol::Dialect;

use crate::listener::client;
use crate::support::program;

/// Exit code and all words of `d2mtop mediator COMMAND` for the mediator of a directory, or at a socket.
fn ask(place: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let (command, rest) = arguments.split_first().unwrap();
    let option = if place.is_dir() { "--data" } else { "--control" };
    let all = [&["mediator", command, option, place.to_str().unwrap()], rest].concat();
    let output = program::run(home.path(), &all);
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

/// What `status --json` says.
fn state(place: &Path) -> serde_json::Value {
    let (code, words) = ask(place, &["status", "--json"]);
    assert_eq!(code, Some(0), "{words}");
    serde_json::from_str(&words).unwrap()
}

/// The secret of a group whose id begins with one of these digits, by a number.
fn secret(dialect: Dialect, digits: &str, number: u64) -> [u8; 32] {
    let mut found = 0;
    for candidate in 0_u64.. {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&candidate.to_le_bytes());
        let id = client::group_id(dialect, secret).to_string();
        if id.starts_with(|digit| digits.contains(digit)) {
            if found == number {
                return secret;
            }
            found += 1;
        }
    }
    unreachable!("there are enough groups")
}
