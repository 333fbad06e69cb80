//! A disk that is full: nothing is acknowledged, that is told, and it goes on when there is room.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use d2mtop::protocol::{ServerMessage, SlotState};
use rustix::process::{Signal, kill_process};
use tokio_tungstenite::tungstenite::Error as WebSocketError;

use super::{DIALECTS, log_in, reflected, start};
use crate::listener::client::{Client, reflect, segment};
use crate::support::disk::Disk;
use crate::support::program::Mediator;

/// How large a message is: one of them fills what the database had left of the disk.
const LARGE: usize = 60_000;

#[tokio::test]
async fn on_a_full_disk_nothing_is_acknowledged_and_all_is_told_when_there_is_room() {
    for dialect in DIALECTS {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("disk");
        let Some(disk) = Disk::mount(&place) else { return };
        let mediator = start(&place.join("data"));
        let (mut author, _) = log_in(&mediator, dialect, 1, SlotState::New).await;
        let (other, _) = log_in(&mediator, dialect, 2, SlotState::New).await;
        other.leave().await;
        assert!(get(&mediator, "/ready").starts_with("HTTP/1.1 200"));
        disk.fill();
        let sent = 10;
        for id in 1..=sent {
            author.feed(&reflect(id, vec![b'm'; LARGE])).await;
        }
        author.send(&reflect(sent + 1, b"last".to_vec())).await;
        let log = mediator.await_logged("store_stalled", 1);
        assert!(log.contains("the disk is full; free some"), "{log}");
        let ready = get(&mediator, "/ready");
        assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
        assert!(get(&mediator, "/health").starts_with("HTTP/1.1 200"), "it runs");
        let path = format!("/{}", segment(dialect));
        match Client::connect_at(([127, 0, 0, 1], mediator.port).into(), &path, dialect).await.err() {
            Some(WebSocketError::Http(response)) => assert_eq!(response.status(), 503, "{dialect}"),
            other => panic!("{dialect}: {other:?}"),
        }
        disk.make_room();
        mediator.await_logged("store_recovered", 1);
        let mut acknowledged = Vec::new();
        while acknowledged.len() <= usize::try_from(sent).unwrap() {
            if let ServerMessage::ReflectAck { id, .. } = author.next().await {
                acknowledged.push(id.0);
            }
        }
        assert_eq!(acknowledged, (1..=sent + 1).collect::<Vec<_>>(), "{dialect}");
        let log = mediator.await_logged("store_recovered", 1);
        assert_eq!(log.matches("store_stalled").count(), log.matches("store_recovered").count(), "told once: {log}");
        let (_, messages) = log_in(&mediator, dialect, 2, SlotState::Existing).await;
        let messages = reflected(&messages);
        assert_eq!(messages.len(), usize::try_from(sent).unwrap() + 1);
        assert_eq!(messages.last().unwrap().1, "last");
    }
}

/// Nobody is acknowledged anything by the end, and nobody has to find out by himself that it has come.
#[tokio::test]
async fn on_a_full_disk_the_end_closes_everybody_and_acknowledges_nothing() {
    for dialect in DIALECTS {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("disk");
        let Some(disk) = Disk::mount(&place) else { return };
        let mut mediator = start(&place.join("data"));
        let (mut author, _) = log_in(&mediator, dialect, 1, SlotState::New).await;
        let (other, _) = log_in(&mediator, dialect, 2, SlotState::New).await;
        other.leave().await;
        disk.fill();
        for id in 1..=10 {
            author.feed(&reflect(id, vec![b'm'; LARGE])).await;
        }
        author.send(&reflect(11, b"last".to_vec())).await;
        mediator.await_logged("store_stalled", 1);
        kill_process(mediator.process(), Signal::TERM).unwrap();
        assert_eq!(author.closed().await, 1001, "{dialect}");
        assert_eq!(mediator.wait().code(), Some(0), "{dialect}");
        disk.make_room();
        mediator.restart();
        mediator.await_logged("restored", 2);
        let (_, messages) = log_in(&mediator, dialect, 2, SlotState::Existing).await;
        assert_eq!(reflected(&messages), [], "{dialect}: what was not acknowledged");
    }
}

/// The head of an answer.
fn get(mediator: &Mediator, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", mediator.port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: m\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
