//! [`Sealed<T>`]: nonce and box of one kind of data, which opens only with the key bound to that kind.

use std::fmt;
use std::marker::PhantomData;

use bytes::{BufMut, Bytes, BytesMut};
use crypto_secretbox::aead::{AeadInPlace, KeyInit};
use crypto_secretbox::{Key, Tag, XSalsa20Poly1305};

use super::container::DecodeError;
use super::dialect::Dialect;
use super::keys::{GroupKeys, SealKey};

const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;
/// The bytes that sealing adds.
pub const SEAL_OVERHEAD: usize = NONCE_LENGTH + TAG_LENGTH;

/// The number that makes one box unlike every other; must never be used twice with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; NONCE_LENGTH]);

/// Data that is sealed under a key of its own.
pub trait Sealable: Sized {
    /// The key of this kind of data.
    fn key(keys: &GroupKeys) -> &SealKey;
    /// The plaintext in the given dialect.
    fn encode(&self, dialect: Dialect) -> Vec<u8>;
    /// Reads the plaintext.
    ///
    /// # Errors
    /// If the plaintext is not this kind of data.
    fn decode(plain: Bytes, dialect: Dialect) -> Result<Self, DecodeError>;
}

/// Why sealed data could not be read. Carries no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OpenError {
    /// Fewer bytes than nonce and authenticator take.
    #[error("too short to be sealed data")]
    TooShort,
    /// Another key, or changed on the way.
    #[error("does not decrypt with this group's key")]
    DoesNotDecrypt,
    /// It decrypts, but to something else than it should.
    #[error("decrypts, but {0}")]
    Undecodable(#[from] DecodeError),
}

/// Sealed data of one kind, as it travels: `nonce(24) || authenticator(16) || ciphertext`.
pub struct Sealed<T> {
    bytes: Bytes,
    kind: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// Takes bytes from the wire as they are.
    #[must_use]
    pub const fn from_wire(bytes: Bytes) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// The bytes for the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same bytes in memory of their own: what was read off a socket otherwise keeps all that was read with it.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self::from_wire(Bytes::copy_from_slice(&self.bytes))
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing: a server says so of shared device data that was never set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The nonce, if there are enough bytes for one.
    #[must_use]
    pub fn nonce(&self) -> Option<Nonce> {
        self.bytes.first_chunk().copied().map(Nonce)
    }
}

impl<T: Sealable> Sealed<T> {
    /// Seals a value. `nonce` must be fresh and random.
    #[must_use]
    pub fn seal(value: &T, keys: &GroupKeys, nonce: Nonce) -> Self {
        let plain = value.encode(keys.dialect());
        let mut bytes = BytesMut::with_capacity(plain.len() + SEAL_OVERHEAD);
        bytes.put_slice(&nonce.0);
        bytes.put_bytes(0, TAG_LENGTH);
        bytes.put_slice(&plain);
        let (head, body) = bytes.split_at_mut(SEAL_OVERHEAD);
        let cipher = XSalsa20Poly1305::new(Key::from_slice(T::key(keys).expose()));
        // The cipher refuses only texts of over 2^36 bytes, which no slice of ours is.
        if let (Ok(tag), Some(place)) =
            (cipher.encrypt_in_place_detached(&nonce.0.into(), b"", body), head.get_mut(NONCE_LENGTH..))
        {
            place.copy_from_slice(&tag);
        }
        Self::from_wire(bytes.freeze())
    }

    /// Opens and reads the value.
    ///
    /// # Errors
    /// If it is too short, does not decrypt, or decrypts to something else.
    pub fn open(&self, keys: &GroupKeys) -> Result<T, OpenError> {
        let plain = open_box(&self.bytes, T::key(keys))?;
        Ok(T::decode(plain, keys.dialect())?)
    }
}

/// The one place where a box is opened, so that a faster cipher needs one change.
fn open_box(sealed: &Bytes, key: &SealKey) -> Result<Bytes, OpenError> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(OpenError::TooShort)?;
    let (tag, ciphertext) = rest.split_first_chunk::<TAG_LENGTH>().ok_or(OpenError::TooShort)?;
    let mut plain = BytesMut::from(ciphertext);
    XSalsa20Poly1305::new(Key::from_slice(key.expose()))
        .decrypt_in_place_detached(nonce.into(), b"", &mut plain, Tag::from_slice(tag))
        .map_err(|_| OpenError::DoesNotDecrypt)?;
    Ok(plain.freeze())
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self::from_wire(self.bytes.clone())
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> Default for Sealed<T> {
    fn default() -> Self {
        Self::from_wire(Bytes::new())
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({} bytes)", self.bytes.len())
    }
}
