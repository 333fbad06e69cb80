//! The library without the program: what it is built of, and that it builds so.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// What only the program is made of.
const OF_THE_PROGRAM: [&str; 10] = [
    "clap",
    "crossterm",
    "keyring",
    "libsqlite3-sys",
    "nix",
    "prometheus-client",
    "ratatui",
    "rusqlite",
    "rustix",
    "tracing",
];
/// What the sockets are made of.
const OF_THE_SOCKETS: [&str; 7] = ["http", "hyper", "ring", "rustls", "tokio", "tokio-tungstenite", "tungstenite"];

const MOST_DIRECT: usize = 23;
const MOST_IN_ALL: usize = 95;

/// Runs cargo on this package without its default features, as somebody who depends on it does.
fn cargo(command: &str, arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([command, "--locked", "--offline", "--no-default-features"]);
    let output = cargo.args(arguments).output().expect("cargo starts");
    assert!(output.status.success(), "{command} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Names and versions of all crates that end up in the library, down to this depth.
fn crates(depth: &str, features: &str) -> BTreeSet<String> {
    let tree = ["-e", "normal", "--prefix", "none", "--no-dedupe", "--format", "{p}", "--depth", depth];
    let tree = cargo("tree", &[&tree[..], &["--features", features]].concat());
    let name_and_version = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let crates: BTreeSet<String> = tree.lines().map(name_and_version).collect();
    let own = concat!("d2mtop v", env!("CARGO_PKG_VERSION"));
    assert!(crates.contains(own), "{crates:?}");
    crates.into_iter().filter(|name| name != own).collect()
}

fn assert_without(crates: &BTreeSet<String>, unwanted: &[&str]) {
    for name in unwanted {
        let found = crates.iter().find(|found| found.split(' ').next() == Some(name));
        assert_eq!(found, None, "{name} is not for the library");
    }
}

#[test]
fn the_library_is_made_of_little() {
    let (direct, all) = (crates("1", ""), crates("99", ""));
    assert!(direct.len() <= MOST_DIRECT, "{} direct: {direct:?}", direct.len());
    assert!(all.len() <= MOST_IN_ALL, "{} in all: {all:?}", all.len());
    assert_without(&all, &OF_THE_PROGRAM);
    assert_without(&all, &OF_THE_SOCKETS);

    let with_sockets = crates("99", "net");
    assert_without(&with_sockets, &OF_THE_PROGRAM);
    // The names above are still those of what is used.
    for name in OF_THE_SOCKETS {
        assert!(with_sockets.iter().any(|found| found.split(' ').next() == Some(name)), "{name}: {with_sockets:?}");
    }
}

/// In the directory where everything else is built, so that what is built there already is not built again.
#[test]
fn the_library_builds_without_the_program() {
    let program = Path::new(env!("CARGO_BIN_EXE_d2mtop"));
    let target = program.ancestors().nth(2).unwrap().to_str().unwrap();
    for features in ["", "net"] {
        cargo("check", &["--quiet", "--lib", "--target-dir", target, "--features", features]);
    }
}
