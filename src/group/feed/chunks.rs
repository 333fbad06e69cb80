//! [`Chunks`]: a queue that grows and shrinks by pieces of equal size, so that it is never copied and never doubles.

use std::collections::VecDeque;

const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 10;

/// A queue by pieces.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    pieces: VecDeque<Vec<T>>,
    /// How many at the beginning of the first chunk are gone.
    gone: usize,
    /// The chunk that was emptied last, for the next that is needed.
    spare: Option<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { pieces: VecDeque::new(), gone: 0, spare: None, len: 0 }
    }
}

impl<T: Copy> Chunks<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let place = index.checked_add(self.gone)?;
        self.pieces.get(place >> CHUNK_BITS)?.get(place & (CHUNK - 1))
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let place = index.checked_add(self.gone)?;
        self.pieces.get_mut(place >> CHUNK_BITS)?.get_mut(place & (CHUNK - 1))
    }

    pub(super) fn push(&mut self, value: T) {
        self.len += 1;
        if let Some(last) = self.pieces.back_mut().filter(|last| last.len() < CHUNK) {
            last.push(value);
            return;
        }
        let mut chunk = self.spare.take().unwrap_or_else(|| Vec::with_capacity(CHUNK));
        chunk.push(value);
        self.pieces.push_back(chunk);
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        let value = *self.pieces.front()?.get(self.gone)?;
        self.len -= 1;
        self.gone += 1;
        if self.gone == CHUNK {
            self.gone = 0;
            self.spare = self.pieces.pop_front();
            if let Some(spare) = &mut self.spare {
                spare.clear();
            }
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_are_a_queue(steps in prop::collection::vec((0_usize..3_000, 0_usize..3_000), 0..12)) {
            let (mut chunks, mut queue, mut next) = (Chunks::default(), VecDeque::new(), 0_u32);
            for (pushes, pops) in steps {
                for _ in 0..pushes {
                    chunks.push(next);
                    queue.push_back(next);
                    next += 1;
                }
                for _ in 0..pops {
                    prop_assert_eq!(chunks.pop_front(), queue.pop_front());
                }
                prop_assert_eq!(chunks.len(), queue.len());
                for index in [0, 1, queue.len() / 2, queue.len().saturating_sub(1), queue.len()] {
                    prop_assert_eq!(chunks.get(index), queue.get(index), "at {}", index);
                }
            }
        }
    }
}
