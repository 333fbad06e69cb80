//! A transaction of a group: begun, refused, committed, or aborted.

use super::connection::{Wire, own};
use super::connection_id::ConnectionId;
use super::group::HostedGroup;
use super::lock::Transaction;
use super::log::{Closing, LogEvent};
use super::queue::{QueueLimits, QueuedMessage};
use crate::protocol::{CloseCode, DeviceId, Sealed, ServerMessage, TransactionScope};

/// The most bytes of a sealed scope: it must fit into the messages that pass it on, and real ones take fifty.
const MAX_SCOPE: usize = 4_096;

impl HostedGroup {
    /// Takes the lock or refuses it; whether it was taken.
    pub(super) fn begin(
        &mut self,
        wire: &mut Wire,
        device: DeviceId,
        scope: &Sealed<TransactionScope>,
    ) -> Result<bool, Closing> {
        if scope.len() > MAX_SCOPE {
            return Err(Closing::protocol_error("the transaction scope is too large"));
        }
        let (answer, taken) = match &self.lock {
            Some(lock) => {
                wire.tally.locks_refused += 1;
                (ServerMessage::TransactionRejected { holder: lock.holder, scope: lock.scope.clone() }, false)
            }
            None => (ServerMessage::BeginTransactionAck, true),
        };
        if taken {
            let scope = Sealed::from_wire(own(scope.as_bytes()));
            self.lock = Some(Transaction::new(device, scope));
            wire.log(LogEvent::LockTaken { group: self.id, device });
        }
        if let Some(slot) = self.slots.get_mut(&device) {
            slot.send_in_order(wire, &answer);
        }
        Ok(taken)
    }

    /// Keeps a reflection of the holder until the commit, if anybody is to get it; gives it back if its author holds no
    /// lock.
    pub(super) fn hold_back(
        &mut self,
        author: DeviceId,
        item: QueuedMessage,
        limits: QueueLimits,
    ) -> Result<Option<QueuedMessage>, Closing> {
        let Some(lock) = self.lock.as_mut().filter(|lock| lock.holder == author) else { return Ok(Some(item)) };
        let somebody_gets_it = self.slots.keys().any(|device| *device != author);
        if somebody_gets_it && lock.hold_back(item, limits).is_err() {
            return Err(Closing::protocol_error("more was reflected in one transaction than a queue may hold"));
        }
        Ok(None)
    }

    /// Delivers what was held back, then acknowledges, then tells the others. Returns whose queue is too long now.
    pub(super) fn commit(
        &mut self,
        wire: &mut Wire,
        device: DeviceId,
        limits: QueueLimits,
    ) -> Result<Vec<DeviceId>, Closing> {
        let Some(mut lock) = self.lock.take_if(|lock| lock.holder == device) else {
            return Err(Closing::protocol_error("there is no transaction to commit"));
        };
        let mut too_long: Vec<DeviceId> =
            lock.take_held_back().iter().flat_map(|item| self.store(wire, device, item, limits)).collect();
        too_long.sort_unstable();
        too_long.dedup();
        self.pump(wire);
        if let Some(slot) = self.slots.get_mut(&device) {
            slot.send_in_order(wire, &ServerMessage::CommitTransactionAck);
        }
        self.announce_end(wire, lock, true);
        Ok(too_long)
    }

    /// Ends a device's transaction, if it has one, and forgets what it reflected; whether it had one.
    pub(super) fn abort(&mut self, wire: &mut Wire, device: DeviceId) -> bool {
        let Some(lock) = self.lock.take_if(|lock| lock.holder == device) else { return false };
        self.announce_end(wire, lock, false);
        true
    }

    /// Why the holder's connection is closed when its time is over, and who that is.
    pub(super) fn expired_holder(&self) -> Option<(ConnectionId, Closing)> {
        let holder = self.lock.as_ref()?.holder;
        let connection = self.slots.get(&holder)?.connection()?;
        Some((connection, Closing::new(CloseCode::TRANSACTION_EXPIRED, "the transaction took too long")))
    }

    fn announce_end(&mut self, wire: &mut Wire, lock: Transaction, committed: bool) {
        let Transaction { holder, scope, .. } = lock;
        let ended = ServerMessage::TransactionEnded { holder, scope };
        for (_, slot) in self.slots.iter_mut().filter(|(device, _)| **device != holder) {
            slot.send_after_queue(wire, &ended);
        }
        wire.log(LogEvent::LockReleased { group: self.id, device: holder, committed });
        self.pump(wire);
    }
}
