//! The one-shot commands, as scripts and people use them: real processes, a real mediator, exit codes.

mod devices;
mod drop;
mod probe;
mod readers;

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use d2mtop::protocol::Dialect;
use rustix::process::{Signal, kill_process};

use crate::support::one_shot::{BOTH, MONITOR, command_at, expect, json, mediator, other_device, signal};
use crate::support::phone::phone_reflects;
use crate::support::program::{self, Mediator, key_file};

#[test]
fn no_visit_swallows_a_message() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, MONITOR, "monitor");
        phone_reflects(&mediator, dialect, 3, "Pixel 9");
        other_device(&mediator, dialect, "aa00000000000000", "old");
        let visits: [&[&str]; 6] = [
            &["devices"],
            &["drop", "old", "--yes"],
            &["lock", "contact-sync", "--", "true"],
            &["shared-data", "show"],
            &["probe", "-c", "2", "-i", "10ms"],
            &["devices", "--wide"],
        ];
        for visit in visits {
            let own = ["--device-id", MONITOR, "--persistent", "--expect", "existing"];
            let split = visit.iter().position(|argument| *argument == "--").unwrap_or(visit.len());
            let arguments = [&visit[..split], &own, &visit[split..]].concat();
            expect(&mediator, dialect, &arguments, 0, "");
        }
        let watch = ["watch", "--until-dry", "--persistent", "--expect", "existing", "--device-id", MONITOR];
        let lines = json(&expect(&mediator, dialect, &watch, 0, "").0);
        let received = lines.iter().filter(|line| line["event"] == "reflected").count();
        assert_eq!(received, 3, "{dialect}: what waited waits still");
    }
}

#[test]
fn a_profile_is_named_by_itself_or_by_an_option() {
    for dialect in BOTH {
        let mediator = mediator();
        let (home, key, url) = (mediator.home.path(), key_file(mediator.home.path()), mediator.url());
        let dialect = dialect.to_string();
        let mut add = vec!["profile", "add", "home", "--mediator", &url, "--server-group", "01"];
        add.extend(["--dialect", &dialect, "--key-file", key.to_str().unwrap()]);
        assert_eq!(program::run(home, &add).status.code(), Some(0));
        for option in ["-p", "--profile"] {
            assert_eq!(program::run(home, &["devices", option, "home"]).status.code(), Some(0), "{dialect}");
        }
        let commands = ["watch", "proxy", "devices", "probe", "doctor", "history", "shared-data show"];
        for command in commands {
            let command: Vec<&str> = command.split(' ').collect();
            let stderr = |more: &[&str]| {
                let output = program::run(home, &[&command[..], more].concat());
                assert_eq!(output.status.code(), Some(2), "{command:?} {more:?}");
                String::from_utf8(output.stderr).unwrap()
            };
            let words = stderr(&["-p", "nobody"]);
            assert!(words.contains("nobody"), "{command:?}: {words}");
            let words = stderr(&["home", "-p", "home"]);
            assert!(words.contains("cannot be used with"), "{command:?}: {words}");
        }
    }
}

#[test]
fn shared_data_is_set_and_the_next_login_is_given_it() {
    let mediator = mediator();
    expect(&mediator, Dialect::Dgk, &["shared-data", "show"], 0, "no shared data");
    expect(&mediator, Dialect::Dgk, &["shared-data", "set", "--version", "3"], 6, "--yes");
    expect(&mediator, Dialect::Dgk, &["shared-data", "set", "--version", "3", "--yes", "--read-only"], 2, "read-only");
    expect(&mediator, Dialect::Dgk, &["shared-data", "show"], 0, "no shared data");
    expect(&mediator, Dialect::Dgk, &["shared-data", "set", "--version", "3", "--yes"], 0, "version 3");
    let (shown, _) = expect(&mediator, Dialect::Dgk, &["shared-data", "show", "--json"], 0, "");
    assert_eq!((&json(&shown)[0]["event"], &json(&shown)[0]["version"]), (&"shared_device_data".into(), &3.into()));
    // The first specification has another kind of data, and no version in it.
    expect(&mediator, Dialect::Mk, &["shared-data", "show"], 0, "no shared data");
    expect(&mediator, Dialect::Mk, &["shared-data", "set", "--version", "3", "--yes"], 2, "no version");
}

/// As a shell has it: 128 and the signal's number, unless the command goes on until it is interrupted.
#[test]
fn a_signal_ends_with_the_code_that_is_documented() {
    // It takes the connection, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", silent.local_addr().unwrap());
    let mediator = mediator();
    for dialect in BOTH {
        for (arguments, code) in [
            (&["devices"][..], None),
            (&["drop", "--yes", "x"], None),
            (&["shared-data", "show"], None),
            (&["doctor"], None),
            (&["lock", "contact-sync"], Some([129, 130, 131, 143])),
            (&["probe"], Some([4; 4])),
            (&["devices", "--watch-changes"], Some([0; 4])),
            (&["watch"], Some([0; 4])),
        ] {
            for (at, name) in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM].into_iter().enumerate() {
                // Without a terminal that is a word to read the settings anew.
                if arguments == ["watch"] && name == Signal::HUP {
                    continue;
                }
                let mut child = command_at(&mediator, &url, dialect, arguments);
                let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                let (mut connection, _) = silent.accept().unwrap();
                connection.read_exact(&mut [0]).unwrap();
                signal(&child, name);
                let status = child.wait().unwrap();
                let all = format!("{dialect}, {arguments:?}, {name:?}: {status}");
                match code {
                    None => assert_eq!(status.signal(), Some(name.as_raw()), "{all}"),
                    Some(codes) => assert_eq!(status.code(), Some(codes[at]), "{all}"),
                }
            }
        }
    }
}

#[test]
fn a_login_that_fails_is_told_with_the_code_of_its_kind() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--max-slots", "1"]);
        other_device(&mediator, dialect, MONITOR, "the only one");
        let commands: [&[&str]; 5] = [
            &["devices"],
            &["drop", "--yes", "x"],
            &["lock", "contact-sync"],
            &["shared-data", "show"],
            &["probe", "-c", "1"],
        ];
        for arguments in commands {
            let (stdout, _) = expect(&mediator, dialect, arguments, 3, "all device slots are taken");
            assert!(stdout.is_empty(), "only data is written to standard output: {stdout}");
        }
        kill_process(mediator.process(), Signal::KILL).unwrap();
        for arguments in commands {
            expect(&mediator, dialect, arguments, 4, "127.0.0.1");
        }
    }
}

/// They would fill the group, and lock other devices out, if each were a device of its own.
#[test]
fn commands_without_a_profile_come_back_as_one_device_and_take_turns() {
    for dialect in BOTH {
        // Room for the phone, for those that are over in a moment, and for one that stays.
        let mediator = Mediator::start(&["--max-slots", "3"]);
        other_device(&mediator, dialect, MONITOR, "phone");
        let all: Vec<_> = (0..20)
            .map(|_| {
                let mut command = command_at(&mediator, &mediator.url(), dialect, &["devices", "--json"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let mut ids = std::collections::BTreeSet::new();
        for running in all {
            let output = program::checked(running.wait_with_output().unwrap());
            assert_eq!(output.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&output.stderr));
            let listed = json(&String::from_utf8(output.stdout).unwrap());
            let own = listed.iter().find(|device| device["own"] == true).unwrap();
            ids.insert(own["device"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids.len(), 1, "{dialect}: {ids:?}");
        for visit in
            [&["probe", "-c", "1"][..], &["shared-data", "show"], &["doctor"], &["lock", "contact-sync", "--", "true"]]
        {
            expect(&mediator, dialect, visit, 0, "");
        }
        // Under a lock that is held, too: it has a slot apart.
        let (url, key) = (mediator.url(), key_file(mediator.home.path()));
        let (name, program) = (dialect.to_string(), env!("CARGO_BIN_EXE_d2mtop"));
        let inner = [program, "devices", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &name];
        expect(&mediator, dialect, &[&["lock", "contact-sync", "--"], &inner[..]].concat(), 0, "phone");
        let kept = mediator.home.path().join(".local/state/d2mtop/visits");
        let names: Vec<String> =
            std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        // Dropped, it comes as another device.
        expect(&mediator, dialect, &["drop", ids.first().unwrap(), "--self", "--yes"], 0, "");
        let (again, _) = expect(&mediator, dialect, &["devices", "--json"], 0, "");
        assert!(!again.contains(ids.first().unwrap().as_str()), "{again}");
        // Where nothing can be kept, it goes as before.
        let mut nowhere = command_at(&mediator, &mediator.url(), dialect, &["devices"]);
        let output = nowhere.env("XDG_STATE_HOME", "/proc").output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(3) && words.contains("4111"), "{words}");
        assert!(words.contains("from a device that has a slot"), "{words}");
    }
}
