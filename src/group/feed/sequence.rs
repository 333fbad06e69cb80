//! [`Sequence`]: the ids of a slot rise by one and may wrap; whether any is missing.

use crate::protocol::ReflectedId;

/// Where the ids of a slot stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequence {
    newest: Option<u32>,
}

/// What an id says of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// How many ids were left out.
    pub(super) gap: Option<u32>,
    /// Whether the ids began again from zero.
    pub(super) wrapped: bool,
}

impl Sequence {
    pub(super) fn take(&mut self, ReflectedId(id): ReflectedId) -> Step {
        let Some(newest) = self.newest else {
            self.newest = Some(id);
            return Step::default();
        };
        // Half of all ids lie ahead; the others are older, and come again.
        let ahead = id.wrapping_sub(newest);
        if ahead == 0 || ahead > u32::MAX / 2 {
            return Step::default();
        }
        self.newest = Some(id);
        Step { gap: Some(ahead - 1).filter(|missing| *missing > 0), wrapped: id < newest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_the_wrap_are_told_and_old_ids_are_neither() {
        let cases = [
            (vec![5], Step::default()),
            (vec![5, 6], Step::default()),
            (vec![5, 9], Step { gap: Some(3), wrapped: false }),
            (vec![5, 9, 7], Step::default()),
            (vec![5, 9, 7, 10], Step::default()),
            (vec![5, 5], Step::default()),
            (vec![u32::MAX, 0], Step { gap: None, wrapped: true }),
            (vec![u32::MAX - 1, 1], Step { gap: Some(2), wrapped: true }),
            (vec![u32::MAX, 0, u32::MAX], Step::default()),
        ];
        for (ids, last) in cases {
            let mut sequence = Sequence::default();
            let steps: Vec<_> = ids.iter().map(|id| sequence.take(ReflectedId(*id))).collect();
            assert_eq!(steps.last(), Some(&last), "after {ids:?}");
        }
    }
}
