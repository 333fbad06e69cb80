//! What was received: ids, so that nothing is acknowledged twice, and nonces, so that a replay is noticed.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use crate::protocol::{Nonce, NonceFingerprinter, ReflectedId};

/// A set of ids as ranges, by their first id. Ids rise, so that weeks of messages take one range; a server that skips ids
/// costs one range a gap, of which the lowest go first.
#[derive(Clone, Debug, Default)]
pub(super) struct IdRanges(BTreeMap<u32, u32>);

const MOST_RANGES: usize = 65_536;

/// What an id says of its message on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receipt {
    /// It had not come.
    First,
    Again,
    /// Too much has come to tell.
    Unknown,
}

/// The ids received on one connection. An id that is among those forgotten may have been acknowledged, which must not be
/// done twice, or may be new: what is not acknowledged comes again on the next connection, so that nothing is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionIds {
    known: IdRanges,
    /// From the lowest to the highest id that was forgotten.
    forgotten: Option<(u32, u32)>,
}

impl ConnectionIds {
    /// Takes an id in.
    pub(super) fn take(&mut self, id: ReflectedId) -> Receipt {
        if self.known.contains(id) {
            return Receipt::Again;
        }
        if self.forgotten.is_some_and(|(first, last)| (first..=last).contains(&id.0)) {
            return Receipt::Unknown;
        }
        if let Some((first, last)) = self.known.insert(id) {
            let (lowest, highest) = self.forgotten.unwrap_or((first, last));
            self.forgotten = Some((lowest.min(first), highest.max(last)));
        }
        Receipt::First
    }

    /// Those that are not forgotten.
    pub(super) fn known(self) -> IdRanges {
        self.known
    }
}

impl IdRanges {
    pub(super) fn contains(&self, id: ReflectedId) -> bool {
        self.0.range(..=id.0).next_back().is_some_and(|(_, last)| id.0 <= *last)
    }

    /// Adds an id; the range that had to go for it, if there is one.
    pub(super) fn insert(&mut self, id: ReflectedId) -> Option<(u32, u32)> {
        // Redelivered ids may fall, too: those take one range as well.
        if let Some(above) = id.0.checked_add(1)
            && !self.contains(id)
            && let Some(last) = self.0.remove(&above)
        {
            let below = self.0.range_mut(..id.0).next_back().filter(|(_, end)| end.checked_add(1) == Some(id.0));
            match below {
                Some((_, end)) => *end = last,
                None => drop(self.0.insert(id.0, last)),
            }
            return None;
        }
        match self.0.range_mut(..=id.0).next_back() {
            Some((_, last)) if id.0 <= *last => None,
            Some((_, last)) if last.checked_add(1) == Some(id.0) => {
                *last = id.0;
                None
            }
            _ => self.add(id.0, id.0),
        }
    }

    /// From the first to the last id of each range.
    pub(super) fn ranges(&self) -> Vec<(u32, u32)> {
        self.0.iter().map(|(first, last)| (*first, *last)).collect()
    }

    pub(super) fn of_ranges(ranges: Vec<(u32, u32)>) -> Self {
        let mut all = Self::default();
        all.merge(Self(ranges.into_iter().filter(|(first, last)| first <= last).collect()));
        all
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (first, last) in other.0 {
            let before = self.0.range(..=first).next_back().filter(|(_, end)| first <= end.saturating_add(1));
            let (first, mut last) = before.map_or((first, last), |(start, end)| (*start, last.max(*end)));
            // What it reaches is part of it now.
            while let Some((start, end)) =
                self.0.range(first..=last.saturating_add(1)).next_back().map(|(s, e)| (*s, *e))
            {
                last = last.max(end);
                self.0.remove(&start);
            }
            self.add(first, last);
        }
    }

    fn add(&mut self, first: u32, last: u32) -> Option<(u32, u32)> {
        self.0.insert(first, last);
        if self.0.len() > MOST_RANGES { self.0.pop_first() } else { None }
    }
}

/// The nonces of messages that were received.
#[derive(Debug)]
pub(super) enum SeenNonces {
    /// The last ones of this session, where nothing is kept.
    Recent { known: HashSet<u128>, order: VecDeque<u128> },
    /// All that the journal ever had, as fingerprints: a tree takes less than 20 bytes for each.
    Ever { fingerprinter: NonceFingerprinter, known: BTreeSet<u64> },
}

/// As many as stay in the processor's cache: looking further back without a journal would cost more than opening a message.
const MOST_NONCES: usize = 20_000;

impl Default for SeenNonces {
    fn default() -> Self {
        Self::Recent { known: HashSet::new(), order: VecDeque::new() }
    }
}

impl SeenNonces {
    pub(super) fn ever(fingerprinter: NonceFingerprinter, mut fingerprints: Vec<u64>) -> Self {
        // In order the tree is built full, and quickly.
        fingerprints.sort_unstable();
        Self::Ever { fingerprinter, known: fingerprints.into_iter().collect() }
    }

    /// Remembers a nonce; true if it was known already.
    pub(super) fn repeats(&mut self, nonce: Nonce) -> bool {
        match self {
            Self::Ever { fingerprinter, known } => !known.insert(fingerprinter.of(&nonce)),
            Self::Recent { known, order } => {
                // Sixteen of the 24 random bytes tell nonces apart well enough.
                let Some(bytes) = nonce.0.first_chunk() else { return false };
                let key = u128::from_le_bytes(*bytes);
                if !known.insert(key) {
                    return true;
                }
                order.push_back(key);
                if order.len() > MOST_NONCES
                    && let Some(oldest) = order.pop_front()
                {
                    known.remove(&oldest);
                }
                false
            }
        }
    }
}

/// What an earlier run received and may not have acknowledged: ids with the fingerprints of their nonces. Only the same
/// message is a redelivery; the nonce alone is a replay.
#[derive(Debug, Default)]
pub(super) struct Unacknowledged(HashSet<(ReflectedId, u64)>);

impl Unacknowledged {
    pub(super) fn new(messages: impl IntoIterator<Item = (ReflectedId, u64)>) -> Self {
        Self(messages.into_iter().collect())
    }

    pub(super) fn expect(&mut self, id: ReflectedId, fingerprint: u64) {
        self.0.insert((id, fingerprint));
    }

    /// Whether it is that message that comes again; told once.
    pub(super) fn is_redelivery(&mut self, id: ReflectedId, nonce: Option<Nonce>, nonces: &SeenNonces) -> bool {
        match (nonces, nonce) {
            (SeenNonces::Ever { fingerprinter, .. }, Some(nonce)) if !self.0.is_empty() => {
                self.0.remove(&(id, fingerprinter.of(&nonce)))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rising_ids_take_one_range_and_wrap() {
        let mut ranges = IdRanges::default();
        for id in (u32::MAX - 2..=u32::MAX).chain(0..3) {
            assert!(!ranges.contains(ReflectedId(id)), "{id} was not yet received");
            ranges.insert(ReflectedId(id));
            assert!(ranges.contains(ReflectedId(id)), "{id} was received");
        }
        assert_eq!(ranges.0.len(), 2);
    }

    #[test]
    fn what_comes_again_on_a_later_connection_takes_no_room() {
        let mut all = IdRanges::default();
        for start in [0, 5, 10, 8] {
            let mut connection = IdRanges::default();
            (start..start + 6).for_each(|id| assert_eq!(connection.insert(ReflectedId(id)), None));
            all.merge(connection);
        }
        assert_eq!(all.0.len(), 1);
        assert!((0..16).all(|id| all.contains(ReflectedId(id))) && !all.contains(ReflectedId(16)));
    }

    #[test]
    fn a_range_that_swallows_others_leaves_one() {
        let range = |first: u32, last: u32| {
            let mut range = IdRanges::default();
            (first..=last).for_each(|id| assert_eq!(range.insert(ReflectedId(id)), None));
            range
        };
        let mut all = range(20, 30);
        all.merge(range(50, 60));
        all.merge(range(5, 51));
        assert_eq!(all.0.len(), 1);
        assert!((5..=60).all(|id| all.contains(ReflectedId(id))));
        all.merge(range(0, 2));
        assert_eq!(all.0.len(), 2);
        assert!(!all.contains(ReflectedId(3)) && !all.contains(ReflectedId(61)));
    }

    #[test]
    fn gaps_cost_bounded_memory() {
        let mut ranges = IdRanges::default();
        for id in 0..200_000 {
            ranges.insert(ReflectedId(id * 2));
        }
        assert_eq!(ranges.0.len(), MOST_RANGES);
        assert!(ranges.contains(ReflectedId(399_998)) && !ranges.contains(ReflectedId(399_997)));
    }

    #[test]
    fn no_id_counts_as_the_first_of_its_kind_twice_however_many_gaps_there_are() {
        let step = |id: u32| ReflectedId(id * 3);
        let most = u32::try_from(MOST_RANGES).unwrap();
        for ids in [(0..3 * most).collect::<Vec<_>>(), (0..3 * most).rev().collect()] {
            let mut connection = ConnectionIds::default();
            assert!(ids.iter().all(|id| connection.take(step(*id)) == Receipt::First));
            assert!(ids.iter().all(|id| connection.take(step(*id)) != Receipt::First));
        }
    }

    #[test]
    fn falling_ids_take_one_range() {
        let mut ranges = IdRanges::default();
        for id in (10..20).rev().chain((0..9).rev()) {
            ranges.insert(ReflectedId(id));
        }
        assert_eq!(ranges.0.len(), 2);
        ranges.insert(ReflectedId(9));
        assert_eq!(ranges.0.len(), 1);
        assert!((0..20).all(|id| ranges.contains(ReflectedId(id))) && !ranges.contains(ReflectedId(20)));
    }

    #[test]
    fn a_repeated_nonce_is_noticed_within_the_window() {
        let mut nonces = SeenNonces::default();
        let nonce = |number: u32| {
            let mut bytes = [0; 24];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            Nonce(bytes)
        };
        assert!(!nonces.repeats(nonce(0)));
        assert!(nonces.repeats(nonce(0)));
        for number in 1..=u32::try_from(MOST_NONCES).unwrap() {
            assert!(!nonces.repeats(nonce(number)), "nonce {number} is new");
        }
        let SeenNonces::Recent { order, .. } = &nonces else { unreachable!() };
        assert_eq!(order.len(), MOST_NONCES);
        assert!(!nonces.repeats(nonce(0)), "the oldest is forgotten");
    }

    #[test]
    fn with_a_journal_no_nonce_is_ever_forgotten() {
        let fingerprinter = NonceFingerprinter::new([1; 16]);
        let nonce = |number: u64| {
            let mut bytes = [0; 24];
            bytes[16..].copy_from_slice(&number.to_le_bytes());
            Nonce(bytes)
        };
        let earlier = (0..150_000).map(|number| fingerprinter.of(&nonce(number))).collect();
        let mut nonces = SeenNonces::ever(fingerprinter, earlier);
        assert!((0..150_000).all(|number| nonces.repeats(nonce(number))));
        assert!((150_000..300_000).all(|number| !nonces.repeats(nonce(number))));
        assert!((0..300_000).all(|number| nonces.repeats(nonce(number))));
    }

    #[test]
    fn what_an_earlier_run_may_not_have_acknowledged_is_told_from_a_replay() {
        let fingerprinter = NonceFingerprinter::new([1; 16]);
        let (mine, other) = (Nonce([1; 24]), Nonce([2; 24]));
        let nonces = SeenNonces::ever(fingerprinter, vec![fingerprinter.of(&mine), fingerprinter.of(&other)]);
        let mut earlier = Unacknowledged::new([(ReflectedId(7), fingerprinter.of(&mine))]);
        assert!(!earlier.is_redelivery(ReflectedId(7), Some(other), &nonces), "another message under its id");
        assert!(!earlier.is_redelivery(ReflectedId(9), Some(mine), &nonces), "a replay under another id");
        assert!(earlier.is_redelivery(ReflectedId(7), Some(mine), &nonces));
        assert!(!earlier.is_redelivery(ReflectedId(7), Some(mine), &nonces), "once");
        assert!(!earlier.is_redelivery(ReflectedId(7), None, &nonces), "too short to have a nonce");
    }
}
