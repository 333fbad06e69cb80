//! What is to be done, in order. With a store, what tells of a change waits until that is stored.

use std::collections::VecDeque;

use super::io::MediatorOutput;
use super::storage::{Batch, Change};

#[derive(Debug)]
pub(super) struct Outbox {
    stores: bool,
    ready: VecDeque<MediatorOutput>,
    /// Changes that are in no batch yet, and what may tell of them.
    changes: Vec<Change>,
    fresh: Vec<MediatorOutput>,
    /// What waits for a batch, by its number.
    held: VecDeque<(u64, MediatorOutput)>,
    last: u64,
    committed: u64,
}

impl Outbox {
    pub(super) const fn new(stores: bool) -> Self {
        Self {
            stores,
            ready: VecDeque::new(),
            changes: Vec::new(),
            fresh: Vec::new(),
            held: VecDeque::new(),
            last: 0,
            committed: 0,
        }
    }

    pub(super) const fn stores(&self) -> bool {
        self.stores
    }

    pub(super) fn put(&mut self, output: MediatorOutput) {
        // Only what others hear must be true after any end of this program.
        let tells = matches!(
            output,
            MediatorOutput::Send { .. } | MediatorOutput::Close { .. } | MediatorOutput::Operated { .. }
        );
        if self.stores && tells {
            self.fresh.push(output);
        } else {
            self.ready.push_back(output);
        }
    }

    /// Adds a change to the next batch, if there is a store.
    pub(super) fn store(&mut self, change: Change) {
        if !self.stores {
            return;
        }
        match (self.changes.last_mut(), &change) {
            (
                Some(Change::Acknowledged { group, device, last, bytes, .. }),
                Change::Acknowledged { group: of, device: by, first: next, last: to, bytes: more },
            ) if group == of && device == by && *last + 1 == *next => {
                *last = *to;
                *bytes += more;
            }
            _ => self.changes.push(change),
        }
    }

    pub(super) fn take_batch(&mut self) -> Option<Batch> {
        let batch = (!self.changes.is_empty()).then(|| {
            self.last += 1;
            Batch { number: self.last, changes: std::mem::take(&mut self.changes) }
        });
        // Whatever is told now may rest on the newest change that there is, whoever made it.
        if self.last == self.committed {
            self.ready.extend(self.fresh.drain(..));
        } else {
            self.held.extend(self.fresh.drain(..).map(|output| (self.last, output)));
        }
        batch
    }

    pub(super) fn committed(&mut self, batch: u64) {
        self.committed = batch;
        while let Some((_, output)) = self.held.pop_front_if(|(needs, _)| *needs <= batch) {
            self.ready.push_back(output);
        }
    }

    /// The store will say no more: whoever is closed is told so all the same, and nothing else that waits.
    pub(super) fn give_up(&mut self) {
        let waiting = self.held.drain(..).map(|(_, output)| output).chain(self.fresh.drain(..));
        self.ready.extend(waiting.filter(|output| matches!(output, MediatorOutput::Close { .. })));
    }

    pub(super) fn poll(&mut self) -> Option<MediatorOutput> {
        self.ready.pop_front()
    }
}
