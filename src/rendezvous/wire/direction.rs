//! [`FrameDirection`]: one direction of a path, whose frames are numbered by their nonces.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use dryoc::classic::crypto_aead_chacha20poly1305_ietf::{
    crypto_aead_chacha20poly1305_ietf_decrypt_inplace, crypto_aead_chacha20poly1305_ietf_encrypt_inplace,
};
use zeroize::Zeroizing;

use super::frames::{LENGTH, TAG};
use super::keys::FrameKey;

/// A frame that nobody with the key wrote at this place: forged, repeated, left out or torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame is not authentic")]
pub struct NotAuthentic;

/// What was in a frame. Wipes itself.
pub struct Plain(Zeroizing<Vec<u8>>);

impl Deref for Plain {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Plain({} bytes)", self.0.len())
    }
}

/// One direction of a path: its key, and the number of its next frame.
#[derive(Debug)]
pub struct FrameDirection {
    key: FrameKey,
    path: u32,
    /// [`None`] once the numbers are used up: none is ever used twice.
    sequence: Option<u32>,
}

impl FrameDirection {
    /// Before the first frame.
    #[must_use]
    pub const fn new(key: FrameKey, path: u32) -> Self {
        Self { key, path, sequence: Some(1) }
    }

    /// Goes on with another key. The numbers go on, too.
    pub fn switch_key(&mut self, key: FrameKey) {
        self.key = key;
    }

    /// Path, number and four zeros.
    fn next_nonce(&mut self) -> Option<[u8; 12]> {
        let sequence = self.sequence?;
        self.sequence = sequence.checked_add(1);
        let mut nonce = [0; 12];
        for (target, source) in nonce.iter_mut().zip(self.path.to_le_bytes().into_iter().chain(sequence.to_le_bytes()))
        {
            *target = source;
        }
        Some(nonce)
    }

    /// The next frame, length and box. [`None`] after the last number, or for a text that no length can tell.
    pub fn seal(&mut self, plain: &[u8]) -> Option<Bytes> {
        let length = u32::try_from(plain.len().checked_add(TAG)?).ok()?;
        let nonce = self.next_nonce()?;
        let mut frame = Vec::with_capacity(LENGTH + TAG + plain.len());
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(plain);
        frame.extend_from_slice(&[0; TAG]);
        let sealed = frame.get_mut(LENGTH..)?;
        crypto_aead_chacha20poly1305_ietf_encrypt_inplace(sealed, None, &nonce, self.key.expose()).ok()?;
        Some(frame.into())
    }

    /// Opens the next frame where it lies.
    ///
    /// # Errors
    /// If it is not the next frame of this direction. Nothing of it is to be read then.
    pub fn open(&mut self, sealed: Vec<u8>) -> Result<Plain, NotAuthentic> {
        let mut plain = Plain(Zeroizing::new(sealed));
        let nonce = self.next_nonce().ok_or(NotAuthentic)?;
        let length = plain.0.len().checked_sub(TAG).ok_or(NotAuthentic)?;
        crypto_aead_chacha20poly1305_ietf_decrypt_inplace(&mut plain.0, None, &nonce, self.key.expose())
            .map_err(|_| NotAuthentic)?;
        plain.0.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction() -> FrameDirection {
        FrameDirection::new(FrameKey::new(&mut [7; 32]), 3)
    }

    fn boxes(frames: &[Bytes]) -> Vec<Vec<u8>> {
        frames.iter().map(|frame| frame[LENGTH..].to_vec()).collect()
    }

    #[test]
    fn frames_open_in_their_order_only() {
        let mut sending = direction();
        let frames = boxes(&[sending.seal(b"one").unwrap(), sending.seal(b"").unwrap()]);
        let mut receiving = direction();
        assert_eq!(*receiving.open(frames[0].clone()).unwrap(), *b"one");
        assert_eq!(*receiving.open(frames[1].clone()).unwrap(), *b"");
        for wrong in [&frames[1], &vec![0; 16], &vec![0; 15], &Vec::new()] {
            assert_eq!(direction().open(wrong.clone()).unwrap_err(), NotAuthentic);
        }
    }

    #[test]
    fn a_changed_bit_shows() {
        let frame = boxes(&[direction().seal(b"text").unwrap()]).remove(0);
        for bit in 0..frame.len() * 8 {
            let mut changed = frame.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(direction().open(changed).unwrap_err(), NotAuthentic, "bit {bit}");
        }
    }

    #[test]
    fn another_key_goes_on_with_the_numbers() {
        let key = || FrameKey::new(&mut [9; 32]);
        let (mut sending, mut receiving) = (direction(), direction());
        receiving.open(boxes(&[sending.seal(b"one").unwrap()]).remove(0)).unwrap();
        sending.switch_key(key());
        let second = boxes(&[sending.seal(b"two").unwrap()]).remove(0);
        assert!(FrameDirection::new(key(), 3).open(second.clone()).is_err(), "it is not a first one");
        receiving.switch_key(key());
        assert_eq!(*receiving.open(second).unwrap(), *b"two");
    }

    #[test]
    fn no_number_is_used_twice() {
        let mut last = direction();
        last.sequence = Some(u32::MAX);
        assert!(last.seal(b"last").is_some());
        assert!(last.seal(b"one too many").is_none());
        assert!(last.open(vec![0; 16]).is_err());
    }
}
