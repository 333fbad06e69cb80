//! [`Sequence`]: the ids of a slot rise by one and may wrap; whether any is missing.

use crate::protocol::ReflectedId;

/// Where the ids of a slot stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequence {
    newest: Option<u32>,
}

/// What an id says of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SequenceStep {
    /// How many ids were left out.
    pub(super) gap: Option<u32>,
    /// Whether the ids began again from zero.
    pub(super) wrapped: bool,
}

impl Sequence {
    pub(super) fn take(&mut self, ReflectedId(id): ReflectedId) -> SequenceStep {
        let Some(newest) = self.newest else {
            self.newest = Some(id);
            return SequenceStep::default();
        };
        // Half of all ids lie ahead; the others are older, and come again.
        let ahead = id.wrapping_sub(newest);
        if ahead == 0 || ahead > u32::MAX / 2 {
            return SequenceStep::default();
        }
        self.newest = Some(id);
        SequenceStep { gap: Some(ahead - 1).filter(|missing| *missing > 0), wrapped: id < newest }
    }

    /// The id of an ephemeral message, which a server may count along with the others, or not.
    pub(super) fn pass(&mut self, ReflectedId(id): ReflectedId) {
        if self.newest.is_some_and(|newest| newest.wrapping_add(1) == id) {
            self.newest = Some(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_the_wrap_are_told_and_old_ids_are_neither() {
        let cases = [
            (vec![5], SequenceStep::default()),
            (vec![5, 6], SequenceStep::default()),
            (vec![5, 9], SequenceStep { gap: Some(3), wrapped: false }),
            (vec![5, 9, 7], SequenceStep::default()),
            (vec![5, 9, 7, 10], SequenceStep::default()),
            (vec![5, 5], SequenceStep::default()),
            (vec![u32::MAX, 0], SequenceStep { gap: None, wrapped: true }),
            (vec![u32::MAX - 1, 1], SequenceStep { gap: Some(2), wrapped: true }),
            (vec![u32::MAX, 0, u32::MAX], SequenceStep::default()),
        ];
        for (ids, last) in cases {
            let mut sequence = Sequence::default();
            let steps: Vec<_> = ids.iter().map(|id| sequence.take(ReflectedId(*id))).collect();
            assert_eq!(steps.last(), Some(&last), "after {ids:?}");
        }
    }

    #[test]
    fn an_ephemeral_message_in_the_sequence_leaves_no_gap_and_one_beside_it_changes_nothing() {
        for (ephemeral, gap) in [(6, None), (0, Some(1)), (9, Some(1))] {
            let mut sequence = Sequence::default();
            sequence.take(ReflectedId(5));
            sequence.pass(ReflectedId(ephemeral));
            assert_eq!(sequence.take(ReflectedId(7)).gap, gap, "after the ephemeral {ephemeral}");
        }
    }
}
