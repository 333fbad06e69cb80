//! Connections that have not logged in: few enough that they never keep a login out.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use tokio::task::AbortHandle;

use super::door::ClientAddress;
use crate::mediator::ConnectionId;

/// How many connections that are not logged in are kept. One more takes the place of another.
const MOST: usize = 512;

/// One that is not logged in.
#[derive(Debug)]
pub(super) struct PendingConnection {
    pub(super) id: ConnectionId,
    pub(super) peer: ClientAddress,
    pub(super) task: AbortHandle,
}

/// Those that are not logged in, the longest waiting first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    by_id: BTreeMap<ConnectionId, PendingConnection>,
    by_host: HashMap<Option<IpAddr>, usize>,
}

impl Pending {
    /// Adds one. Returns the one that has to go for it: of the address that has most, the one that has waited longest, so
    /// that neither silence nor a crowd from elsewhere keeps a newcomer out.
    pub(super) fn add(
        &mut self,
        id: ConnectionId,
        peer: ClientAddress,
        task: AbortHandle,
    ) -> Option<PendingConnection> {
        let evicted = if self.by_id.len() < MOST { None } else { self.evict() };
        *self.by_host.entry(peer.host()).or_default() += 1;
        self.by_id.insert(id, PendingConnection { id, peer, task });
        evicted
    }

    pub(super) fn contains(&self, id: ConnectionId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<PendingConnection> {
        let removed = self.by_id.remove(&id)?;
        if let Some(count) = self.by_host.get_mut(&removed.peer.host()) {
            *count -= 1;
            if *count == 0 {
                self.by_host.remove(&removed.peer.host());
            }
        }
        Some(removed)
    }

    fn evict(&mut self) -> Option<PendingConnection> {
        let (crowded, _) = self.by_host.iter().max_by_key(|(_, count)| **count)?;
        let longest = self.by_id.values().find(|connection| connection.peer.host() == *crowded)?.id;
        self.remove(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something to abort.
    fn task() -> AbortHandle {
        tokio::spawn(async {}).abort_handle()
    }

    #[tokio::test]
    async fn a_newcomer_takes_the_place_of_the_longest_waiting_of_the_crowd() {
        let peer = |host: u8| ClientAddress::Tcp(([10, 0, 0, host], 1).into());
        let mut pending = Pending::default();
        // An honest one comes first, then a crowd.
        assert!(pending.add(ConnectionId(0), peer(1), task()).is_none());
        for id in 1..MOST as u64 {
            assert!(pending.add(ConnectionId(id), peer(2), task()).is_none());
        }
        for id in 0..10 {
            let evicted = pending.add(ConnectionId(1_000 + id), peer(3), task()).expect("one has to go");
            assert_eq!((evicted.id, evicted.peer), (ConnectionId(1 + id), peer(2)));
        }
        assert!(pending.contains(ConnectionId(0)));
        assert_eq!(pending.by_id.len(), MOST);
        for id in pending.by_id.keys().copied().collect::<Vec<_>>() {
            pending.remove(id);
        }
        assert!(pending.by_host.is_empty(), "no address is remembered for nobody");
    }
}
