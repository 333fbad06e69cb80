//! `d2mtop lock` with and without a command: exit codes, signals, terminals, and servers that say nothing.

use crate::support::one_shot;
use crate::support::program;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use one_shot::{
    BOTH, MONITOR, Started, by_shell, command, command_at, ends_soon, expect, ignoring, in_terminal, json, mediator,
    other_device, signal,
};
use program::Mediator;
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_command_under_the_lock_keeps_its_exit_code_and_its_input_and_output() {
    for dialect in BOTH {
        let mediator = mediator();
        for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)] {
            expect(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script], code, "");
        }
        let (stdout, _) =
            expect(&mediator, dialect, &["lock", "group-sync", "--", "sh", "-c", "echo data; umask"], 0, "");
        let umask = Command::new("sh").args(["-c", "umask"]).output().unwrap();
        assert_eq!(stdout, format!("data\n{}", String::from_utf8(umask.stdout).unwrap()), "only the command's output");
        expect(
            &mediator,
            dialect,
            &["lock", "contact-sync", "--", "no-such-command"],
            127,
            "cannot run no-such-command",
        );
        expect(&mediator, dialect, &["lock", "contact-sync", "--", "/"], 126, "cannot run /");
        expect(&mediator, dialect, &["lock", "contact-sync", "--read-only", "--", "true"], 2, "read-only");
        expect(&mediator, dialect, &["lock", "no-sync", "--", "true"], 2, "no-sync");
        // Nobody kept it.
        expect(&mediator, dialect, &["lock", "contact-sync", "--wait", "0s", "--", "true"], 0, "");
    }
}

#[test]
fn in_the_foreground_the_terminal_is_the_command_s() {
    for dialect in BOTH {
        let mediator = mediator();
        // Another group than the terminal's could not read from it.
        let script = "trap 'kill $!; exit 9' INT; echo ready; read answer; sleep 1000 & echo \"heard $answer\"; wait";
        let mut terminal = in_terminal(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script]);
        terminal.wait_for("ready");
        terminal.press("you\r");
        terminal.wait_for("heard you");
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 9, "{dialect}: {}", terminal.contents());
        // Nobody kept it.
        expect(&mediator, dialect, &["lock", "contact-sync", "--wait", "0s", "--", "true"], 0, "");
    }
}

#[test]
fn signals_reach_the_command_under_the_lock() {
    for dialect in BOTH {
        let mediator = mediator();
        for (name, number) in [("TERM", Signal::TERM), ("INT", Signal::INT), ("HUP", Signal::HUP)] {
            let script = format!("trap 'kill $!; exit 9' {name}; sleep 1000 >/dev/null 2>&1 & echo ready; wait");
            let arguments = ["lock", "contact-sync", "--", "sh", "-c", &script];
            let locked = Started::new(command(&mediator, dialect, &arguments));
            locked.wait_for("ready");
            signal(&locked.child, number);
            let (code, rest) = locked.end();
            assert_eq!(code, Some(9), "{dialect}, {name}: {rest}");
        }
    }
}

#[test]
fn a_lost_lock_ends_the_command() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--max-ttl", "1s", "--max-slots", "64"]);
        let sleeping = ["lock", "contact-sync", "--", "sh", "-c", "echo ready; exec sleep 1000"];
        let locked = Started::new(command(&mediator, dialect, &sleeping));
        locked.wait_for("ready");
        let (code, rest) = locked.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("4011") && rest.contains("longer than the mediator allows"), "{dialect}: {rest}");
    }
}

/// The mediator says nothing any more, and could have given the lock to another device long ago.
#[test]
fn behind_a_silent_network_the_command_is_gone_when_the_lease_is() {
    for dialect in BOTH {
        for heeds in [true, false] {
            let mediator = mediator();
            let heed = if heeds { "" } else { "trap '' TERM; " };
            let script = format!("{heed}echo ready; while :; do sleep 0.05; done");
            let arguments = ["lock", "contact-sync", "--ttl", "4s", "--", "sh", "-c", &script];
            let started = Instant::now();
            let locked = Started::new(command(&mediator, dialect, &arguments));
            locked.wait_for("ready");
            kill_process(mediator.process(), Signal::STOP).unwrap();
            let (code, rest) = locked.end();
            // The goodbye takes a moment; the command itself is told of the end after 3.2 s, and is gone after 3.6.
            assert!(started.elapsed() < Duration::from_secs(15), "{dialect}: {:?}", started.elapsed());
            assert_eq!(code, Some(125), "{dialect}: {rest}");
            assert!(rest.contains("the time of the lock is over"), "{dialect}: {rest}");
        }
    }
}

#[test]
fn a_lock_that_was_stopped_beyond_its_time_ends_the_command_on_waking() {
    for dialect in BOTH {
        let mediator = mediator();
        let arguments = ["lock", "contact-sync", "--ttl", "2s", "--", "sh", "-c", "echo ready; exec sleep 1000"];
        let mut locking = command(&mediator, dialect, &arguments);
        locking.process_group(0);
        let locked = Started::new(locking);
        locked.wait_for("ready");
        let process = Pid::from_child(&locked.child);
        kill_process(process, Signal::STOP).unwrap();
        // In dgk the mediator frees it by itself; where it does not, we have to wait as long.
        let (_speaker, nobody) = std::sync::mpsc::channel::<()>();
        nobody.recv_timeout(Duration::from_millis(2_500)).unwrap_err();
        kill_process(process, Signal::CONT).unwrap();
        let (code, rest) = locked.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
    }
}

#[test]
fn what_the_lock_is_sent_the_command_gets() {
    for dialect in BOTH {
        let mediator = mediator();
        for (name, number) in [
            ("QUIT", Signal::QUIT),
            ("USR1", Signal::USR1),
            ("USR2", Signal::USR2),
            ("ALRM", Signal::ALARM),
            ("CONT", Signal::CONT),
            ("WINCH", Signal::WINCH),
        ] {
            let script = format!("trap 'kill $!; exit 9' {name}; sleep 1000 >/dev/null 2>&1 & echo ready; wait");
            let arguments = ["lock", "contact-sync", "--", "sh", "-c", &script];
            let mut locking = command(&mediator, dialect, &arguments);
            locking.process_group(0);
            let locked = Started::new(locking);
            locked.wait_for("ready");
            signal(&locked.child, number);
            let (code, rest) = locked.end();
            assert_eq!(code, Some(9), "{dialect}, {name}: {rest}");
        }
        // Without a command, nobody holds it on.
        for (number, code) in [(Signal::USR1, 138), (Signal::ALARM, 142)] {
            let held = Started::new(command(&mediator, dialect, &["lock", "contact-sync"]));
            held.wait_for("is held");
            signal(&held.child, number);
            assert_eq!(held.end().0, Some(code), "{dialect}");
            expect(&mediator, dialect, &["lock", "contact-sync", "--wait", "0s", "--", "true"], 0, "");
        }
    }
}

#[test]
fn a_mediator_that_is_down_is_tried_until_waiting_is_over() {
    for dialect in BOTH {
        let mediator = mediator();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("ws://{free}/");
        for (wait, code) in [(None, 4), (Some("0s"), 124), (Some("1s"), 124)] {
            let waiting = wait.map(|wait| ["--wait", wait]);
            let arguments = [&["lock", "contact-sync"][..], waiting.as_ref().map_or(&[], |words| &words[..])].concat();
            let locking = Started::new(command_at(&mediator, &url, dialect, &arguments));
            let (ended, rest) = locking.end();
            assert_eq!(ended, Some(code), "{dialect}, {wait:?}: {rest}");
        }
    }
}

/// A script's variable was empty, as may be: holding the lock until somebody interrupts it is not what it wanted.
#[test]
fn an_empty_command_takes_no_lock() {
    for dialect in BOTH {
        let mediator = mediator();
        let mut lock = command(&mediator, dialect, &["lock", "contact-sync"]);
        let refused = lock.arg("--").output().unwrap();
        let words = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{dialect}: {words}");
        assert!(words.contains("no command after --"), "{dialect}: {words}");
    }
}

#[test]
fn a_lock_is_held_for_no_longer_than_asked_for() {
    for dialect in BOTH {
        let mediator = mediator();
        expect(&mediator, dialect, &["lock", "contact-sync", "--ttl", "1ms"], 2, "a second or more");
        for ttl in ["1900ms", "1s 1ns", "2m 500ms"] {
            expect(&mediator, dialect, &["lock", "contact-sync", "--ttl", ttl], 2, "whole seconds");
        }
        let lock = ["lock", "contact-sync", "--ttl", "1s"];
        let held = Started::new(command(&mediator, dialect, &lock));
        held.wait_for("CONTACT_SYNC is held");
        held.wait_for("CONTACT_SYNC is released");
        let (code, rest) = held.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("the lock was lost: its time (--ttl"), "{dialect}: {rest}");
        let sleeping = [&lock[..], &["--", "sh", "-c", "echo ready; exec sleep 1000"]].concat();
        let locked = Started::new(command(&mediator, dialect, &sleeping));
        locked.wait_for("ready");
        assert_eq!(locked.end().0, Some(125), "{dialect}: the command is ended");
    }
}

#[test]
fn a_command_ends_with_all_that_it_started_when_the_mediator_is_gone() {
    for dialect in BOTH {
        let mediator = mediator();
        // Whoever outlives it keeps our end of the pipe from its end.
        let script = "sleep 1000 & echo ready; wait";
        let mut locking = command(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script]);
        // Not in the foreground, even if the tests are.
        locking.process_group(0);
        let locked = Started::new(locking);
        locked.wait_for("ready");
        kill_process(mediator.process(), Signal::KILL).unwrap();
        let (code, rest) = locked.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("the lock was lost"), "{dialect}: {rest}");
    }
}

#[test]
fn a_second_holder_waits_as_long_as_it_wants_to() {
    for dialect in BOTH {
        let mediator = mediator();
        let hold = ["lock", "contact-sync", "--json", "--device-id", MONITOR];
        let first = Started::new(command(&mediator, dialect, &hold));
        first.wait_for("lock_acquired");
        for wait in ["0s", "300ms"] {
            let arguments = ["lock", "group-sync", "--wait", wait, "--", "echo", "ran"];
            let (stdout, stderr) = expect(&mediator, dialect, &arguments, 124, "CONTACT_SYNC");
            assert!(stdout.is_empty() && stderr.contains(MONITOR), "the holder is named: {stderr}");
        }
        // The same device a second time would cut the first one off.
        for second in [&["devices"][..], &["watch"], &["proxy", "--listen", "127.0.0.1:0"]] {
            let arguments = [second, &["--device-id", MONITOR]].concat();
            expect(&mediator, dialect, &arguments, 7, "quit that one first");
        }
        let arguments = ["lock", "group-sync", "--", "echo", "ran"];
        let second = Started::new(command(&mediator, dialect, &arguments));
        second.wait_for_remark("waiting");
        signal(&first.child, Signal::INT);
        let (code, lines, _) = first.ended();
        assert!(json(&lines).iter().any(|line| line["event"] == "lock_released"), "{dialect}: {lines}");
        assert_eq!(code, Some(0), "{dialect}: interrupted as asked");
        let (code, rest) = second.end();
        assert_eq!((code, rest.contains("ran")), (Some(0), true), "{dialect}: {rest}");
    }
}

#[test]
fn waiting_for_the_lock_can_be_interrupted() {
    for dialect in BOTH {
        let mediator = mediator();
        let first = Started::new(command(&mediator, dialect, &["lock", "contact-sync", "--device-id", MONITOR]));
        first.wait_for("is held");
        let second = Started::new(command(&mediator, dialect, &["lock", "group-sync", "--", "echo", "ran"]));
        second.wait_for_remark("waiting");
        signal(&second.child, Signal::TERM);
        let (code, rest) = second.end();
        assert_eq!((code, rest.contains("ran")), (Some(143), false), "{dialect}: {rest}");
        signal(&first.child, Signal::TERM);
        assert_eq!(first.end().0, Some(0), "{dialect}");
    }
}

#[test]
fn a_lock_that_waits_for_a_server_that_says_nothing_can_be_interrupted() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", silent.local_addr().unwrap());
    for dialect in BOTH {
        let mediator = mediator();
        let mut locking = Started::new(command_at(&mediator, &url, dialect, &["lock", "contact-sync"]));
        let _connection = silent.accept().unwrap();
        signal(&locking.child, Signal::TERM);
        assert_eq!(ends_soon(&mut locking.child), Some(143), "{dialect}: before the login");
        let mut held = Started::new(command(&mediator, dialect, &["lock", "contact-sync"]));
        held.wait_for("is held");
        kill_process(mediator.process(), Signal::STOP).unwrap();
        signal(&held.child, Signal::TERM);
        assert_eq!(ends_soon(&mut held.child), Some(125), "{dialect}: the commit is not confirmed");
    }
}

#[test]
fn another_signal_ends_the_lock_at_once() {
    for dialect in BOTH {
        let mediator = mediator();
        let mut held = Started::new(command(&mediator, dialect, &["lock", "contact-sync"]));
        held.wait_for("is held");
        kill_process(mediator.process(), Signal::STOP).unwrap();
        // One that comes before the one before it was noticed is none.
        while held.child.try_wait().unwrap().is_none() {
            let _ = kill_process(Pid::from_child(&held.child), Signal::INT);
        }
        let (code, _, words) = held.ended();
        assert_eq!(code, Some(130), "{dialect}: {words}");
        assert!(words.contains("without waiting"), "{dialect}: {words}");
    }
}

#[test]
fn what_was_ignored_at_the_start_stays_ignored_also_by_the_command() {
    for dialect in BOTH {
        let mediator = mediator();
        for (name, number) in [("HUP", Signal::HUP), ("INT", Signal::INT), ("QUIT", Signal::QUIT)] {
            let holding = command(&mediator, dialect, &["lock", "contact-sync"]);
            let held = Started::new(ignoring(name, &holding));
            held.wait_for("is held");
            signal(&held.child, number);
            expect(&mediator, dialect, &["lock", "group-sync", "--wait", "0s", "--", "true"], 124, "is held by");
            signal(&held.child, Signal::TERM);
            assert_eq!(held.end().0, Some(0), "{dialect}, {name}: SIGTERM still ends it");
            let script = format!("kill -{name} $$; echo survived");
            let running = command(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", &script]);
            let (code, rest) = Started::new(ignoring(name, &running)).end();
            assert_eq!((code, rest.contains("survived")), (Some(0), true), "{dialect}, {name}: {rest}");
        }
    }
}

#[test]
fn a_watch_outlives_the_terminal_that_nohup_took_it_from() {
    for dialect in BOTH {
        let mediator = mediator();
        let watching = Started::new(ignoring("HUP", &command(&mediator, dialect, &["watch", "--stay-leader"])));
        watching.wait_for("queue_dry");
        signal(&watching.child, Signal::HUP);
        other_device(&mediator, dialect, MONITOR, "Work laptop");
        signal(&watching.child, Signal::TERM);
        let (code, rest) = watching.end();
        assert_eq!(code, Some(0), "{dialect}: {rest}");
        assert!(!rest.contains("reload"), "{dialect}: not even the profile is read anew: {rest}");
    }
}

#[test]
fn a_passphrase_s_descriptor_is_not_the_command_s() {
    for dialect in BOTH {
        let mediator = mediator();
        let passphrase = mediator.home.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse\n").unwrap();
        let lock = ["lock", "contact-sync", "--passphrase-fd", "3", "--", "sh", "-c", "cat <&3; echo ended"];
        let locking = command(&mediator, dialect, &lock);
        let (_, rest) = Started::new(by_shell("exec \"$@\" 3<\"$HOME/passphrase\"", &locking)).end();
        assert!(!rest.contains("horse"), "{dialect}: {rest}");
        assert!(rest.contains('3'), "{dialect}: the shell says that there is none: {rest}");
    }
}
