//! Mediators that are killed at random points under load: nothing that was acknowledged is lost, comes under another id,
//! or out of order.

use std::collections::BTreeMap;
use std::time::Duration;

use d2mtop::protocol::{DeviceId, Dialect, ServerMessage, SlotState};
use futures_util::SinkExt as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::{Signal, kill_process};
use tokio_tungstenite::tungstenite::Message;

use super::{DIALECTS, acknowledgement, log_in, start, text};
use crate::listener::client::{Client, reflect, segment};
use crate::support::program::Mediator;

/// How many in each dialect, unless `MEDIATOR_KILLS` says so.
const KILLS: u64 = 8;
/// How many messages may be on their way.
const WINDOW: u32 = 64;
/// After what time of load it is killed at the latest.
const SPAN: Duration = Duration::from_millis(120);

const AUTHOR: u64 = 1;
const READER: u64 = 2;
const ABSENT: u64 = 3;

/// What a device was sent, over all its connections.
#[derive(Default)]
struct Seen {
    by_id: BTreeMap<u32, String>,
}

impl Seen {
    fn take(&mut self, id: u32, text: &str) {
        let before = self.by_id.entry(id).or_insert_with(|| text.to_owned());
        assert_eq!(before, text, "the id {id} is that of one message");
    }

    /// By ids: each message once, in the order of its author.
    fn check(&self, acknowledged_to_author: &[u32]) {
        let numbers: Vec<u32> = self.by_id.values().map(|text| text.parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "doubled, or out of order: {numbers:?}");
        let lost: Vec<_> =
            acknowledged_to_author.iter().filter(|number| numbers.binary_search(number).is_err()).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_every_kill() {
    let kills = std::env::var("MEDIATOR_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(KILLS);
    for dialect in DIALECTS {
        let data = tempfile::tempdir().unwrap();
        let mut mediator = start(data.path());
        for device in [AUTHOR, READER, ABSENT] {
            log_in(&mediator, dialect, device, SlotState::New).await.0.leave().await;
        }
        let mut random = StdRng::seed_from_u64(17);
        let (mut acknowledged, mut next) = (Vec::new(), 1);
        let (mut seen, mut absent) = (Seen::default(), Seen::default());
        for number in 0..kills {
            let after = SPAN.mul_f64(random.gen_range(0.0..1.0));
            let before = acknowledged.len();
            let kill = async {
                // The point of time is what is tested.
                tokio::time::sleep(after).await;
                kill_process(mediator.process(), Signal::KILL).unwrap();
            };
            let author = author(&mediator, dialect, &mut next, &mut acknowledged);
            tokio::join!(kill, author, reader(&mediator, dialect, &mut seen));
            mediator.wait();
            mediator.restart();
            mediator.await_logged("restored", usize::try_from(number).unwrap() + 2);
            eprintln!("{dialect}: kill {number} after {after:?}: {} acknowledged", acknowledged.len() - before);
        }
        assert!(acknowledged.len() > WINDOW as usize, "there was load");
        for (device, seen) in [(READER, &mut seen), (ABSENT, &mut absent)] {
            let (_, messages) = log_in(&mediator, dialect, device, SlotState::Existing).await;
            for (id, text) in super::reflected(&messages) {
                seen.take(id, &text);
            }
            seen.check(&acknowledged);
        }
    }
}

/// Reflects until the mediator is gone; each text is reflected once.
async fn author(mediator: &Mediator, dialect: Dialect, next: &mut u32, acknowledged: &mut Vec<u32>) {
    let Some(mut client) = enter(mediator, dialect, AUTHOR).await else { return };
    let mut on_the_way = 0;
    loop {
        while on_the_way < WINDOW {
            let message = Message::Binary(reflect(*next, next.to_string().into()).encode(dialect));
            if client.socket.feed(message).await.is_err() {
                return;
            }
            (*next, on_the_way) = (*next + 1, on_the_way + 1);
        }
        if client.socket.flush().await.is_err() {
            return;
        }
        match client.next_or_end().await {
            Ok(ServerMessage::ReflectAck { id, .. }) => {
                acknowledged.push(id.0);
                on_the_way -= 1;
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Takes and acknowledges until the mediator is gone.
async fn reader(mediator: &Mediator, dialect: Dialect, seen: &mut Seen) {
    let Some(mut client) = enter(mediator, dialect, READER).await else { return };
    while let Ok(message) = client.next_or_end().await {
        let ServerMessage::Reflected(reflected) = message else { continue };
        seen.take(reflected.id.0, &text(reflected.envelope.as_bytes()));
        let message = Message::Binary(acknowledgement(reflected.id.0).encode(dialect));
        if client.socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Logs in; [`None`] if the mediator is gone before.
async fn enter(mediator: &Mediator, dialect: Dialect, device: u64) -> Option<Client> {
    let address = ([127, 0, 0, 1], mediator.port).into();
    let path = format!("/{}", segment(dialect));
    let mut client = Client::connect_at(address, &path, dialect).await.ok()?;
    client.try_login(DeviceId(device), SlotState::Existing).await.ok()?;
    Some(client)
}
