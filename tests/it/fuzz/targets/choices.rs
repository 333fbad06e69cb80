//! Bytes as a row of choices.

use bytes::Bytes;

pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next choice; none at the end.
    pub fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// One of the first `count` numbers; 0 at the end.
    pub fn of(&mut self, count: usize) -> usize {
        usize::from(self.next().unwrap_or(0)) % count.max(1)
    }

    /// Up to 255 bytes as they are.
    pub fn bytes(&mut self) -> Bytes {
        let length = self.of(256).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        Bytes::copy_from_slice(taken)
    }
}
