//! The key schedule of a rendezvous: from the link's key and an exchange of ephemeral keys to a key for each direction.

use std::fmt;

use blake2b_simd::Params;
use dryoc::classic::crypto_box::crypto_box_beforenm;
use secrecy::{ExposeSecret, SecretBox};
use zeroize::{Zeroize, Zeroizing};

use super::emoji::Emoji;
use crate::protocol::challenge::ephemeral_public_key;

const KEY_LENGTH: usize = 32;
const PERSONAL: &[u8; 16] = b"3ma-rendezvous\0\0";

/// Who made the link, and who read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RendezvousRole {
    /// Made the link (RID).
    Initiator,
    /// Read the link (RRD), and speaks first.
    Responder,
}

impl RendezvousRole {
    /// The other side's.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

macro_rules! secret_keys {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub struct $name(SecretBox<[u8; KEY_LENGTH]>);

        impl $name {
            /// Takes over the bytes and wipes the argument.
            #[must_use]
            pub fn new(bytes: &mut [u8; KEY_LENGTH]) -> Self {
                let key = Self(SecretBox::init_with_mut(|inner: &mut [u8; KEY_LENGTH]| inner.copy_from_slice(bytes)));
                bytes.zeroize();
                key
            }

            pub(super) fn expose(&self) -> &[u8; KEY_LENGTH] {
                self.0.expose_secret()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "([REDACTED])"))
            }
        }
    )*};
}

secret_keys! {
    /// The key in the link (AK): who has it may take part in the rendezvous.
    AuthenticationKey,
    /// One side's secret of the key exchange (ETK).
    EphemeralSecret,
    /// Seals the frames of one direction.
    FrameKey,
}

/// The other side's public key gives no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side's ephemeral key is unusable")]
pub struct UnusableKey;

impl AuthenticationKey {
    /// The key of the frames that this role sends during the handshake.
    #[must_use]
    pub fn frame_key(&self, sender: RendezvousRole) -> FrameKey {
        let salt: &[u8] = match sender {
            RendezvousRole::Initiator => b"rida",
            RendezvousRole::Responder => b"rrda",
        };
        FrameKey::new(&mut hash(self.expose(), salt, b""))
    }

    /// The same key once more, for a machine that keeps one of its own.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(&mut Zeroizing::new(*self.expose()))
    }
}

impl EphemeralSecret {
    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; KEY_LENGTH] {
        ephemeral_public_key(self.expose())
    }
}

/// What the handshake ends with.
pub struct TransportKeys {
    initiator: FrameKey,
    responder: FrameKey,
    path_hash: Zeroizing<[u8; KEY_LENGTH]>,
}

impl TransportKeys {
    /// The keys that both sides come to.
    ///
    /// # Errors
    /// If the other side's key is one of those that make every secret the same.
    pub fn agree(
        link: &AuthenticationKey,
        own: &EphemeralSecret,
        other: &[u8; KEY_LENGTH],
    ) -> Result<Self, UnusableKey> {
        let shared = Zeroizing::new(crypto_box_beforenm(other, own.expose()).map_err(|_| UnusableKey)?);
        let mut both = Zeroizing::new([0; 2 * KEY_LENGTH]);
        for (target, source) in both.iter_mut().zip(link.expose().iter().chain(shared.iter())) {
            *target = *source;
        }
        let secret = hash(both.as_slice(), b"st", b"");
        Ok(Self {
            initiator: FrameKey::new(&mut hash(secret.as_slice(), b"ridt", b"")),
            responder: FrameKey::new(&mut hash(secret.as_slice(), b"rrdt", b"")),
            path_hash: hash(b"", b"ph", secret.as_slice()),
        })
    }

    /// What both people see, and compare.
    #[must_use]
    pub fn emoji(&self) -> [Emoji; 3] {
        let [first, second, third, ..] = *self.path_hash;
        [first, second, third].map(Emoji::of)
    }

    /// The keys of what this role sends, and of what it receives.
    #[must_use]
    pub fn into_sending_and_receiving(self, role: RendezvousRole) -> (FrameKey, FrameKey) {
        match role {
            RendezvousRole::Initiator => (self.initiator, self.responder),
            RendezvousRole::Responder => (self.responder, self.initiator),
        }
    }
}

impl fmt::Debug for TransportKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TransportKeys([REDACTED])")
    }
}

/// `BLAKE2b`, told apart by salt; without a key where `key` is empty.
fn hash(key: &[u8], salt: &[u8], message: &[u8]) -> Zeroizing<[u8; KEY_LENGTH]> {
    let mut padded = [0_u8; 16];
    for (target, source) in padded.iter_mut().zip(salt) {
        *target = *source;
    }
    let mut params = Params::new();
    params.hash_length(KEY_LENGTH).key(key).salt(&padded).personal(PERSONAL);
    let digest = params.to_state().update(message).finalize();
    let mut out = Zeroizing::new([0; KEY_LENGTH]);
    for (target, source) in out.iter_mut().zip(digest.as_bytes()) {
        *target = *source;
    }
    out
}

#[cfg(test)]
impl TransportKeys {
    /// Initiator's key, responder's key, path hash.
    pub(in crate::rendezvous) fn expose_for_vectors(&self) -> [[u8; KEY_LENGTH]; 3] {
        [*self.initiator.expose(), *self.responder.expose(), *self.path_hash]
    }
}

#[cfg(test)]
impl FrameKey {
    pub(in crate::rendezvous) fn expose_for_vectors(&self) -> [u8; KEY_LENGTH] {
        *self.expose()
    }
}
