//! What a mediator is told by the devices of a group, and by whoever pretends to be one.

use std::time::Duration;

use d2mtop::protocol::{Dialect, TransactionScope};
use d2mtop::session::{Command, LinkEnd, SessionInput};
use d2mtop::text::Clean;

use super::choices::Choices;
use super::network::{MEMORY, Network};

pub fn mediator(data: &[u8]) {
    let mut choices = Choices::new(data);
    let dialect = if choices.of(2) == 0 { Dialect::Dgk } else { Dialect::Mk };
    let mut network = Network::new(dialect, 3);
    while let Some(choice) = choices.next() {
        let client = choices.of(3);
        match choice % 12 {
            0..=2 => network.deliver_to_server(client, 1 + choices.of(8)),
            3 | 4 => {
                network.deliver_to_client(client, 1 + choices.of(8));
                network.make_durable(client);
            }
            5 | 6 => network.reflect(client),
            7 => network.inject_to_server(client, choices.bytes()),
            8 => network.hang_up(client, Some(LinkEnd::Broken(Clean::default()))),
            9 => network.pass(Duration::from_millis(1 << choices.of(24))),
            10 => {
                network.clients[client].asked_lock = true;
                let lock = Command::TakeLock { scope: TransactionScope::ContactSync, ttl: None };
                network.input(client, SessionInput::Command(lock));
            }
            _ => network.input(client, SessionInput::Command(Command::ReleaseLock)),
        }
        let figures = network.mediator.figures();
        assert!(figures.bytes <= MEMORY && figures.most_bytes <= 8 * 1024, "more is kept than may be: {figures:?}");
        assert!(figures.slots <= 4, "more slots than may be: {figures:?}");
    }
}
