//! What a client's session is told, in any order: with the mediator's words, or with anything.

use std::time::Duration;

use d2mtop::protocol::{CloseCode, Dialect, TransactionScope};
use d2mtop::session::{Command, LinkEnd, SessionInput};
use d2mtop::text::Clean;

use super::choices::Choices;
use super::network::Network;

const OURS: usize = 0;
const OTHER: usize = 1;

pub fn session(data: &[u8]) {
    let mut choices = Choices::new(data);
    let dialect = if choices.of(2) == 0 { Dialect::Dgk } else { Dialect::Mk };
    let mut network = Network::new(dialect, 2);
    while let Some(choice) = choices.next() {
        match choice % 20 {
            0..=3 => network.deliver_to_client(OURS, 1 + choices.of(4)),
            4..=6 => network.deliver_to_server(OURS, 1 + choices.of(4)),
            7 => network.deliver_to_client(OTHER, 8),
            8 => network.deliver_to_server(OTHER, 8),
            9 => network.reflect(OTHER),
            10 => network.reflect(OURS),
            11 | 12 => network.make_durable(OURS),
            13 => network.pass(Duration::from_millis(1 << choices.of(20))),
            14 => {
                let end = if choices.of(2) == 0 {
                    LinkEnd::Broken(Clean::default())
                } else {
                    LinkEnd::Closed {
                        code: CloseCode(4000 + u16::from(choices.next().unwrap_or(0))),
                        reason: Clean::default(),
                    }
                };
                network.hang_up(OURS, Some(end));
            }
            15 => network.inject(OURS, choices.bytes()),
            16 => network.input(
                OURS,
                match choices.of(3) {
                    0 => SessionInput::Pong,
                    1 => SessionInput::Alive,
                    _ => SessionInput::TextFrame,
                },
            ),
            17 => network.input(OURS, SessionInput::Redeliver { connection: choices.of(4) as u64 }),
            _ => {
                let command = command(choices.of(8));
                network.clients[OURS].asked_lock |= matches!(command, Command::TakeLock { .. } | Command::LookAtLock);
                network.input(OURS, SessionInput::Command(command));
            }
        }
    }
}

fn command(choice: usize) -> Command {
    match choice {
        0 => Command::TakeLock { scope: TransactionScope::ContactSync, ttl: None },
        1 => Command::TakeLock { scope: TransactionScope::GroupSync, ttl: Some(Duration::from_secs(7)) },
        2 => Command::ReleaseLock,
        3 => Command::LookAtLock,
        4 => Command::RefreshDevices,
        5 => Command::Ping,
        6 => Command::AcknowledgeDevices,
        _ => Command::Reconnect { expect: None },
    }
}
