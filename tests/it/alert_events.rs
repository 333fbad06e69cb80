//! `--on`, event by event: what a group and a mediator can do, in both dialects, and the real command that it runs.

use crate::support::noting;
use crate::support::phone;
use crate::support::program;
use crate::support::raw;
use crate::support::terminal;
use crate::support::watching;
use std::collections::BTreeSet;
use std::process::Command;

use bytes::Bytes;
use d2mtop::protocol::{
    ClientUrlInfo, DeviceId, DeviceInfo, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Sealed,
    ServerGroup, ServerMessage, SlotState,
};
use futures_util::StreamExt as _;
use noting::{Noting, add_profile, add_profile_at, noted, noting, watch};
use phone::{envelopes, phone_reflects, phone_with_slot_reflects};
use program::{KEY, Mediator, key_file, run};
use tokio_tungstenite::tungstenite::Message;
use watching::Watching;

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

/// The id of the phone.
const PHONE: &str = "4d00000000000000";

fn group_keys(dialect: Dialect) -> GroupKeys {
    GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap())
}

/// The options of a device of the group that has no profile.
fn guest(mediator: &Mediator, dialect: Dialect) -> Vec<String> {
    let key = key_file(mediator.home.path()).to_str().unwrap().to_owned();
    ["--url", &mediator.url(), "--key-file", &key, "--dialect", &dialect.to_string()].map(str::to_owned).to_vec()
}

fn run_guest(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) {
    let options = guest(mediator, dialect);
    let all: Vec<&str> = arguments.iter().copied().chain(options.iter().map(String::as_str)).collect();
    let output = run(mediator.home.path(), &all);
    assert!(output.status.success(), "{all:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_device_that_describes_itself_anew_or_is_dropped() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        watch(&mediator, &[]);

        phone_with_slot_reflects(SlotState::Existing, &mediator, dialect, 0, "Pixel 10");
        let (changed, path) = noting(home, "device-info-changed");
        watch(&mediator, &["--on", &changed]);
        let lines = noted(&path);
        assert_eq!(lines.len(), 1, "{dialect}: {lines:?}");
        assert_eq!((&lines[0]["event"], &lines[0]["label"]), (&"device_changed".into(), &"Pixel 10".into()));

        run_guest(&mediator, dialect, &["drop", PHONE, "--yes"]);
        let (dropped, path) = noting(home, "device-dropped");
        watch(&mediator, &["--on", &dropped]);
        let lines = noted(&path);
        assert_eq!(lines.len(), 1, "{dialect}: {lines:?}");
        let said = (&lines[0]["event"], &lines[0]["device"]);
        assert_eq!(said, (&"device_gone".into(), &PHONE.into()), "{dialect}");
    }
}

#[test]
fn each_of_three_new_devices_is_told() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        watch(&mediator, &[]);
        let devices = ["0000000000000005", "0000000000000006", "0000000000000007"];
        for device in devices {
            run_guest(&mediator, dialect, &["watch", "--until-dry", "--persistent", "--device-id", device]);
        }
        let (new, path) = noting(mediator.home.path(), "new-device");
        watch(&mediator, &["--on", &new]);
        let lines = noted(&path);
        let told: BTreeSet<&str> = lines.iter().map(|line| line["device"].as_str().unwrap()).collect();
        assert_eq!(told, BTreeSet::from(devices), "{dialect}: {lines:?}");
        assert!(lines.iter().all(|line| line["suppressed"] == 0), "{dialect}: {lines:?}");
    }
}

#[test]
fn messages_that_cannot_be_read_and_a_nonce_that_is_used_again() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        watch(&mediator, &[]);
        let keys = group_keys(dialect);
        let info = Sealed::seal(&DeviceInfo::default(), &keys, Nonce([2; 24]));
        let text = |id| envelopes::text(dialect, DeviceId(66), MessageId(id), Millis(1));
        let garbage = Sealed::from_wire(Bytes::from(vec![9; 100]));
        let again = |id| Sealed::seal(&text(id), &keys, Nonce([3; 24]));
        raw::reflect(&mediator.url(), &keys, &info, &[garbage, again(1), again(2)]);

        let (replay, replay_path) = noting(home, "replay");
        let (undecryptable, undecryptable_path) = noting(home, "undecryptable");
        watch(&mediator, &["--on", &replay, "--on", &undecryptable]);
        let lines = noted(&replay_path);
        assert_eq!(lines.len(), 1, "{dialect}: {lines:?}");
        assert_eq!((&lines[0]["event"], &lines[0]["repeated_nonce"]), (&"reflected".into(), &true.into()));
        let lines = noted(&undecryptable_path);
        assert_eq!(lines.len(), 1, "{dialect}: {lines:?}");
        assert_eq!((&lines[0]["event"], &lines[0]["alert"]), (&"reflected".into(), &"undecryptable".into()));
    }
}

#[test]
fn in_the_dashboard_becoming_leader_and_a_lock_that_is_held_for_too_long() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let (promoted, stuck) = (Noting::of(home, "promoted"), Noting::of(home, "lock-stuck=100ms"));
        let options = guest(&mediator, dialect);
        let on = ["--on", &promoted.option, "--on", &stuck.option, "--stay-leader", "--utc"];
        let arguments: Vec<&str> = options.iter().map(String::as_str).chain(on).collect();
        let mut terminal = terminal::Terminal::start(&arguments, 30, 100, &[]);
        assert_eq!(promoted.next_line()["event"], "promoted", "{dialect}");
        terminal.wait_for("live");
        terminal.press("L");
        terminal.wait_for("CONTACT_SYNC");
        terminal.press("j\r");
        terminal.wait_for("Lock ─ ours");
        let line = stuck.next_line();
        assert_eq!((&line["event"], &line["alert"]), (&"lock_stuck".into(), &"lock-stuck".into()), "{dialect}");
        assert!(line["held_ms"].as_u64().is_some_and(|held| held >= 100), "{line}");
        assert_eq!(line["holder"], serde_json::Value::Null, "we hold it ourselves: {line}");
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 0);
    }
}

/// Its URL to a client that is told that the mediator's clock is two hours ahead.
fn two_hours_ahead(mediator: &Mediator, dialect: Dialect) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let device_group_id = group_keys(dialect).device_group_id();
    let server_group = ServerGroup::parse("01", dialect).unwrap();
    let of_group = ClientUrlInfo { dialect, device_group_id, server_group }.url(&mediator.url());
    let moved = move |message: Message| match message {
        Message::Binary(frame) => match ServerMessage::decode(frame.clone(), dialect).unwrap() {
            ServerMessage::Info(mut info) => {
                info.current_time = info.current_time.map(|time| time.offset_by(7_200_000));
                Message::Binary(ServerMessage::Info(info).encode(dialect))
            }
            _ => Message::Binary(frame),
        },
        other => other,
    };
    let between = async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let client = tokio_tungstenite::accept_async(stream).await.unwrap();
        let (server, _) = tokio_tungstenite::connect_async(of_group).await.unwrap();
        let ((to_client, from_client), (to_server, from_server)) = (client.split(), server.split());
        let down = from_server.map(|message| message.map(&moved)).forward(to_client);
        let up = from_client.forward(to_server);
        let _ = tokio::join!(up, down);
    };
    std::thread::spawn(move || d2mtop::os::event_loop::event_loop().unwrap().block_on(between));
    url
}

#[test]
fn clocks_that_are_apart() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile_at(&two_hours_ahead(&mediator, dialect), &mediator, dialect);
        let (skew, path) = noting(mediator.home.path(), "clock-skew");
        watch(&mediator, &["--on", &skew]);
        let lines = noted(&path);
        assert_eq!((lines.len(), &lines[0]["event"]), (1, &"logged_in".into()), "{dialect}: {lines:?}");
        let offset = lines[0]["clock_offset_ms"].as_i64().unwrap();
        assert!((7_000_000..7_400_000).contains(&offset), "{dialect}: {lines:?}");
    }
}

#[test]
fn a_journal_that_cannot_be_written() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        watch(&mediator, &[]);
        phone_reflects(&mediator, dialect, 15_000, "Pixel 9");
        let failed = Noting::of(home, "journal-failed");
        // Files may not grow beyond 750 KB.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -S -f 1500; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_d2mtop")]);
        command.args(["watch", "home", "--stay-leader", "--on", &failed.option]);
        command.env_clear().env("HOME", home).env("TZ", "UTC").env("XDG_RUNTIME_DIR", home);
        let mut watching = Watching::until(command, "\"state\":\"failed\"");
        let line = failed.next_line();
        assert_eq!((&line["event"], &line["state"]), (&"journal".into(), &"failed".into()), "{dialect}");
        assert_eq!(line["alert"], "journal-failed");
        assert!(watching.goes_on(), "{dialect}: it goes on all the same");
    }
}
