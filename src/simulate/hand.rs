//! The simulated phone in somebody's hand: its session can be asked for the lock while it plays.

use tokio::sync::mpsc;

use super::world;
use crate::group::Event;
use crate::protocol::{Dialect, GroupSecret, Millis, ServerGroup, ServerGroupError};
use crate::rendezvous::wire::EssentialData;
use crate::runtime::OneShotSession;
use crate::session::Command;
use crate::text::Clean;

/// The server group of the demo.
pub(super) const SERVER_GROUP: &str = "01";

/// The phone of the demo that admits devices.
pub struct SimulatedPhone {
    /// Its session, which goes on as the script says, too.
    pub session: OneShotSession,
    /// Where it meets new devices.
    pub rendezvous: String,
    /// The mediator of its group.
    pub mediator: String,
    secret: GroupSecret,
    seed: u64,
}

/// What the player has of it.
pub(super) struct Hand {
    pub(super) asks: mpsc::Receiver<Command>,
    pub(super) tells: mpsc::UnboundedSender<(Millis, Event)>,
}

impl SimulatedPhone {
    pub(super) fn new(port: u16, secret: GroupSecret, seed: u64) -> (Self, Hand) {
        let (session, asks, tells) = OneShotSession::beside();
        let (mediator, rendezvous) = (format!("ws://127.0.0.1:{port}/"), format!("ws://127.0.0.1:{port}/rendezvous"));
        (Self { session, rendezvous, mediator, secret, seed }, Hand { asks, tells })
    }

    /// What it gives to a new device: as a phone does, with the names of all that it knows.
    ///
    /// # Errors
    /// Never, as long as the demo's server group is one.
    pub fn essential_data(&self) -> Result<EssentialData, ServerGroupError> {
        Ok(EssentialData {
            secret: self.secret.duplicate(),
            server_group: ServerGroup::parse(SERVER_GROUP, Dialect::Dgk)?,
            identity: Some(Clean::literal(world::OWN_IDENTITY)),
            names: world::names(self.seed),
        })
    }
}
