//! SIGHUP: a service reads its profile anew.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use rustix::process::Signal;

use super::{DIALECTS, PATIENCE, Watch, add_profile, next_word};
use crate::support::program::{Mediator, d2mtop, key_file, run};

#[test]
fn a_hangup_reads_the_profile_anew_and_keeps_the_old_one_if_it_cannot() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let mut watch = Watch::start(&mut d2mtop(home, &["watch", "home", "--stay-leader"]));
        watch.wait_for("queue_dry");
        let logs = home.join(".local/state/d2mtop");
        let log = fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().path());
        let log = log.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "log")).unwrap();
        fs::rename(&log, logs.join("moved")).unwrap();

        let profiles = home.join(".config/d2mtop/profiles.toml");
        let text = fs::read_to_string(&profiles).unwrap();
        fs::write(&profiles, "nonsense = 1\n").unwrap();
        watch.signal(Signal::HUP);
        let words = watch.wait_for("reload_failed")["words"].to_string();
        assert!(words.contains("profiles.toml"), "{words}");

        fs::write(&profiles, text.replace("before", "after")).unwrap();
        watch.signal(Signal::HUP);
        assert_eq!(watch.wait_for("reloaded")["changed"], true);
        assert_eq!(watch.wait_for("disconnected")["cause"], "by_user", "it leaves politely, and only now");
        assert_eq!(watch.wait_for("logged_in")["slot"], "existing", "and comes back to its slot");
        let devices = watch.wait_for("devices");
        assert_eq!(devices["devices"][0]["label"], "after", "{dialect}: {devices}");
        let holder = run(home, &["watch", "home", "--until-dry"]);
        assert_eq!(holder.status.code(), Some(7), "the profile is still held");
        watch.signal(Signal::TERM);
        assert_eq!(watch.end().0, Some(0));
        let anew = fs::read_to_string(&log).expect("the log is made anew");
        assert!(anew.contains("read anew"), "{anew}");
    }
}

#[test]
fn at_another_address_of_the_same_mediator_a_device_finds_its_slot() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let mut watch = Watch::start(&mut d2mtop(home, &["watch", "home", "--stay-leader", "--reconnect", "always"]));
        watch.wait_for("queue_dry");
        edit(&mediator, "127.0.0.1", "localhost");
        watch.signal(Signal::HUP);
        assert_eq!(watch.wait_for("disconnected")["cause"], "by_user");
        assert_eq!(watch.wait_for("logged_in")["slot"], "existing", "{dialect}: the service goes on");
        watch.signal(Signal::TERM);
        assert_eq!(watch.end().0, Some(0));
        edit(&mediator, "localhost", "127.0.0.1");
        let devices = run(home, &["devices", "home"]);
        let words = String::from_utf8_lossy(&devices.stderr).into_owned();
        assert_eq!(devices.status.code(), Some(0), "{dialect}: so does a command that comes for a moment: {words}");
        let text = String::from_utf8(devices.stdout).unwrap();
        assert_eq!(text.matches("this device").count(), 1, "{dialect}: {text}");
    }
}

/// Changes the file of the profiles.
fn edit(mediator: &Mediator, from: &str, to: &str) {
    let path = mediator.home.path().join(".config/d2mtop/profiles.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

/// A new connection under the old one's journal, which is held as a disk that hangs would hold it: with a lock on the file
/// that the next writer waits for.
fn waits_for_journal(mediator: &Mediator, watch: &mut Watch) -> File {
    watch.wait_for("queue_dry");
    let lock = mediator.home.path().join(".local/state/d2mtop/profiles/home/journal.sqlite.lock");
    fs::remove_file(&lock).expect("the journal has its lock there");
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();
    edit(mediator, "before", "after");
    watch.signal(Signal::HUP);
    assert_eq!(watch.wait_for("reloaded")["changed"], true);
    assert_eq!(watch.wait_for("disconnected")["cause"], "by_user");
    held
}

#[test]
fn while_the_old_journal_is_written_signals_time_and_watchdog_go_on() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let path = home.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let start = |arguments: &[&str]| d2mtop(home, &[&["watch", "home", "--stay-leader"], arguments].concat());
        let mut ended = start(&[]);
        let mut ended = Watch::start(ended.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000"));
        let held = waits_for_journal(&mediator, &mut ended);
        // The pulse of the session that has ended may be among the first.
        for _ in 0..5 {
            next_word(&socket, "WATCHDOG=1");
        }
        ended.ends_soon("while the journal is written");
        assert_eq!(ended.lines(), Vec::<serde_json::Value>::new(), "{dialect}: it did not go on before");
        drop(held);

        edit(&mediator, "after", "before");
        let mut timed = Watch::start(&mut start(&["--for", "5s"]));
        let held = waits_for_journal(&mediator, &mut timed);
        assert_eq!(timed.end(), (Some(0), String::new()), "{dialect}: the time is over");
        drop(held);

        edit(&mediator, "after", "before");
        let mut goes_on = Watch::start(&mut start(&[]));
        drop(waits_for_journal(&mediator, &mut goes_on));
        assert_eq!(goes_on.wait_for("logged_in")["slot"], "existing", "{dialect}: the journal is free");
        goes_on.signal(Signal::TERM);
        assert_eq!(goes_on.end().0, Some(0));
    }
}

#[test]
fn a_passphrase_is_asked_for_once_and_a_key_that_has_moved_behind_one_needs_a_restart() {
    const PASSPHRASE: &[u8] = b"correct horse\n";
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let with_passphrase = |arguments: &[&str]| {
            let mut command = d2mtop(home, arguments);
            // A pipe gives it once.
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(PASSPHRASE).unwrap();
            command.stdin(Stdio::from(reader));
            command
        };
        let path = home.join(".config/d2mtop/profiles.toml");
        let plain = fs::read_to_string(&path).unwrap();
        let moving = ["profile", "move", "home", "--to", "passphrase-file", "--passphrase-fd", "0"];
        let moved = with_passphrase(&moving).output().unwrap();
        assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
        let sealed = fs::read_to_string(&path).unwrap();

        let options = ["watch", "home", "--stay-leader", "--passphrase-fd", "0"];
        let mut watch = Watch::start(&mut with_passphrase(&options));
        watch.wait_for("queue_dry");
        edit(&mediator, "before", "after");
        watch.signal(Signal::HUP);
        assert_eq!(watch.wait_for("reloaded")["changed"], true, "{dialect}: without the passphrase");
        assert_eq!(watch.wait_for("devices")["devices"][0]["label"], "after");
        watch.ends_soon("with a passphrase");

        fs::write(&path, &plain).unwrap();
        key_file(home);
        let mut watch = Watch::start(&mut d2mtop(home, &["watch", "home", "--stay-leader"]));
        watch.wait_for("queue_dry");
        fs::write(&path, &sealed).unwrap();
        watch.signal(Signal::HUP);
        let words = watch.wait_for("reload_failed")["words"].to_string();
        assert!(words.contains("while d2mtop runs"), "{dialect}: {words}");
        watch.ends_soon("after a reload that failed");
    }
}
