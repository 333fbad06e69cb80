//! How it starts: without a terminal or a profile, with one, and with two.

use d2mtop::protocol::Dialect;

use super::wait_until_live;
use crate::support::phone;
use crate::support::program::{self, Mediator, key_file};
use crate::support::terminal::Terminal;

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let home = tempfile::tempdir().unwrap();
    let output = program::run(home.path(), &["demo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--headless"));
}

#[test]
fn without_a_profile_a_page_offers_the_ways_to_begin_and_starts_the_demo() {
    for (rows, columns, arguments) in [(24, 80, &["--utc"][..]), (50, 160, &["--ascii", "--utc"])] {
        let mut terminal = Terminal::start(arguments, rows, columns, &[]);
        terminal.wait_for("no profile yet");
        for command in ["d2mtop demo", "d2mtop profile import home", "d2mtop profile add home", "--url URL"] {
            terminal.wait_for(command);
        }
        terminal.wait_for("d start the demo");
        terminal.resize(30, 100);
        terminal.wait("the page again", |screen| screen.contents().contains("d2mtop profile add home"));
        terminal.press("d");
        wait_until_live(&mut terminal);
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
        terminal.assert_restored();
    }
}

#[test]
fn the_first_page_ends_by_key_and_by_signal() {
    for end in ["q", "\u{3}", ""] {
        let mut terminal = Terminal::start(&[], 24, 80, &[]);
        terminal.wait_for("q quit");
        if end.is_empty() {
            terminal.signal(rustix::process::Signal::TERM.as_raw());
        } else {
            terminal.press(end);
        }
        assert_eq!(terminal.end().exit_code(), 0, "{end:?}");
        terminal.assert_restored();
    }
}

fn add_profile(home: &std::path::Path, name: &str, mediator: &Mediator) {
    let key = key_file(home);
    let url = mediator.url();
    let arguments = ["profile", "add", name, "--mediator", &url, "--server-group", "01", "--key-file"];
    let added = program::run(home, &[&arguments[..], &[key.to_str().unwrap()]].concat());
    assert_eq!(added.status.code(), Some(0), "{}", String::from_utf8_lossy(&added.stderr));
}

/// A home directory with a profile in it.
fn home_with_profile(mediator: &Mediator) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    add_profile(home.path(), "lab", mediator);
    let path = home.path().to_str().unwrap().to_owned();
    (home, path)
}

#[test]
fn the_default_profile_opens_without_a_word_and_under_its_name() {
    let mediator = Mediator::start(&[]);
    let (_home, path) = home_with_profile(&mediator);
    for _ in ["new", "existing"] {
        let mut terminal = Terminal::start(&["--stay-leader", "--utc"], 24, 80, &[("HOME", &path)]);
        terminal.wait_for("live");
        terminal.wait_for("lab");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
        terminal.assert_restored();
    }
}

#[test]
fn two_profiles_are_two_tabs_and_an_alarm_in_the_other_one_is_marked() {
    let (first, second) = (Mediator::start(&[]), Mediator::start(&[]));
    let (home, path) = home_with_profile(&first);
    add_profile(home.path(), "work", &second);
    let mut terminal = Terminal::start(&["lab", "work", "--stay-leader", "--utc"], 24, 80, &[("HOME", &path)]);
    terminal.wait_for("▸lab ! leading │ work ! leading");
    terminal.wait_for("Devices ─ 1");
    terminal.press("]");
    terminal.wait_for(" lab ! leading │▸work ! leading");
    terminal.wait_for("Devices ─ 1");
    phone::phone_reflects(&second, Dialect::Dgk, 0, "Pixel 9");
    terminal.press("r");
    terminal.wait_for("▸work ! devices changed");
    terminal.wait_for("Pixel 9");
    for key in ["]", "["] {
        terminal.press(key);
        if key == "]" {
            terminal.wait_for("▸lab ! leading │ work ! devices changed");
            terminal.wait("the other group", |screen| !screen.contents().contains("Pixel 9"));
        } else {
            terminal.wait_for(" lab ! leading │▸work ! devices changed");
        }
    }
    terminal.press("n");
    terminal.wait_for(" lab ! leading │▸work ! leading");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
    // Both left in good order: both open again, each with its own slot.
    for name in ["lab", "work"] {
        let again = program::run(home.path(), &["watch", name, "--until-dry"]);
        let again = String::from_utf8(again.stdout).unwrap();
        assert!(again.contains(r#""slot":"existing""#), "{name}: {again}");
    }
}

#[test]
fn a_profile_is_opened_from_the_palette_and_asks_for_its_passphrase() {
    const PASSPHRASE: &str = "under the mat";
    let mediator = Mediator::start(&[]);
    let (home, path) = home_with_profile(&mediator);
    for name in ["work", "safe"] {
        add_profile(home.path(), name, &mediator);
    }
    let moved = ["profile", "move", "safe", "--to", "passphrase-file"];
    let mut terminal = Terminal::start(&moved, 24, 80, &[("HOME", &path)]);
    for question in ["passphrase", "The same again"] {
        terminal.wait_for(question);
        terminal.press(&format!("{PASSPHRASE}\r"));
    }
    assert_eq!(terminal.end().exit_code(), 0, "{}", terminal.contents());

    let mut terminal = Terminal::start(&["lab", "--utc"], 24, 80, &[("HOME", &path)]);
    terminal.wait_for("d2mtop · lab");
    terminal.press(":work profile\r");
    terminal.wait_for("▸work");
    terminal.press(":safe profile\r");
    terminal.wait_for("assphrase");
    assert!(!terminal.screen().alternate_screen(), "it is asked outside of the dashboard");
    terminal.press("wrong\r");
    terminal.wait_for("safe is not opened");
    assert!(terminal.contents().contains("▸work"), "{}", terminal.contents());
    terminal.press(":safe profile\r");
    // Not the question that is still there from before.
    let again =
        |screen: &vt100::Screen| !screen.alternate_screen() && screen.contents().matches("Passphrase").count() > 1;
    terminal.wait("the question again", again);
    terminal.press(&format!("{PASSPHRASE}\r"));
    terminal.wait_for("▸safe");
    // It is open now, and not opened again.
    terminal.press(":work profile\r");
    terminal.wait_for("▸work");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
    assert!(!String::from_utf8_lossy(&terminal.raw).contains(PASSPHRASE), "it is not shown");

    // A signal does not wait for the answer.
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut terminal = Terminal::start(&["lab"], 24, 80, &[("HOME", &path)]);
        terminal.wait_for("d2mtop · lab");
        terminal.press(":safe profile\r");
        terminal.wait("the question", |screen| !screen.alternate_screen() && screen.contents().contains("Passphrase"));
        terminal.press("half of i");
        terminal.signal(signal.as_raw());
        assert_eq!(terminal.end().exit_code(), 0, "{}", terminal.contents());
        terminal.assert_restored();
    }
}

#[test]
fn a_profile_is_removed_only_if_the_answer_is_yes() {
    let mediator = Mediator::start(&[]);
    let (_home, path) = home_with_profile(&mediator);
    for (answer, said, code) in
        [("\n", "nothing removed", 6), ("n\n", "nothing removed", 6), ("y\n", "removed the profile lab", 0)]
    {
        let mut terminal = Terminal::start(&["profile", "remove", "lab"], 24, 80, &[("HOME", &path)]);
        terminal.wait_for("Remove the profile lab");
        terminal.wait_for("[y/N]");
        terminal.press(answer);
        terminal.wait_for(said);
        assert_eq!(terminal.end().exit_code(), code);
    }
}

/// A person needs time to answer the keyring's window; who has not will not wait.
#[test]
fn a_keyring_that_asks_is_waited_for_until_esc() {
    let bus_home = tempfile::tempdir().unwrap();
    let bus = crate::support::silent_bus::silent_bus(bus_home.path());
    let config = bus_home.path().join("d2mtop");
    std::fs::create_dir_all(&config).unwrap();
    let profile = "[profile.lab]\nmediator = \"ws://127.0.0.1:1/\"\nserver_group = \"01\"\nkey = \"keyring\"\n";
    std::fs::write(config.join("profiles.toml"), profile).unwrap();
    let environment =
        [("DBUS_SESSION_BUS_ADDRESS", bus.as_str()), ("XDG_CONFIG_HOME", bus_home.path().to_str().unwrap())];
    let mut terminal = Terminal::start(&["lab"], 24, 80, &environment);
    terminal.wait_for("answer the window of your keyring (Esc gives up)");
    // Other keys begin as Esc does, and mean nothing here.
    terminal.press("\u{1b}[A");
    terminal.press("x");
    terminal.press("\u{1b}");
    let status = terminal.end();
    assert_eq!(status.exit_code(), 2, "{}", terminal.contents());
    assert!(terminal.contents().contains("given up waiting for the keyring"), "{}", terminal.contents());
}
