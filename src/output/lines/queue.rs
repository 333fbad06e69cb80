//! [`LineQueue`]: what waits for a reader. Whoever fills it never waits; what finds no room is left out and summed up.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What a full queue leaves out, and what is said of that.
pub trait Overflow {
    type Item;
    /// The sum of what was left out.
    type LeftOut;

    /// How much room there is before anything is left out, in lines or bytes.
    const ROOM: usize;
    /// How many items are kept beyond that: the newest of those that [`Self::is_essential`].
    const MAX_ESSENTIAL: usize = 0;

    /// How much room the item takes.
    fn room_of(item: &Self::Item) -> usize;

    /// Whether the reader should get the item however slow they are.
    fn is_essential(_item: &Self::Item) -> bool {
        false
    }

    /// Whether the older item tells nothing any more once the newer one is told.
    fn replaces(_newer: &Self::Item, _older: &Self::Item) -> bool {
        false
    }

    /// Adds an item to what was left out before it.
    fn leave_out(left_out: Option<Self::LeftOut>, item: &Self::Item) -> Self::LeftOut;

    /// The sum of what was left out first, and then.
    fn join(first: Self::LeftOut, then: Self::LeftOut) -> Self::LeftOut;
}

/// What comes out of a queue.
#[derive(Debug)]
pub enum Queued<T, L> {
    /// What was put in.
    Item(T),
    /// What is missing here.
    LeftOut(L),
}

type QueuedOf<P> = Queued<<P as Overflow>::Item, <P as Overflow>::LeftOut>;

/// Items on their way to a reader.
pub struct LineQueue<P: Overflow> {
    state: Mutex<LineQueueState<P>>,
    filled: Condvar,
    changed: Notify,
}

struct LineQueueState<P: Overflow> {
    waiting: VecDeque<QueuedOf<P>>,
    /// The room of all that was put in and is not yet written.
    taken: usize,
    /// The essential items that came when there was no room.
    essential: VecDeque<Essential<P>>,
    /// What was left out since the last of all these.
    left_out: Option<P::LeftOut>,
    ended: bool,
}

/// An item that is kept, and what was left out before it.
struct Essential<P: Overflow> {
    left_out: Option<P::LeftOut>,
    item: P::Item,
}

impl<P: Overflow> Default for LineQueue<P> {
    fn default() -> Self {
        let (waiting, essential) = (VecDeque::new(), VecDeque::new());
        let state = LineQueueState { waiting, taken: 0, essential, left_out: None, ended: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), changed: Notify::new() }
    }
}

impl<P: Overflow> LineQueue<P> {
    fn state(&self) -> MutexGuard<'_, LineQueueState<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut LineQueueState<P>)) {
        change(&mut self.state());
        self.filled.notify_one();
        self.changed.notify_one();
    }

    /// Puts an item in, or leaves it out.
    pub fn push(&self, item: P::Item) {
        self.update(|state| state.push(item));
    }

    /// Nothing more comes.
    pub fn end(&self) {
        self.update(|state| state.ended = true);
    }

    /// Waits until something was put in since the last call, or nothing more comes.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Everything that waits, whose room is free then; and whether nothing more comes.
    pub fn take(&self) -> (VecDeque<QueuedOf<P>>, bool) {
        let mut state = self.state();
        state.taken = 0;
        let mut items = mem::take(&mut state.waiting);
        items.extend(state.overflown());
        (items, state.ended)
    }

    /// The next item, for which a thread is ready to wait; [`None`] at the end. The room of an item is free after
    /// [`Self::written`].
    pub fn next(&self) -> Option<QueuedOf<P>> {
        let state = self.state();
        let waits = |state: &mut LineQueueState<P>| !(state.refill() || state.ended);
        let mut state = self.filled.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.waiting.pop_front()
    }

    /// The same if there is one now.
    pub fn try_next(&self) -> Option<QueuedOf<P>> {
        let mut state = self.state();
        state.refill();
        state.waiting.pop_front()
    }

    /// What was left out last.
    #[cfg(test)]
    pub fn left_out(&self) -> Option<P::LeftOut>
    where
        P::LeftOut: Copy,
    {
        self.state().left_out
    }

    /// Frees the room of an item that came out by [`Self::next`].
    pub fn written(&self, room: usize) {
        let mut state = self.state();
        state.taken = state.taken.saturating_sub(room);
    }
}

/// Ends a queue when it is dropped, also by a panic: whoever waits for the rest would wait for ever.
pub struct EndOnDrop<P: Overflow>(pub Arc<LineQueue<P>>);

impl<P: Overflow> Drop for EndOnDrop<P> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<P: Overflow> LineQueueState<P> {
    fn push(&mut self, item: P::Item) {
        let room = P::room_of(&item);
        if self.essential.is_empty() && self.taken + room <= P::ROOM {
            self.taken += room;
            self.waiting.extend(self.left_out.take().map(Queued::LeftOut));
            return self.waiting.push_back(Queued::Item(item));
        }
        if !P::is_essential(&item) {
            self.left_out = Some(P::leave_out(self.left_out.take(), &item));
            return;
        }
        // From the end, where the replaced one is if it comes often.
        if let Some(index) = self.essential.iter().rposition(|older| P::replaces(&item, &older.item)) {
            self.leave_out_essential(index);
        }
        self.essential.push_back(Essential { left_out: self.left_out.take(), item });
        if self.essential.len() > P::MAX_ESSENTIAL {
            self.leave_out_essential(0);
        }
    }

    fn leave_out_essential(&mut self, index: usize) {
        let Some(Essential { left_out, item }) = self.essential.remove(index) else { return };
        let left_out = P::leave_out(left_out, &item);
        let next = self.essential.get_mut(index).map_or(&mut self.left_out, |next| &mut next.left_out);
        *next = Some(match next.take() {
            Some(then) => P::join(left_out, then),
            None => left_out,
        });
    }

    fn overflown(&mut self) -> Vec<QueuedOf<P>> {
        let mut overflown = Vec::new();
        for Essential { left_out, item } in mem::take(&mut self.essential) {
            overflown.extend(left_out.map(Queued::LeftOut));
            overflown.push(Queued::Item(item));
        }
        overflown.extend(self.left_out.take().map(Queued::LeftOut));
        overflown
    }

    /// Whether something waits, be it what found no room.
    fn refill(&mut self) -> bool {
        if self.waiting.is_empty() {
            let overflown = self.overflown();
            self.waiting.extend(overflown);
        }
        !self.waiting.is_empty()
    }
}
