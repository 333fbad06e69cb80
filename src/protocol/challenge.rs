//! Proof of belonging to the group: the server's challenge, boxed with the group's path key.

use crypto_box::aead::Aead;
use crypto_box::{PublicKey, SalsaBox, SecretKey};

use super::keys::GroupKeys;
use super::sealed::Nonce;
use super::url::DeviceGroupId;

/// The random bytes that a server asks a client to box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; 32]);

/// The boxed challenge: `nonce(24) || box(16 + 32)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeResponse(pub [u8; 72]);

/// The server's public key is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mediator's ephemeral key is unusable")]
pub struct UnusableServerKey;

impl ChallengeResponse {
    /// Answers a challenge. `server_key` is the server's ephemeral public key; `nonce` must be fresh and random.
    ///
    /// # Errors
    /// If the box cannot be made.
    pub fn answer(
        challenge: &Challenge,
        server_key: &[u8; 32],
        keys: &GroupKeys,
        nonce: &Nonce,
    ) -> Result<Self, UnusableServerKey> {
        let boxed = SalsaBox::new(&PublicKey::from(*server_key), keys.path_secret())
            .encrypt(&nonce.0.into(), challenge.0.as_slice())
            .map_err(|_| UnusableServerKey)?;
        let mut response = [0; 72];
        for (target, source) in response.iter_mut().zip(nonce.0.iter().chain(&boxed)) {
            *target = *source;
        }
        Ok(Self(response))
    }

    /// Whether this answers the challenge: opens with the server's ephemeral secret and the group id of the URL, and
    /// holds the same bytes.
    #[must_use]
    pub fn proves(&self, challenge: &Challenge, server_secret: &[u8; 32], group: &DeviceGroupId) -> bool {
        let Some((nonce, boxed)) = self.0.split_first_chunk::<24>() else { return false };
        SalsaBox::new(&PublicKey::from(group.0), &SecretKey::from(*server_secret))
            .decrypt(nonce.into(), boxed)
            .is_ok_and(|plain| plain == challenge.0)
    }
}

/// The public half of a server's ephemeral secret.
#[must_use]
pub fn ephemeral_public_key(server_secret: &[u8; 32]) -> [u8; 32] {
    *SecretKey::from(*server_secret).public_key().as_bytes()
}
