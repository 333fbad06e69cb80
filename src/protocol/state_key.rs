//! [`StateKey`]: seals what a device keeps of its group on the disk.

use std::fmt;

use dryoc::classic::crypto_secretbox::{crypto_secretbox_easy, crypto_secretbox_open_easy};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use super::keys::{GroupKeys, KEY_LENGTH, own_key};
use super::sealed::{Nonce, OpenError, SEAL_OVERHEAD};

/// Seals what a device keeps on the disk; derived from the group's key, and of no use to who does not have it.
pub struct StateKey(SecretBox<[u8; KEY_LENGTH]>);

impl StateKey {
    /// Derives the key from the envelope key of a group: another group has another.
    #[must_use]
    pub fn of(keys: &GroupKeys) -> Self {
        Self(own_key(keys, b"d2mtop state\0\0\0\0"))
    }

    /// `nonce(24) || authenticator(16) || ciphertext`. The nonce must be fresh and random.
    #[must_use]
    pub fn seal(&self, plain: &[u8], nonce: Nonce) -> Vec<u8> {
        let mut bytes = vec![0; plain.len() + SEAL_OVERHEAD];
        if let Some((head, sealed)) = bytes.split_first_chunk_mut() {
            *head = nonce.0;
            // The cipher refuses only texts of over 2^36 bytes, which nothing of ours has.
            let _ = crypto_secretbox_easy(sealed, plain, &nonce.0, self.0.expose_secret());
        }
        bytes
    }

    /// What was sealed.
    ///
    /// # Errors
    /// If it is too short, of another group, or changed.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, boxed) = sealed.split_first_chunk::<24>().ok_or(OpenError::TooShort)?;
        let length = sealed.len().checked_sub(SEAL_OVERHEAD).ok_or(OpenError::TooShort)?;
        let mut plain = Zeroizing::new(vec![0; length]);
        let opened = crypto_secretbox_open_easy(plain.as_mut_slice(), boxed, nonce, self.0.expose_secret());
        opened.map(|()| plain).map_err(|_| OpenError::DoesNotDecrypt)
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StateKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Dialect, GroupSecret};

    #[test]
    fn only_the_group_opens_what_it_sealed() {
        let key =
            |secret: u8| StateKey::of(&GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [secret; KEY_LENGTH])));
        let sealed = key(1).seal(b"Echo Nymph", Nonce([7; 24]));
        assert_eq!(key(1).open(&sealed).unwrap().as_slice(), b"Echo Nymph");
        assert!(!sealed.windows(4).any(|window| window == b"Echo"));
        assert_eq!(key(2).open(&sealed), Err(OpenError::DoesNotDecrypt));
        for length in 0..SEAL_OVERHEAD {
            assert!(key(1).open(&sealed[..length]).is_err(), "{length} bytes");
        }
        let mut changed = sealed;
        *changed.last_mut().unwrap() ^= 1;
        assert!(key(1).open(&changed).is_err());
    }
}
