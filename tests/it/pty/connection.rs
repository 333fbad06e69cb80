//! The connection, and the group, as the dashboard tells of them.

use super::DIALECTS;
use crate::support::program::{self, Mediator, key_file};
use crate::support::terminal::Terminal;

#[test]
fn the_server_being_pulled_away_is_said_with_what_comes_next() {
    let mut mediator = Mediator::start(&[]);
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let arguments = ["--url", &url, "--key-file", key.to_str().unwrap(), "--stay-leader", "--utc"];
    let mut terminal = Terminal::start(&arguments, 24, 80, &[]);
    terminal.wait_for("live");
    rustix::process::kill_process(mediator.process(), rustix::process::Signal::KILL).unwrap();
    mediator.wait();
    terminal.wait_for("the mediator went away");
    terminal.wait_for("back in");
    terminal.press("c");
    terminal.wait_for("no connection");
    terminal.wait_for("nobody listens there");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn alone_it_gives_the_leader_role_up_and_says_when_it_is_back() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let key = key_file(mediator.home.path());
        let url = mediator.url();
        let arguments = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect, "--utc"];
        let mut terminal = Terminal::start(&arguments, 24, 80, &[]);
        terminal.wait_for("left so as not to lead");
        terminal.wait_for("Devices ─ 1");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

/// This device's, as the profile has it.
fn own_id(home: &std::path::Path) -> String {
    let profiles = std::fs::read_to_string(home.join(".config/d2mtop/profiles.toml")).unwrap();
    let line = profiles.lines().find_map(|line| line.strip_prefix("device_id = ")).expect("the profile has an id");
    line.trim_matches('"').to_owned()
}

#[test]
fn a_group_that_was_left_from_the_dashboard_is_joined_anew_by_its_next_start_and_by_who_says_so() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = tempfile::tempdir().unwrap();
        let (key, url) = (key_file(home.path()), mediator.url());
        let add = ["profile", "add", "lab", "--mediator", &url, "--dialect", dialect, "--slot", "persistent"];
        let added = program::run(home.path(), &[&add[..], &["--key-file", key.to_str().unwrap()]].concat());
        assert_eq!(added.status.code(), Some(0), "{}", String::from_utf8_lossy(&added.stderr));
        let environment = [("HOME", home.path().to_str().unwrap())];
        let mut terminal = Terminal::start(&["lab", "--stay-leader", "--utc"], 24, 80, &environment);
        terminal.wait_for("Devices ─ 1");
        terminal.press("D");
        terminal.wait_for("Leave the group");
        terminal.press("\t\r");
        terminal.wait_for("left the group at");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
        let watch = ["watch", "lab", "--stay-leader", "--until-dry"];
        let unasked = program::run(home.path(), &watch);
        assert_eq!(unasked.status.code(), Some(3), "{dialect}: a machine may have started it");
        let asked = program::run(home.path(), &[&watch[..], &["--expect", "new"]].concat());
        let told = String::from_utf8(asked.stdout).unwrap();
        assert!(told.contains(r#""slot":"new""#) && !told.contains("4115"), "{dialect}: {told}");
        // It leaves once more, and somebody opens the dashboard.
        let left = program::run(home.path(), &["drop", "--self", "--yes", "-p", "lab", &own_id(home.path())]);
        assert_eq!(left.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&left.stderr));
        let unasked = program::run(home.path(), &watch);
        assert_eq!(unasked.status.code(), Some(3), "{dialect}: that was to leave, too");
        let state = home.path().join(".local/state/d2mtop/profiles/lab");
        assert!(state.join("journal.sqlite").exists(), "{dialect}: what was received before is kept");
        let mut terminal = Terminal::start(&["lab", "--stay-leader", "--utc"], 24, 80, &environment);
        terminal.wait_for("Devices ─ 1");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}
