//! Eight bytes for a nonce, so that all that were ever seen can be kept.

use std::fmt;

use siphasher::sip::SipHasher24;

use super::sealed::Nonce;

/// The bytes of a fingerprinter's key.
pub const FINGERPRINT_KEY_LENGTH: usize = 16;

/// Makes fingerprints of nonces. Keyed with random bytes of one journal, so that nobody who chooses nonces can make two
/// of them look alike: `SipHash` is made for that, and costs a sixth of BLAKE2b. Of a million nonces, two do so by chance once in thirty million journals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NonceFingerprinter([u8; FINGERPRINT_KEY_LENGTH]);

impl NonceFingerprinter {
    /// With the key of a journal, or random bytes where there is none.
    #[must_use]
    pub const fn new(key: [u8; FINGERPRINT_KEY_LENGTH]) -> Self {
        Self(key)
    }

    /// The key, for the journal's file.
    #[must_use]
    pub const fn key(&self) -> &[u8; FINGERPRINT_KEY_LENGTH] {
        &self.0
    }

    /// The fingerprint. All bytes count: the nonces of some senders differ in a few only.
    #[must_use]
    pub fn of(&self, nonce: &Nonce) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(&nonce.0)
    }
}

impl fmt::Debug for NonceFingerprinter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NonceFingerprinter")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_byte_of_the_nonce_and_of_the_key_counts() {
        let flipped = |index: usize| {
            let mut bytes = [7; 24];
            bytes[index] ^= 1;
            Nonce(bytes)
        };
        let fingerprinter = NonceFingerprinter::new([1; FINGERPRINT_KEY_LENGTH]);
        let nonces = (0..24).map(flipped).chain([Nonce([7; 24])]);
        let fingerprints: HashSet<u64> = nonces.map(|nonce| fingerprinter.of(&nonce)).collect();
        assert_eq!(fingerprints.len(), 25);
        let keys = (0..FINGERPRINT_KEY_LENGTH).map(|index| {
            let mut key = [1; FINGERPRINT_KEY_LENGTH];
            key[index] ^= 1;
            NonceFingerprinter::new(key).of(&Nonce([7; 24]))
        });
        assert_eq!(keys.chain([fingerprinter.of(&Nonce([7; 24]))]).collect::<HashSet<_>>().len(), 17);
    }
}
