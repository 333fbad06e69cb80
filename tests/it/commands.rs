//! The one-shot commands, as scripts and people use them: real processes, a real mediator, exit codes.

use crate::support::one_shot;
use crate::support::phone;
use crate::support::program;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Instant;

use d2mtop::protocol::Dialect;
use one_shot::{
    BOTH, MONITOR, PATIENCE, PHONE, Started, command, command_at, ends_soon, expect, in_terminal, json, labels,
    lines_of, mediator, other_device, rest_of, signal,
};
use phone::phone_reflects;
use program::{Mediator, key_file};
use rustix::process::{Signal, kill_process};
use serde_json::Value;

#[test]
fn the_devices_are_listed_for_people_and_for_scripts() {
    for dialect in BOTH {
        let mediator = mediator();
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        let (table, stderr) = expect(&mediator, dialect, &["devices"], 0, "Pixel 9");
        assert!(table.starts_with("DEVICE") && table.contains(PHONE) && table.contains("this device"), "{table}");
        assert_eq!(stderr, "");
        let (wide, _) = expect(&mediator, dialect, &["devices", "--wide"], 0, "persistent");
        assert!(wide.starts_with("DEVICE") && wide.lines().next().unwrap().ends_with("DETAILS"), "{wide}");
        let devices = json(&expect(&mediator, dialect, &["devices", "--json", "--device-id", MONITOR], 0, "").0);
        assert!(devices.iter().all(|device| device["event"] == "device"), "{devices:?}");
        let phone = devices.iter().find(|device| device["device"] == PHONE).expect("the phone is listed");
        assert_eq!(
            (&phone["label"], &phone["own"], &phone["platform"]),
            (&"Pixel 9".into(), &false.into(), &"android".into())
        );
        let own = devices.iter().find(|device| device["device"] == MONITOR).expect("we are listed");
        assert_eq!(own["own"], true);
    }
}

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
fn changes_among_the_devices_are_printed_as_they_happen() {
    for dialect in BOTH {
        let mediator = mediator();
        let arguments = ["devices", "--watch-changes", "--json", "--every", "1s", "--stay-leader"];
        expect(&mediator, dialect, &["devices", "--watch-changes", "--every", "999ms"], 2, "a second or more");
        let watching = Started::new(command(&mediator, dialect, &arguments));
        // The first list is what is known.
        let start = Instant::now();
        while !labels(&mediator, dialect).iter().any(|label| label != "looking") {
            assert!(start.elapsed() < PATIENCE, "{dialect}: it is not in the list");
        }
        other_device(&mediator, dialect, MONITOR, "Work laptop");
        let new = loop {
            let line: Value = serde_json::from_str(&watching.wait_for("device_new")).unwrap();
            if line["label"] == "Work laptop" {
                break line;
            }
        };
        assert_eq!(new["device"], MONITOR);
        let there =
            command(&mediator, dialect, &["watch", "--device-id", MONITOR, "--persistent", "--label", "Work laptop"])
                .args(["--expect", "existing", "--until-dry"])
                .output()
                .unwrap();
        assert!(there.status.success());
        let came = if dialect == Dialect::Mk { "device_logged_in" } else { "device_offline" };
        assert!(watching.wait_for(came).contains("\"label\""), "{dialect}");
        expect(&mediator, dialect, &["drop", "--yes", MONITOR], 0, "dropped Work laptop");
        while !watching.wait_for("device_gone").contains(MONITOR) {}
        signal(&watching.child, Signal::TERM);
        assert_eq!(watching.end().0, Some(0), "{dialect}");
    }
}

#[test]
fn a_device_is_dropped_by_id_prefix_or_label() {
    for dialect in BOTH {
        let mediator = mediator();
        for (id, label) in [("a100000000000000", "One"), ("b200000000000000", "Two"), ("c300000000000000", "Three")] {
            other_device(&mediator, dialect, id, label);
        }
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        // Our own id is random: a shorter beginning may be ours, too.
        let (dropped, _) = expect(&mediator, dialect, &["drop", "--yes", "one", "B2000000"], 0, "");
        assert_eq!(dropped, "dropped One (a100000000000000)\ndropped Two (b200000000000000)\n");
        let (dropped, _) = expect(&mediator, dialect, &["drop", "-y", "c300000000000000", "--json"], 0, "");
        let dropped = &json(&dropped)[0];
        assert_eq!((&dropped["event"], &dropped["label"]), (&"device_dropped".into(), &"Three".into()));
        let left = labels(&mediator, dialect);
        assert!(!left.iter().any(|label| ["One", "Two", "Three"].contains(&label.as_str())), "{dialect}: {left:?}");
        assert!(left.contains(&"Pixel 9".to_owned()), "{dialect}: {left:?}");
    }
}

/// The list that is looked at and the drop are two logins.
#[test]
fn a_volatile_slot_that_expires_before_the_drop_is_taken_anew() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--volatile-grace", "0s"]);
        other_device(&mediator, dialect, MONITOR, "monitor");
        expect(&mediator, dialect, &["drop", MONITOR, "--yes"], 0, "dropped monitor");
    }
}

#[test]
fn nothing_is_dropped_that_is_not_meant_named_and_agreed_to() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, "ab00000000000000", "Laptop");
        other_device(&mediator, dialect, "ab11000000000000", "laptop of Ada");
        other_device(&mediator, dialect, "cd00000000000000", "LAPTOP");
        let drop = |arguments: &[&'static str]| [&["drop"], arguments, &["--device-id", MONITOR]].concat();
        let (_, stderr) = expect(&mediator, dialect, &drop(&["--yes", "ab"]), 5, "more than one device");
        assert!(stderr.contains("Laptop (ab00000000000000)") && stderr.contains("ab11000000000000"), "{stderr}");
        let own = ["--device-id", MONITOR, "--expect", "existing"];
        let drop = |arguments: &[&'static str]| [&["drop"], arguments, &own].concat();
        expect(&mediator, dialect, &drop(&["--yes", "laptop"]), 5, "say which by its id");
        // One name is wrong: then no other is dropped, either.
        expect(&mediator, dialect, &drop(&["--yes", "Laptop", "Tablet"]), 5, "no device is called Tablet");
        expect(&mediator, dialect, &drop(&["--yes", MONITOR]), 2, "--self");
        expect(&mediator, dialect, &drop(&["Laptop"]), 6, "--yes");
        expect(&mediator, dialect, &drop(&["Laptop", "--yes", "--read-only"]), 2, "read-only");
        expect(&mediator, dialect, &["drop", "--yes"], 2, "DEVICE");
        let left = labels(&mediator, dialect);
        for label in ["Laptop", "laptop of Ada", "LAPTOP"] {
            assert!(left.contains(&label.to_owned()), "{dialect}: {left:?}");
        }
    }
}

#[test]
fn this_device_leaves_the_group_with_self() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, MONITOR, "monitor");
        let arguments = ["drop", "--self", "--yes", "--device-id", MONITOR, "--persistent", "--expect", "existing"];
        expect(&mediator, dialect, &arguments, 0, "dropped");
        assert!(!labels(&mediator, dialect).contains(&"monitor".to_owned()), "{dialect}");
    }
}

#[test]
fn a_person_is_asked_and_no_is_the_default() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, MONITOR, "Work laptop");
        for (answer, code, words) in [("\r", 6, "nothing done"), ("y\r", 0, "dropped Work laptop")] {
            let mut terminal = in_terminal(&mediator, dialect, &["drop", "Work laptop"]);
            terminal.wait_for("Drop Work laptop (0102030405060708) from the group?");
            terminal.press(answer);
            assert_eq!(terminal.end().exit_code(), code, "{dialect}: {}", terminal.contents());
            assert!(terminal.contents().contains(words), "{dialect}: {}", terminal.contents());
        }
        assert!(!labels(&mediator, dialect).contains(&"Work laptop".to_owned()), "{dialect}");
    }
}

/// A pipe that nobody reads, and that takes no more.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'\n'; 1]).is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

#[test]
fn a_reader_who_does_not_read_keeps_nobody_from_ending() {
    for dialect in BOTH {
        for arguments in [
            &["probe", "-i", "10ms", "--stay-leader"][..],
            &["devices", "--watch-changes", "--every", "1s", "--stay-leader", "--json"],
        ] {
            let mediator = mediator();
            let (reader, writer) = full_pipe();
            let mut command = command(&mediator, dialect, arguments);
            let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
            drop(command);
            let remarks = lines_of(child.stderr.take().unwrap());
            if arguments[0] == "probe" {
                remarks.recv_timeout(PATIENCE).expect("it is made leader");
            }
            // There is something to print now.
            other_device(&mediator, dialect, MONITOR, "Work laptop");
            signal(&child, Signal::TERM);
            let code = ends_soon(&mut child);
            assert_eq!(code, Some(0), "{dialect}, {arguments:?}: {}", rest_of(&remarks));
            drop(reader);
        }
    }
}

#[test]
fn a_reader_who_has_gone_ends_what_goes_on() {
    for dialect in BOTH {
        let mediator = mediator();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = command(&mediator, dialect, &["probe", "-i", "10ms", "--stay-leader"]);
        let mut child = command.stdout(writer).spawn().unwrap();
        drop(command);
        let mut lines = BufReader::new(reader).lines();
        assert!(lines.any(|line| line.unwrap().contains("seq=1")));
        drop(lines);
        assert_eq!(ends_soon(&mut child), Some(0), "{dialect}");
    }
}

/// The reader leaves with the line that tells of the end; the exit code tells it all the same.
#[test]
fn a_reader_who_leaves_at_the_end_does_not_make_a_failure_a_success() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--max-slots", "1"]);
        other_device(&mediator, dialect, MONITOR, "the only one");
        for _ in 0..10 {
            let (reader, writer) = std::io::pipe().unwrap();
            let mut command = command(&mediator, dialect, &["watch"]);
            let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
            drop(command);
            let remarks = lines_of(child.stderr.take().unwrap());
            let mut lines = BufReader::new(reader).lines();
            assert!(lines.any(|line| line.unwrap().contains("disconnected")), "{dialect}");
            drop(lines);
            assert_eq!(child.wait().unwrap().code(), Some(3), "{dialect}");
            assert!(rest_of(&remarks).contains("all device slots are taken"), "{dialect}");
        }
    }
}

/// Nobody was to be told, so nothing has failed.
#[test]
fn a_probe_that_nobody_ever_reads_is_no_failure() {
    for dialect in BOTH {
        let mediator = mediator();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(&mediator, dialect, &["probe", "-c", "1"]);
        let probed = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(probed.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&probed.stderr));
    }
}

#[test]
fn a_reader_who_has_gone_is_noticed_although_there_is_nothing_to_print() {
    for dialect in BOTH {
        for arguments in [
            &["watch", "--only", "left_out", "--stay-leader"][..],
            &["devices", "--watch-changes", "--stay-leader", "--json"],
        ] {
            let mediator = mediator();
            let (reader, writer) = std::io::pipe().unwrap();
            let mut command = command(&mediator, dialect, arguments);
            let mut child = command.stdout(writer).spawn().unwrap();
            drop(command);
            mediator.await_logged("promoted", 1);
            assert_eq!(child.try_wait().unwrap(), None, "{dialect}, {arguments:?}: somebody could read");
            drop(reader);
            assert_eq!(ends_soon(&mut child), Some(0), "{dialect}, {arguments:?}");
        }
    }
}

#[test]
fn changes_are_watched_over_a_lost_connection_only_if_asked_for() {
    for dialect in BOTH {
        for more in [&[][..], &["--reconnect", "always"]] {
            let mut mediator = mediator();
            let arguments = [&["devices", "--watch-changes", "--stay-leader"], more].concat();
            let watching = Started::new(command(&mediator, dialect, &arguments));
            mediator.await_logged("logged_in", 1);
            kill_process(mediator.process(), Signal::KILL).unwrap();
            mediator.wait();
            if more.is_empty() {
                let (code, _, words) = watching.ended();
                assert_eq!(code, Some(4), "{dialect}: {words}");
                assert!(words.contains("went away"), "{dialect}: {words}");
                continue;
            }
            watching.wait_for_remark("connects again at");
            // It has forgotten the volatile slot, which is then taken anew.
            mediator.restart();
            watching.wait_for_remark("connected again");
            signal(&watching.child, Signal::TERM);
            assert_eq!(watching.end().0, Some(0), "{dialect}");
        }
        expect(&mediator(), dialect, &["devices", "--watch-changes", "--reconnect", "often"], 2, "always, never");
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

#[test]
fn probes_are_answered_and_counted() {
    for dialect in BOTH {
        let mediator = mediator();
        for (means, word) in [(None, "devices_info"), (Some("--ping"), "ping")] {
            let mut arguments = vec!["probe", "-c", "3", "-i", "10ms"];
            arguments.extend(means);
            let (stdout, _) = expect(&mediator, dialect, &arguments, 0, "--- 3 of 3 answered");
            assert_eq!(stdout.lines().filter(|line| line.starts_with(&format!("{word}: seq="))).count(), 3, "{stdout}");
            assert!(stdout.lines().last().unwrap().starts_with("min/avg/max/mdev = "), "{stdout}");
            arguments.push("--json");
            let lines = json(&expect(&mediator, dialect, &arguments, 0, "").0);
            let times: Vec<u64> = lines[..3].iter().map(|line| line["elapsed_us"].as_u64().unwrap()).collect();
            let summary = &lines[3];
            assert_eq!((&summary["event"], &summary["answered"]), (&"probe_summary".into(), &3.into()));
            assert_eq!(summary["min_us"], *times.iter().min().unwrap(), "{lines:?}");
            assert_eq!(summary["max_us"], *times.iter().max().unwrap(), "{lines:?}");
            assert!(times.iter().any(|time| time % 1_000 != 0), "measured finer than milliseconds: {times:?}");
        }
    }
}

#[test]
fn a_reflected_probe_is_agreed_to_and_does_nothing_anywhere() {
    let mediator = mediator();
    phone_reflects(&mediator, Dialect::Dgk, 0, "Pixel 9");
    other_device(&mediator, Dialect::Dgk, MONITOR, "monitor");
    let probe = ["probe", "--reflect", "-c", "2", "-i", "10ms"];
    expect(&mediator, Dialect::Dgk, &probe, 6, "--yes");
    expect(&mediator, Dialect::Dgk, &[&probe[..], &["--yes", "--read-only"]].concat(), 2, "read-only");
    expect(&mediator, Dialect::Mk, &[&probe[..], &["--yes"]].concat(), 2, "dialect mk has no message");
    let watch = ["watch", "--until-dry", "--persistent", "--expect", "existing", "--device-id", MONITOR];
    let reflected = || {
        let lines = json(&expect(&mediator, Dialect::Dgk, &watch, 0, "").0);
        lines.into_iter().filter(|line| line["event"] == "reflected").collect::<Vec<_>>()
    };
    assert_eq!(reflected().len(), 0, "nothing refused was reflected");
    expect(&mediator, Dialect::Dgk, &[&probe[..], &["--yes"]].concat(), 0, "--- 2 of 2 answered");
    let stored = reflected();
    assert_eq!(stored.len(), 2, "who is away gets each one later");
    assert!(stored.iter().all(|line| line["kind"] == "incoming_message_update"), "{stored:?}");
}

#[test]
fn a_probe_can_be_interrupted_and_still_sums_up() {
    for dialect in BOTH {
        let mediator = mediator();
        let probing = Started::new(command(&mediator, dialect, &["probe", "-i", "10ms"]));
        probing.wait_for("seq=2");
        signal(&probing.child, Signal::INT);
        let (code, rest) = probing.end();
        assert_eq!(code, Some(0), "{dialect}: {rest}");
        assert!(rest.contains("min/avg/max/mdev"), "{dialect}: {rest}");
    }
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
