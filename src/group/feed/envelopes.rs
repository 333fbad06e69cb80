//! [`Envelopes`]: the newest sealed envelopes, as many as fit into so many bytes.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::protocol::Sealed;
use crate::protocol::d2d::Envelope;

/// The newest sealed envelopes.
#[derive(Debug, Default)]
pub(super) struct Envelopes {
    kept: VecDeque<(u64, Sealed<Envelope>)>,
    bytes: usize,
    budget: usize,
}

/// Its bytes, and what keeping any takes.
fn cost(envelope: &Sealed<Envelope>) -> usize {
    envelope.len() + size_of::<(u64, Sealed<Envelope>)>()
}

impl Envelopes {
    pub(super) fn with_budget(budget: usize) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Copies the envelope: as it is, it would keep alive all that was read off the socket with it.
    pub(super) fn keep(&mut self, number: u64, envelope: &Sealed<Envelope>) {
        let taken = cost(envelope);
        if taken > self.budget {
            return;
        }
        self.bytes += taken;
        self.kept.push_back((number, Sealed::from_wire(Bytes::copy_from_slice(envelope.as_bytes()))));
        while self.bytes > self.budget
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            self.bytes -= cost(&oldest);
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<&Sealed<Envelope>> {
        let index = self.kept.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.kept.get(index).map(|(_, envelope)| envelope)
    }

    /// Rows before this one are gone, and their envelopes with them.
    pub(super) fn forget_before(&mut self, number: u64) {
        while self.kept.front().is_some_and(|(kept, _)| *kept < number)
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            self.bytes -= cost(&oldest);
        }
    }
}
