//! What there is at the moment, and what there was so far: for whoever runs it.

use super::Mediator;

/// Numbers of a mediator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediatorFigures {
    /// Clients that have not answered the challenge.
    pub challenged: usize,
    /// Clients that are logged in.
    pub logged_in: usize,
    /// The groups that have a slot.
    pub groups: usize,
    /// The slots of all groups.
    pub slots: usize,
    /// Messages in all queues.
    pub messages: usize,
    /// What they take of the queues' bytes.
    pub bytes: usize,
    /// Messages in the longest queue.
    pub most_messages: usize,
    /// The bytes of the largest queue.
    pub most_bytes: usize,
    /// The bytes that are held in memory for all groups and connections.
    pub held_bytes: usize,
    /// Groups whose lock is held.
    pub locks: usize,
    /// Reflections that were taken so far.
    pub reflections: u64,
    /// Reflected messages that were sent so far.
    pub deliveries: u64,
    /// How often a lock was asked for in vain so far.
    pub locks_refused: u64,
}

/// What is counted as it happens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) reflections: u64,
    pub(super) deliveries: u64,
    pub(super) locks_refused: u64,
}

impl Mediator {
    /// Looks at every slot, so not for every message.
    #[must_use]
    pub fn figures(&self) -> MediatorFigures {
        let Tally { reflections, deliveries, locks_refused } = self.wire.tally;
        let mut figures = MediatorFigures {
            challenged: self.wire.count() - self.logged_in,
            logged_in: self.logged_in,
            groups: self.groups.len(),
            held_bytes: self.held_bytes(),
            reflections,
            deliveries,
            locks_refused,
            ..MediatorFigures::default()
        };
        for group in self.groups.values() {
            figures.slots += group.slots.len();
            figures.locks += usize::from(group.lock.is_some());
            for slot in group.slots.values() {
                let (messages, bytes) = (slot.queue.waiting(), slot.queue.bytes());
                figures.messages += messages;
                figures.bytes += bytes;
                figures.most_messages = figures.most_messages.max(messages);
                figures.most_bytes = figures.most_bytes.max(bytes);
            }
        }
        figures
    }
}
