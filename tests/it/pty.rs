//! The real binary in a real terminal: start, keys, quit, signals, panic, resize, both dialects.

use crate::support::hostile;
use crate::support::phone;
use crate::support::program;
use crate::support::terminal;
use std::io::Read as _;
use std::time::Duration;

use d2mtop::protocol::Dialect;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use program::{Mediator, key_file};
use terminal::Terminal;

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

const DIALECTS: [&str; 2] = ["dgk", "mk"];

fn demo(dialect: &str, rows: u16, columns: u16) -> Terminal {
    Terminal::start(&["demo", "--dialect", dialect, "--rate", "20", "--utc"], rows, columns, &[])
}

fn wait_until_live(terminal: &mut Terminal) {
    terminal.wait_for("live");
    terminal.wait_for("Pixel 9");
}

#[test]
fn the_demo_moves_every_pane_at_both_sizes_in_both_dialects() {
    for dialect in DIALECTS {
        for (rows, columns) in [(24, 80), (50, 160)] {
            let mut terminal = demo(dialect, rows, columns);
            wait_until_live(&mut terminal);
            for pane in ["Devices", "Lock", "Role", "Feed", "Latency"] {
                terminal.wait_for(pane);
            }
            terminal.wait_for("follower");
            terminal.wait_for("text");
            terminal.wait_for("SYNC");
            terminal.wait_for("msg/s");
            terminal.press("q");
            assert_eq!(terminal.end().exit_code(), 0, "{dialect} at {columns}x{rows}");
            terminal.assert_restored();
        }
    }
}

#[test]
fn a_device_is_dropped_from_the_keyboard_and_cancel_is_the_default() {
    for dialect in DIALECTS {
        let mut terminal = demo(dialect, 30, 100);
        wait_until_live(&mut terminal);
        terminal.wait_for("Devices ─ 5");
        // The last in the list: own device comes first.
        terminal.press("G");
        terminal.press("D");
        terminal.wait_for("Cancel");
        terminal.press("\r");
        terminal.wait("the dialog to close", |screen| !screen.contents().contains("Cancel"));
        terminal.press("D");
        terminal.wait_for("Cancel");
        terminal.press("\t\r");
        terminal.wait_for("Devices ─ 4");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn the_lock_is_taken_and_released_from_the_keyboard() {
    for dialect in DIALECTS {
        let mut terminal = demo(dialect, 30, 100);
        wait_until_live(&mut terminal);
        terminal.press("L");
        terminal.wait_for("CONTACT_SYNC");
        terminal.press("j\r");
        terminal.wait("the lock to be ours", |screen| screen.contents().contains("Lock ─ ours"));
        terminal.press("L");
        terminal.wait_for("Cancel");
        terminal.press("\t\r");
        terminal.wait("the lock to be released", |screen| !screen.contents().contains("Lock ─ ours"));
        terminal.wait_for("✓ the lock is released");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

#[test]
fn keys_that_make_no_sense_do_nothing() {
    let mut terminal = demo("dgk", 24, 80);
    wait_until_live(&mut terminal);
    terminal.press("\u{1b}[99~\u{1b}[1;5Zxyz!@%&*()\u{7f}\u{1b}OP\u{1b}[200~D\rL\r\u{1b}[201~");
    terminal.press("?");
    terminal.wait_for("Keys");
    terminal.press("\u{1b}");
    terminal.wait("the help to close", |screen| !screen.contents().contains("quit at once"));
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_filter_is_typed_and_taken_back_and_a_search_found() {
    for dialect in DIALECTS {
        let mut terminal = demo(dialect, 30, 100);
        wait_until_live(&mut terminal);
        terminal.press("4/nothing-of-this-name");
        terminal.wait_for("no row fits the filter");
        terminal.press("\u{1}\u{b}kind:text");
        terminal.wait_for("filter: kind:text");
        terminal.wait("texts alone", |screen| {
            let contents = screen.contents();
            contents.contains("text from") && !contents.contains("no row fits")
        });
        terminal.press("\u{1b}");
        terminal.wait("all rows again", |screen| !screen.contents().contains("filter: "));
        terminal.press("/size>lots\r");
        terminal.wait_for("is not a size");
        // Escape and what follows at once would be one key with Alt.
        terminal.press("\u{1b}");
        terminal.wait("the line to close", |screen| !screen.contents().contains("is not a size"));
        terminal.press("ftext\rnN@!%");
        terminal.wait_for("find: text");
        terminal.press("q");
        assert_eq!(terminal.end().exit_code(), 0, "{dialect}");
        terminal.assert_restored();
    }
}

#[test]
fn every_way_to_end_gives_the_terminal_back() {
    type End = fn(&mut Terminal);
    let ends: [(&str, End); 5] = [
        ("q", |terminal| terminal.press("q")),
        ("Ctrl-C", |terminal| terminal.press("\u{3}")),
        ("SIGTERM", |terminal| terminal.signal(15)),
        ("SIGINT", |terminal| terminal.signal(2)),
        ("SIGHUP", |terminal| terminal.signal(1)),
    ];
    for (name, end) in ends {
        let mut terminal = demo("dgk", 24, 80);
        wait_until_live(&mut terminal);
        end(&mut terminal);
        let status = terminal.end();
        assert_eq!(status.exit_code(), 0, "{name}: {status:?}");
        terminal.assert_restored();
    }
}

#[test]
fn a_terminal_that_is_closed_ends_what_runs_in_it() {
    for arguments in [&["demo"][..], &["demo", "--headless", "--only", "logged_in"]] {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_d2mtop"));
        command.args(arguments);
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        let mut child = pty.slave.spawn_command(command).unwrap();
        let mut first = [0; 64];
        assert!(pty.master.try_clone_reader().unwrap().read(&mut first).unwrap() > 0, "{arguments:?}: it has begun");
        drop(pty);
        let (sender, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait()));
        let ended = ended.recv_timeout(PATIENCE);
        assert!(matches!(ended, Ok(Ok(_))), "{arguments:?} goes on without a terminal: {ended:?}");
    }
}

#[test]
fn a_panic_in_any_thread_gives_the_terminal_back_and_says_so() {
    for thread in ["main", "session"] {
        let mut terminal = Terminal::start(&["demo", "--utc"], 24, 80, &[("D2MTOP_PANIC_IN", thread)]);
        let status = terminal.end();
        assert_eq!(status.exit_code(), 101, "{thread}");
        terminal.assert_restored();
        assert!(terminal.contents().contains("panicked"), "{thread}: {}", terminal.contents());
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let mut terminal = demo("dgk", 24, 80);
    wait_until_live(&mut terminal);
    terminal.press("\u{1a}");
    terminal.wait("the alternate screen to be left", |screen| !screen.alternate_screen());
    let process = rustix::process::Pid::from_raw(i32::try_from(terminal.process()).unwrap()).unwrap();
    // The state follows the last byte by a moment; the kernel tells when.
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().chars().next().unwrap()
    };
    while state() != 'T' {
        std::thread::yield_now();
    }
    terminal.assert_restored();
    terminal.signal(18);
    terminal.wait("the dashboard to come back", |screen| {
        screen.alternate_screen() && screen.contents().contains("Devices")
    });
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn any_size_is_survived() {
    let mut terminal = demo("dgk", 24, 80);
    wait_until_live(&mut terminal);
    for (rows, columns) in [(1, 1), (2, 3), (1, 300), (100, 1), (9, 39), (8, 32)] {
        terminal.resize(rows, columns);
        terminal.press("jD\rL?\r+");
    }
    terminal.resize(8, 32);
    terminal.wait_for("40x10");
    terminal.resize(100, 300);
    terminal.wait_for("Devices");
    terminal.wait_for("Feed");
    terminal.resize(24, 80);
    terminal.wait_for("Feed");
    // Whatever is open by now.
    terminal.press("\u{3}");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn ascii_and_no_colour_are_honoured() {
    let mut terminal = Terminal::start(&["demo", "--ascii", "--utc", "--rate", "20"], 24, 80, &[("NO_COLOR", "1")]);
    wait_until_live(&mut terminal);
    terminal.wait_for("text");
    assert!(terminal.contents().is_ascii(), "{}", terminal.contents());
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    let coloured = raw.split("\u{1b}[").skip(1).filter_map(|sequence| sequence.split_once('m')).any(|(codes, _)| {
        codes.split(';').all(|code| code.parse::<u8>().is_ok())
            && codes.split(';').any(|code| matches!(code.parse::<u8>(), Ok(30..=38 | 40..=48 | 90..=107)))
    });
    assert!(!coloured, "no colour was asked for");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

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
    terminal.wait_for("the server went away");
    terminal.wait_for("back in");
    terminal.press("c");
    terminal.wait_for("no connection");
    terminal.wait_for("nobody listens there");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn hostile_text_changes_nothing_but_its_cells() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let key = key_file(mediator.home.path());
        let url = mediator.url();
        let name = dialect.to_string();
        let arguments =
            ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &name, "--stay-leader", "--utc"];
        let mut terminal = Terminal::start(&arguments, 50, 160, &[]);
        terminal.wait_for("live");
        hostile::visit(&mediator, dialect);
        terminal.press("r");
        terminal.wait_for("^[[2J^[]52");
        // A nickname, which its owner chose, has a tilde; a name out of the contacts has none.
        terminal.wait_for(match dialect {
            Dialect::Mk => "text from ~^[[2J",
            Dialect::Dgk => "text from ^[[2J",
        });
        // Through every place that shows it: the details of the row and of the device, the drop dialog.
        terminal.press("4\r");
        terminal.wait_for("Reflected message");
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 0);
        let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
        hostile::assert_harmless(&raw, "the terminal");
        terminal.assert_restored();
    }
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

#[test]
fn escape_and_a_key_in_one_read_are_both_heard() {
    let mut terminal = Terminal::start(&["demo", "--utc"], 24, 80, &[]);
    wait_until_live(&mut terminal);
    terminal.press("L");
    terminal.wait_for("Take the lock");
    terminal.press("\u{1b}?");
    terminal.wait("the dialog closed and the help open", |screen| {
        screen.contents().contains("Keys") && !screen.contents().contains("Take the lock")
    });
    terminal.press("\u{1b}/");
    terminal.wait_for("filter:");
    terminal.press("kind\u{1b}q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_dumb_terminal_gets_ascii_and_a_free_port_is_told() {
    let arguments = ["demo", "--utc", "--metrics", "127.0.0.1:0"];
    let mut terminal = Terminal::start(&arguments, 50, 160, &[("TERM", "dumb")]);
    terminal.wait_for("! metrics: http://127.0.0.1:");
    terminal.wait_for("* live");
    terminal.press("3+");
    terminal.wait("the role with the port", |screen| {
        let text = screen.contents();
        text.contains("3 Role") && text.contains(" metrics: http://127.0.0.1:") && !text.contains(":0/metrics")
    });
    assert!(terminal.contents().is_ascii(), "{}", terminal.contents());
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
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
fn a_profile_is_removed_only_if_the_answer_is_yes() {
    let mediator = Mediator::start(&[]);
    let (_home, path) = home_with_profile(&mediator);
    for (answer, said) in [("\n", "nothing removed"), ("n\n", "nothing removed"), ("y\n", "removed the profile lab")] {
        let mut terminal = Terminal::start(&["profile", "remove", "lab"], 24, 80, &[("HOME", &path)]);
        terminal.wait_for("Remove the profile lab");
        terminal.wait_for("[y/N]");
        terminal.press(answer);
        terminal.wait_for(said);
        assert_eq!(terminal.end().exit_code(), 0);
    }
}
