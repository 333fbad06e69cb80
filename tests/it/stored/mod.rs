//! A mediator with `--data`: what it has acknowledged outlives it, whatever ends it.

mod disk;
mod kills;

use std::path::Path;

use d2mtop::protocol::{DeviceId, Dialect, ReflectedId, ServerMessage, SlotState};
use rustix::process::{Signal, kill_process};

use crate::listener::client::{Client, reflect, segment};
use crate::support::program::Mediator;

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

fn start(data: &Path) -> Mediator {
    Mediator::start(&["--data", data.to_str().unwrap()])
}

async fn connect(mediator: &Mediator, dialect: Dialect) -> Client {
    let address = ([127, 0, 0, 1], mediator.port).into();
    Client::connect_at(address, &format!("/{}", segment(dialect)), dialect).await.expect("a WebSocket")
}

async fn log_in(
    mediator: &Mediator,
    dialect: Dialect,
    device: u64,
    expected: SlotState,
) -> (Client, Vec<ServerMessage>) {
    let mut client = connect(mediator, dialect).await;
    let messages = client.log_in(DeviceId(device), expected).await;
    (client, messages)
}

fn reflected(messages: &[ServerMessage]) -> Vec<(u32, String)> {
    let one = |message: &ServerMessage| match message {
        ServerMessage::Reflected(reflected) => Some((reflected.id.0, text(reflected.envelope.as_bytes()))),
        _ => None,
    };
    messages.iter().filter_map(one).collect()
}

fn text(envelope: &[u8]) -> String {
    String::from_utf8(envelope.to_vec()).expect("one of ours")
}

fn acknowledgement(id: u32) -> d2mtop::protocol::ClientMessage {
    d2mtop::protocol::ClientMessage::ReflectedAck(ReflectedId(id))
}

#[tokio::test]
async fn sigterm_closes_with_1001_and_loses_nothing() {
    for dialect in DIALECTS {
        let data = tempfile::tempdir().unwrap();
        let mut mediator = start(data.path());
        let (mut author, _) = log_in(&mediator, dialect, 1, SlotState::New).await;
        let (other, _) = log_in(&mediator, dialect, 2, SlotState::New).await;
        other.leave().await;
        for id in 1..=100 {
            author.feed(&reflect(id, id.to_string().into())).await;
        }
        author.send(&reflect(101, "last".into())).await;
        let mut acknowledged = 0;
        while acknowledged == 0 {
            acknowledged += u32::from(matches!(author.next().await, ServerMessage::ReflectAck { .. }));
        }
        kill_process(mediator.process(), Signal::TERM).unwrap();
        let end = loop {
            match author.next_or_end().await {
                Ok(ServerMessage::ReflectAck { .. }) => acknowledged += 1,
                Ok(_) => {}
                Err(end) => break end,
            }
        };
        assert!(end.contains("Away"), "{dialect}: {end}");
        assert_eq!(mediator.wait().code(), Some(0));
        mediator.restart();
        mediator.await_logged("restored", 2);
        let (_, messages) = log_in(&mediator, dialect, 2, SlotState::Existing).await;
        let kept = u32::try_from(reflected(&messages).len()).unwrap();
        assert!(kept >= acknowledged, "{dialect}: {kept} of {acknowledged}");
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_in_words() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let arguments = ["mediator", "--data", data.to_str().unwrap()];
    let mediator = start(&data);
    for (words, code, spoil) in [
        ("another mediator (process", 7, None),
        ("its first page is not that of a database", 1, Some("nonsense, and enough of it to be read as a page")),
    ] {
        if let Some(nonsense) = spoil {
            kill_process(mediator.process(), Signal::KILL).unwrap();
            let _ = std::fs::remove_file(data.join("mediator.sqlite-wal"));
            std::fs::write(data.join("mediator.sqlite"), nonsense.repeat(200)).unwrap();
        }
        let output = loop {
            let output = crate::support::program::run(home.path(), &arguments);
            // Whoever was killed may not be gone yet.
            if spoil.is_none() || output.status.code() != Some(7) {
                break output;
            }
        };
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(words) && !told.contains("panicked"), "{told}");
    }
    let left = std::fs::read_to_string(data.join("mediator.sqlite")).unwrap();
    assert!(left.starts_with("nonsense"), "it was not overwritten");
}
