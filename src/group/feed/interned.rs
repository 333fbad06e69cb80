//! [`Interned`]: values that many rows share, kept once, and only as long as a row names them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Names an interned value; names another one once the last row that named it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::group) struct Symbol(u32);

impl Symbol {
    pub(in crate::group) const NONE: Self = Self(u32::MAX);

    pub(in crate::group) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Values that many rows share.
#[derive(Debug)]
pub(in crate::group) struct Interned<T> {
    symbols: HashMap<Arc<T>, Symbol>,
    places: Vec<InternedValue<T>>,
    free: Vec<Symbol>,
    stamps: u32,
}

#[derive(Debug)]
struct InternedValue<T> {
    value: Option<Arc<T>>,
    uses: u32,
    stamp: u32,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { symbols: HashMap::new(), places: Vec::new(), free: Vec::new(), stamps: 0 }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The symbol of a value, for one more row.
    pub(super) fn take(&mut self, value: &T) -> Symbol {
        let Some(symbol) = self.symbols.get(value).copied() else { return self.add(Arc::new(value.clone())) };
        if let Some(place) = self.places.get_mut(symbol.index()) {
            place.uses = place.uses.saturating_add(1);
        }
        symbol
    }

    fn add(&mut self, value: Arc<T>) -> Symbol {
        self.stamps = self.stamps.wrapping_add(1);
        let place = InternedValue { value: Some(Arc::clone(&value)), uses: 1, stamp: self.stamps };
        let symbol = match self.free.pop() {
            Some(symbol) => symbol,
            None => Symbol(u32::try_from(self.places.len()).unwrap_or(u32::MAX)),
        };
        match self.places.get_mut(symbol.index()) {
            Some(free) => *free = place,
            None => self.places.push(place),
        }
        self.symbols.insert(value, symbol);
        symbol
    }

    /// One row less names the symbol.
    pub(super) fn release(&mut self, symbol: Symbol) {
        let Some(place) = self.places.get_mut(symbol.index()) else { return };
        place.uses = place.uses.saturating_sub(1);
        if place.uses == 0
            && let Some(value) = place.value.take()
        {
            self.symbols.remove(&value);
            self.free.push(symbol);
        }
    }

    pub(in crate::group) fn get(&self, symbol: Symbol) -> Option<&T> {
        self.places.get(symbol.index())?.value.as_deref()
    }

    /// Changes whenever the symbol comes to name another value.
    pub(in crate::group) fn stamp(&self, symbol: Symbol) -> u32 {
        self.places.get(symbol.index()).map_or(0, |place| place.stamp)
    }

    pub(in crate::group) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.value.as_deref())
    }

    /// How many values are kept.
    #[cfg(test)]
    pub(in crate::group) fn len(&self) -> usize {
        self.symbols.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_once_and_only_while_it_is_named() {
        let mut words: Interned<String> = Interned::default();
        let first = words.take(&"one".to_owned());
        assert_eq!(words.take(&"one".to_owned()), first);
        let stamp = words.stamp(first);
        words.release(first);
        assert_eq!(words.get(first).map(String::as_str), Some("one"), "one row still names it");
        words.release(first);
        assert_eq!((words.get(first), words.len()), (None, 0));
        let second = words.take(&"two".to_owned());
        assert_eq!(second, first, "places are used again");
        assert_ne!(words.stamp(second), stamp, "and that can be told");
        assert_eq!(words.get(Symbol::NONE), None);
    }
}
