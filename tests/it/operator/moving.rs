//! Groups that are refused, as others serve them, and that move from one mediator to another.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use d2mtop::protocol::{DeviceId, Dialect, ServerMessage, SlotState};
use rustix::process::{Signal, kill_process};
use tokio_tungstenite::tungstenite::Error as WebSocketError;

use super::{ask, secret, state};
use crate::listener::client::{Client, reflect};
use crate::support::one_shot::BOTH;
use crate::support::program::{Mediator, d2mtop, run};

/// A mediator of a directory and a configuration.
fn start(place: &Path, config: &str) -> Mediator {
    fs::write(place.join("config.toml"), config).unwrap();
    let [data, config] = ["data", "config.toml"].map(|name| place.join(name));
    Mediator::start(&["--data", data.to_str().unwrap(), "--config", config.to_str().unwrap()])
}

async fn connect(mediator: &Mediator, dialect: Dialect, secret: [u8; 32]) -> Result<Client, WebSocketError> {
    Client::connect_in(([127, 0, 0, 1], mediator.port).into(), dialect, secret).await
}

async fn log_in(mediator: &Mediator, dialect: Dialect, secret: [u8; 32], device: u64, slot: SlotState) -> Vec<String> {
    let mut client = connect(mediator, dialect, secret).await.expect("a WebSocket");
    let messages = client.log_in(DeviceId(device), slot).await;
    client.leave().await;
    let text = |message: &ServerMessage| match message {
        ServerMessage::Reflected(reflected) => {
            Some(String::from_utf8(reflected.envelope.as_bytes().to_vec()).unwrap() + &format!(" {}", reflected.id.0))
        }
        _ => None,
    };
    messages.iter().filter_map(text).collect()
}

/// The status and the header of who is refused before the login.
async fn refused(mediator: &Mediator, dialect: Dialect, secret: [u8; 32]) -> u16 {
    match connect(mediator, dialect, secret).await.err() {
        Some(WebSocketError::Http(response)) => {
            assert!(response.headers().contains_key("retry-after"), "{response:?}");
            response.status().as_u16()
        }
        other => panic!("{dialect}: {other:?}"),
    }
}

/// One device that is there and one that is away, for which three messages wait.
async fn fill(mediator: &Mediator, dialect: Dialect, secret: [u8; 32]) -> Client {
    log_in(mediator, dialect, secret, 2, SlotState::New).await;
    let mut author = connect(mediator, dialect, secret).await.unwrap();
    author.log_in(DeviceId(1), SlotState::New).await;
    for id in 1..=3 {
        author.send(&reflect(id, format!("message {id}").into())).await;
        while !matches!(author.next().await, ServerMessage::ReflectAck { .. }) {}
    }
    author
}

#[tokio::test]
async fn groups_of_other_mediators_are_refused_and_the_ranges_are_read_anew() {
    for dialect in BOTH {
        let place = tempfile::tempdir().unwrap();
        let mediator = start(place.path(), "prefixes = [\"0-7\", \"80-8f\"]");
        let (ours, theirs) = (secret(dialect, "8", 0), secret(dialect, "9abcdef", 0));
        let mut inside = fill(&mediator, dialect, ours).await;
        assert_eq!(refused(&mediator, dialect, theirs).await, 503, "{dialect}");
        fs::write(place.path().join("config.toml"), "prefixes = \"8-f,0x\"").unwrap();
        kill_process(mediator.process(), Signal::HUP).unwrap();
        assert!(mediator.await_logged("reload_failed", 1).contains("give ranges of the first one or two hex digits"));
        fs::write(place.path().join("config.toml"), "prefixes = \"9-f\"").unwrap();
        kill_process(mediator.process(), Signal::HUP).unwrap();
        assert_eq!(inside.closed().await, 1013, "{dialect}");
        log_in(&mediator, dialect, theirs, 1, SlotState::New).await;
        assert_eq!(refused(&mediator, dialect, ours).await, 503, "{dialect}");
        let state = state(&place.path().join("data"));
        assert_eq!((&state["prefixes"], &state["moved"]), (&"9-f".into(), &serde_json::Value::Null));
    }
    let home = tempfile::tempdir().unwrap();
    for bad in ["g", "7-0", "0-", "000", ""] {
        let output = run(home.path(), &["mediator", "--prefixes", bad]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{bad}: {told}");
        assert!(told.contains("give ranges"), "{bad}: {told}");
    }
}

#[tokio::test]
async fn what_moves_is_there_and_nowhere_else() {
    for dialect in BOTH {
        let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [source_place, target_place] = places.each_ref().map(tempfile::TempDir::path);
        let (mut source, target) = (start(source_place, ""), start(target_place, ""));
        let [source_data, target_data] = [source_place, target_place].map(|place| place.join("data"));
        let (moves, stays) = (secret(dialect, "01", 0), secret(dialect, "ef", 0));
        let mut inside = fill(&source, dialect, moves).await;
        let mut other = fill(&source, dialect, stays).await;
        log_in(&target, dialect, secret(dialect, "ef", 1), 9, SlotState::New).await;

        let file = source_place.join("moved");
        let file = file.to_str().unwrap();
        let (code, words) = ask(&source_data, &["export", "0-3", file]);
        assert_eq!(code, Some(6), "{words}");
        let (code, words) = ask(&source_data, &["export", "0-3", file, "--yes"]);
        let size = if words.contains("411 B") { "411 B" } else { "?" };
        let whole = format!("1 group with 2 devices and 3 messages that wait ({size})");
        assert_eq!((code, words), (Some(0), format!("exported {whole} to {file}\n")), "{dialect}");
        assert_eq!(inside.closed().await, 1012, "{dialect}");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(source_place).unwrap().count(), 3, "data, configuration and file");
        other.send(&reflect(4, b"message 4".to_vec())).await;
        while !matches!(other.next().await, ServerMessage::ReflectAck { .. }) {}

        // It stays refused, whatever is restarted.
        kill_process(source.process(), Signal::KILL).unwrap();
        source.wait();
        source.restart();
        source.await_logged("control", 2);
        assert_eq!(refused(&source, dialect, moves).await, 503, "{dialect}");
        let status = state(&source_data);
        assert_eq!((&status["moved"], status["groups"].as_array().unwrap().len()), (&"0-3".into(), 1));

        let (code, words) = ask(&target_data, &["import", file]);
        assert_eq!((code, words), (Some(0), format!("imported {whole}\n")), "{dialect}");
        let (code, words) = ask(&target_data, &["import", file]);
        assert_eq!(code, Some(1), "{words}");
        assert!(words.contains("is here already; nothing was imported"), "{words}");
        let messages = log_in(&target, dialect, moves, 2, SlotState::Existing).await;
        assert_eq!(messages, ["message 1 1", "message 2 2", "message 3 3"], "{dialect}");
        let messages = log_in(&source, dialect, stays, 2, SlotState::Existing).await;
        assert_eq!(messages.len(), 4, "{dialect}: {messages:?}");
        assert_eq!(state(&target_data)["groups"].as_array().unwrap().len(), 2);

        // And back to where it came from, if the other one is not to have it.
        assert_eq!(ask(&source_data, &["import", file]).0, Some(0));
        log_in(&source, dialect, moves, 1, SlotState::Existing).await;
        assert_eq!(state(&source_data)["moved"], serde_json::Value::Null);
    }
}

#[tokio::test]
async fn what_cannot_be_moved_stays_where_it_is_and_is_told() {
    let dialect = Dialect::Dgk;
    let place = tempfile::tempdir().unwrap();
    let mediator = start(place.path(), "");
    let data = place.path().join("data");
    let group = secret(dialect, "4", 0);
    let _inside = fill(&mediator, dialect, group).await;
    let file = place.path().join("moved");
    let path = file.to_str().unwrap();
    fs::write(&file, "somebody's").unwrap();
    for (arguments, code, words) in [
        (&["export", "0-7", path, "--yes"][..], 1, "exists; choose another name"),
        (&["export", "0-7", "/nowhere/moved", "--yes"], 1, "/nowhere/moved: No such file"),
        (&["export", "7-0", path, "--yes"], 2, "give ranges"),
        (&["import", path], 1, "is no export of d2mtop mediator"),
        (&["import", "/nowhere/moved"], 1, "No such file"),
        (&["import", data.join("mediator.sqlite").to_str().unwrap()], 1, "is no export of d2mtop mediator"),
    ] {
        let (told, said) = ask(&data, arguments);
        assert_eq!(told, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's");
    assert_eq!(state(&data)["moved"], serde_json::Value::Null);
    assert_eq!(log_in(&mediator, dialect, group, 2, SlotState::Existing).await.len(), 3, "it is served still");

    fs::remove_file(&file).unwrap();
    assert_eq!(ask(&data, &["export", "4", path, "--yes"]).0, Some(0));
    let whole = fs::read(&file).unwrap();
    // Whatever is wrong with a copy, it is found, and nothing of it is taken in.
    let of_message = whole.windows(9).position(|bytes| bytes == b"message 2").unwrap();
    for (at, words) in [(0, "is no export"), (68, "is no export"), (of_message, "is damaged")] {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1;
        fs::write(&file, spoilt).unwrap();
        let (code, said) = ask(&data, &["import", path]);
        assert_eq!(code, Some(1), "{at}: {said}");
        assert!(said.contains(words), "{at}: {said}");
    }
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(ask(&data, &["import", path]).0, Some(1));
    fs::write(&file, &whole).unwrap();
    fs::write(place.path().join("config.toml"), "prefixes = \"8-f\"").unwrap();
    kill_process(mediator.process(), Signal::HUP).unwrap();
    mediator.await_logged("reloaded", 1);
    let (code, words) = ask(&data, &["import", path]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("is not among those that this mediator serves"), "{words}");

    let socket = place.path().join("memory");
    let _in_memory = Mediator::start(&["--control", socket.to_str().unwrap()]);
    let export = ["mediator", "export", "--control", socket.to_str().unwrap(), "0", "/tmp/never", "--yes"];
    let output = run(place.path(), &export);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("has all in memory"), "{told}");
}

/// At every time exactly one has the groups: the mediator, or a whole file.
#[tokio::test]
async fn whoever_is_killed_while_groups_move_loses_none() {
    for (round, dialect) in (0_u64..8).zip(BOTH.into_iter().cycle()) {
        let place = tempfile::tempdir().unwrap();
        let mut mediator = start(place.path(), "");
        let data = place.path().join("data");
        let group = secret(dialect, "c", 0);
        let _inside = fill(&mediator, dialect, group).await;
        let [first, second] = ["first", "second"].map(|name| place.path().join(name));
        let arguments = ["mediator", "export", "--data", data.to_str().unwrap(), "c", first.to_str().unwrap(), "-y"];
        let mut export = d2mtop(place.path(), &arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        // Somewhere between the first step and the last.
        tokio::time::sleep(Duration::from_millis(20 + 5 * round)).await;
        kill_process(mediator.process(), Signal::KILL).unwrap();
        mediator.wait();
        let is_told = export.wait().unwrap().success();
        mediator.restart();
        mediator.await_logged("control", 2);
        let left = state(&data)["groups"].as_array().unwrap().len();
        let file = if left == 0 { &first } else { &second };
        assert!(left == 0 || !is_told, "what is said to be exported is");
        if left == 1 {
            let (code, words) = ask(&data, &["export", "c", second.to_str().unwrap(), "--yes"]);
            assert_eq!(code, Some(0), "round {round}: {words}");
        }
        let (code, words) = ask(&data, &["import", file.to_str().unwrap()]);
        assert_eq!(code, Some(0), "round {round}: {words}");
        let messages = log_in(&mediator, dialect, group, 2, SlotState::Existing).await;
        assert_eq!(messages, ["message 1 1", "message 2 2", "message 3 3"], "round {round}");
    }
}
