//! The key schedule: from the one secret of the group to the keys of each purpose.

use std::fmt;

use blake2b_simd::Params;
use secrecy::{ExposeSecret, SecretBox};
use zeroize::{Zeroize, Zeroizing};

use super::dialect::Dialect;
use super::url::DeviceGroupId;

/// The bytes of every key here.
pub const KEY_LENGTH: usize = 32;
const PERSONAL: &[u8; 16] = b"3ma-mdev\0\0\0\0\0\0\0\0";

/// The one secret of a group: the Device Group Key (`dgk`) or the Mediator Key (`mk`).
pub struct GroupSecret(SecretBox<[u8; KEY_LENGTH]>);

/// The text is not the 64 hex digits of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hex digits")]
pub struct NotAKey;

impl GroupSecret {
    /// Takes over the bytes and wipes the argument.
    #[must_use]
    pub fn new(bytes: &mut [u8; KEY_LENGTH]) -> Self {
        let secret = Self(SecretBox::init_with_mut(|inner: &mut [u8; KEY_LENGTH]| inner.copy_from_slice(bytes)));
        bytes.zeroize();
        secret
    }

    /// The same once more, for another device.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(SecretBox::init_with_mut(|inner: &mut [u8; KEY_LENGTH]| inner.copy_from_slice(self.0.expose_secret())))
    }

    /// Reads 64 hex digits.
    ///
    /// # Errors
    /// If there are not exactly 64 hex digits. The error does not repeat them.
    pub fn from_hex(text: &str) -> Result<Self, NotAKey> {
        let mut bytes = [0; KEY_LENGTH];
        let decoded = hex::decode_to_slice(text, &mut bytes).map_err(|_| NotAKey);
        if decoded.is_err() {
            bytes.zeroize();
        }
        decoded.map(|()| Self::new(&mut bytes))
    }

    /// For key derivation, and for what a device that joins is sent.
    pub(crate) fn expose(&self) -> &[u8; KEY_LENGTH] {
        self.0.expose_secret()
    }

    /// The 64 hex digits, for the one place that puts keys into a store. Wiped when dropped.
    #[cfg(any(test, feature = "app"))]
    pub(crate) fn expose_hex(&self) -> Zeroizing<String> {
        let mut digits = Zeroizing::new([0_u8; 2 * KEY_LENGTH]);
        // Cannot fail: the lengths fit, and hex digits are UTF-8. On the stack first, so that no growing buffer leaves
        // copies behind.
        let _ = hex::encode_to_slice(self.0.expose_secret(), digits.as_mut_slice());
        Zeroizing::new(std::str::from_utf8(digits.as_slice()).unwrap_or_default().to_owned())
    }

    /// The Mediator Key that the seed derives from the client key of an identity.
    #[must_use]
    pub fn mediator_key_from_client_key(client_key: &Self) -> Self {
        let mut bytes = *derive(client_key.0.expose_secret(), b"mk");
        Self::new(&mut bytes)
    }
}

impl fmt::Debug for GroupSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GroupSecret([REDACTED])")
    }
}

/// A key that seals one purpose's data.
pub struct SealKey(SecretBox<[u8; KEY_LENGTH]>);

impl SealKey {
    fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(SecretBox::init_with_mut(|inner: &mut [u8; KEY_LENGTH]| inner.copy_from_slice(bytes)))
    }

    pub(super) fn expose(&self) -> &[u8; KEY_LENGTH] {
        self.0.expose_secret()
    }
}

/// A key of our own for one purpose, which another group's key does not give.
pub(super) fn own_key(keys: &GroupKeys, personal: &[u8; 16]) -> SecretBox<[u8; KEY_LENGTH]> {
    let params = &mut Params::new();
    params.hash_length(KEY_LENGTH).key(keys.envelope.expose()).personal(personal);
    let hash = params.to_state().finalize();
    SecretBox::init_with_mut(|key: &mut [u8; KEY_LENGTH]| {
        key.iter_mut().zip(hash.as_bytes()).for_each(|(target, source)| *target = *source);
    })
}

/// All keys of a group, derived once.
pub struct GroupKeys {
    dialect: Dialect,
    path_secret: crypto_box::SecretKey,
    device_group_id: DeviceGroupId,
    pub(super) envelope: SealKey,
    pub(super) device_info: SealKey,
    pub(super) shared_device_data: SealKey,
    pub(super) transaction_scope: SealKey,
}

impl GroupKeys {
    /// Derives every key. In `mk` one Mediator Key seals everything; in `dgk` each purpose has a key of its own.
    #[must_use]
    pub fn derive(dialect: Dialect, secret: &GroupSecret) -> Self {
        let root = secret.0.expose_secret();
        let key = |salt: &[u8]| match dialect {
            Dialect::Mk => SealKey::new(root),
            Dialect::Dgk => SealKey::new(&derive(root, salt)),
        };
        let path_salt: &[u8] = match dialect {
            Dialect::Mk => b"mpk",
            Dialect::Dgk => b"p",
        };
        let path_secret = crypto_box::SecretKey::from(*derive(root, path_salt));
        let device_group_id = DeviceGroupId(*path_secret.public_key().as_bytes());
        Self {
            dialect,
            path_secret,
            device_group_id,
            envelope: key(b"r"),
            device_info: key(b"di"),
            shared_device_data: key(b"sdd"),
            transaction_scope: key(b"ts"),
        }
    }

    /// The dialect that these keys are of.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The group's name at the mediator.
    #[must_use]
    pub const fn device_group_id(&self) -> DeviceGroupId {
        self.device_group_id
    }

    pub(super) const fn path_secret(&self) -> &crypto_box::SecretKey {
        &self.path_secret
    }
}

impl fmt::Debug for GroupKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GroupKeys").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Keyed `BLAKE2b` of nothing, told apart by salt; salt and personal are padded with zeros to sixteen bytes.
fn derive(key: &[u8; KEY_LENGTH], salt: &[u8]) -> Zeroizing<[u8; KEY_LENGTH]> {
    let mut padded = [0_u8; 16];
    for (target, source) in padded.iter_mut().zip(salt) {
        *target = *source;
    }
    let hash = Params::new().hash_length(KEY_LENGTH).key(key).salt(&padded).personal(PERSONAL).to_state().finalize();
    let mut out = Zeroizing::new([0; KEY_LENGTH]);
    for (target, source) in out.iter_mut().zip(hash.as_bytes()) {
        *target = *source;
    }
    out
}

#[cfg(test)]
impl GroupKeys {
    /// The derived keys in the order of the published tables, for comparing with vectors.
    pub(super) fn expose_for_vectors(&self) -> [[u8; KEY_LENGTH]; 5] {
        [
            self.path_secret.to_bytes(),
            *self.envelope.expose(),
            *self.device_info.expose(),
            *self.shared_device_data.expose(),
            *self.transaction_scope.expose(),
        ]
    }
}

#[cfg(test)]
impl GroupSecret {
    pub(super) fn expose_for_vectors(&self) -> [u8; KEY_LENGTH] {
        *self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_those_that_were_read() {
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(*GroupSecret::from_hex(&digits).unwrap().expose_hex(), digits);
    }
}
