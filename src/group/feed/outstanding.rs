//! [`Outstanding`]: what is received and not yet acknowledged, in the order of receipt, found by its id.

use std::collections::{BTreeSet, VecDeque};

use crate::protocol::ReflectedId;

/// Ids with the numbers of their rows.
///
/// Acknowledgements and redeliveries come in the order of receipt, and then the search ends at the front. What is passed over
/// by one that does not is put aside, once, and found by its id from then on.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    in_order: VecDeque<(ReflectedId, u64)>,
    aside: BTreeSet<(ReflectedId, u64)>,
    /// How many entries were touched, for a test that shows how few.
    #[cfg(test)]
    pub(super) touched: u64,
}

impl Outstanding {
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.aside.len()
    }

    /// Adds one at the end; the oldest goes if there are more than `capacity` then.
    pub(super) fn push(&mut self, capacity: usize, id: ReflectedId, number: u64) {
        self.touch(1);
        if self.len() >= capacity && self.aside.pop_first().is_none() {
            self.in_order.pop_front();
        }
        self.in_order.push_back((id, number));
    }

    /// Takes one out: the number of its row.
    pub(super) fn take(&mut self, id: ReflectedId) -> Option<u64> {
        self.touch(1);
        if let Some((_, number)) = self.in_order.pop_front_if(|(first, _)| *first == id) {
            return Some(number);
        }
        self.touch(self.in_order.len());
        self.aside.extend(self.in_order.drain(..));
        let found = *self.aside.range((id, 0)..=(id, u64::MAX)).next()?;
        self.aside.remove(&found);
        Some(found.1)
    }

    /// Moves all to the end of `other`.
    pub(super) fn move_to(&mut self, other: &mut Self, capacity: usize) {
        let aside = std::mem::take(&mut self.aside);
        for (id, number) in aside.into_iter().chain(self.in_order.drain(..)) {
            other.push(capacity, id, number);
        }
    }

    #[cfg(test)]
    const fn touch(&mut self, entries: usize) {
        self.touched += entries as u64;
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "it counts in tests")]
    const fn touch(&mut self, _entries: usize) {}

    pub(super) fn clear(&mut self) {
        self.in_order.clear();
        self.aside.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_finds_each_once_and_quickly() {
        const COUNT: u32 = 200_000;
        let orders: [Box<dyn Iterator<Item = u32>>; 3] =
            [Box::new(0..COUNT), Box::new((0..COUNT).rev()), Box::new((0..COUNT).map(|id| id * 7_919 % COUNT))];
        for order in orders {
            let (mut before, mut after) = (Outstanding::default(), Outstanding::default());
            (0..COUNT).for_each(|id| before.push(usize::MAX, ReflectedId(id), u64::from(id) + 5));
            for id in order {
                assert_eq!(before.take(ReflectedId(id)), Some(u64::from(id) + 5));
                after.push(usize::MAX, ReflectedId(id), 1);
            }
            assert_eq!((before.len(), after.len()), (0, 200_000));
            assert_eq!(before.take(ReflectedId(0)), None);
        }
    }

    #[test]
    fn it_is_bounded_and_of_two_with_one_id_the_older_is_found() {
        let mut queue = Outstanding::default();
        for number in 0..10 {
            queue.push(4, ReflectedId(7), number);
        }
        assert_eq!((queue.len(), queue.take(ReflectedId(8)), queue.take(ReflectedId(7))), (4, None, Some(6)));
        queue.push(4, ReflectedId(9), 10);
        let mut other = Outstanding::default();
        queue.move_to(&mut other, 4);
        assert_eq!((queue.len(), other.len(), other.take(ReflectedId(9))), (0, 4, Some(10)));
        other.clear();
        assert_eq!(other.len(), 0);
    }
}
