//! Every way to end or stop, and the terminal after it.

use std::io::Read as _;
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::{demo, wait_until_live};
use crate::support::terminal::Terminal;

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

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

/// Runs it until it has written something, and closes its terminal then.
fn assert_ends_with_its_terminal(command: CommandBuilder, arguments: &[&str]) {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut child = pty.slave.spawn_command(command).unwrap();
    let mut first = [0; 64];
    assert!(pty.master.try_clone_reader().unwrap().read(&mut first).unwrap() > 0, "{arguments:?}: it has begun");
    drop(pty);
    let (sender, ended) = std::sync::mpsc::channel();
    let mut killer = child.clone_killer();
    std::thread::spawn(move || sender.send(child.wait()));
    let ended = ended.recv_timeout(PATIENCE);
    let _ = killer.kill();
    assert!(matches!(ended, Ok(Ok(_))), "{arguments:?} goes on without a terminal: {ended:?}");
}

#[test]
fn a_terminal_that_is_closed_ends_what_runs_in_it() {
    for arguments in [&["demo"][..], &["demo", "--headless", "--only", "logged_in"]] {
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_d2mtop"));
        command.args(arguments);
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        assert_ends_with_its_terminal(command, arguments);
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

/// As under nohup, or a parent that ignores SIGHUP: then only the terminal itself says that it is gone.
#[test]
fn a_terminal_that_is_gone_ends_the_dashboard_also_where_hangups_are_ignored() {
    // The demo, and the page that the first run shows.
    for arguments in [&["demo"][..], &[]] {
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_d2mtop")]);
        command.args(arguments);
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        assert_ends_with_its_terminal(command, arguments);
    }
}
