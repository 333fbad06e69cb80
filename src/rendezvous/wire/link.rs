//! [`JoinLink`]: what the QR code says.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize as _, Zeroizing};

use super::fields::{FIELD_HEAD, WireFields, WireWriter};
use super::keys::AuthenticationKey;
use crate::protocol::DecodeError;

/// Everything before the secret.
const PREFIX: &str = "threema://device-group/join#";
/// iOS insists on the padding; who drops it is understood all the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The only version of link and rendezvous.
const VERSION: u64 = 0;
/// The device-to-device protocol that we speak, and the least that phones take.
const D2D_VERSION: u64 = 3;
const LEAST_D2D_VERSION: u64 = 2;
/// There is only one path.
const PATH_ID: u32 = 1;
/// A link is read by a camera or pasted; a real one has some 230 characters.
const MAX_LINK: usize = 4096;

/// What is wrong with a link. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Some other text.
    #[error("this is not a join link, which begins with {PREFIX}")]
    NotALink,
    /// It begins like one.
    #[error("the join link is cut off or mistyped")]
    Malformed,
    /// Of a later version.
    #[error("the join link is of a version that d2mtop does not speak")]
    UnknownVersion,
    /// The other way round: a device of a group shows the link, and would choose the path. Phones do not do this.
    #[error("the join link offers to join a group; only links that ask to join one are understood")]
    Offer,
    /// The new device is too old.
    #[error("the new device speaks an old version of the protocol; update it first")]
    OldDevice,
    /// It names only ways that we do not go.
    #[error("the join link names no relay")]
    NoRelay,
}

impl From<DecodeError> for LinkError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// The place at a relay where two devices meet: 32 random bytes that nobody else knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayPath([u8; 32]);

impl RelayPath {
    /// Takes random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the last segment of a request's path.
    #[must_use]
    pub fn from_segment(segment: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(segment, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The whole URL: `base` with its placeholders filled in, and the path as the last segment.
    ///
    /// `{rendezvousPathPrefix4}` becomes the first hex digit of the path, `{rendezvousPathPrefix8}` the first two.
    #[must_use]
    pub fn url(&self, base: &str) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex::encode(self.0));
        let prefix = |count: usize| digits.get(..count).unwrap_or_default();
        let base = base.replace("{rendezvousPathPrefix4}", prefix(1)).replace("{rendezvousPathPrefix8}", prefix(2));
        let slash = if base.ends_with('/') { "" } else { "/" };
        let mut url = Zeroizing::new(String::with_capacity(base.len() + slash.len() + digits.len()));
        url.extend([base.as_str(), slash, digits.as_str()]);
        url
    }
}

impl Drop for RelayPath {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for RelayPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RelayPath([REDACTED])")
    }
}

/// A request to join a group. Who has it may take part in the rendezvous.
pub struct JoinLink {
    /// The key of the handshake.
    pub key: AuthenticationKey,
    /// The number of the path, part of every nonce.
    pub path_id: u32,
    /// The whole WebSocket URL at the relay. As secret as the key.
    pub relay_url: Zeroizing<String>,
}

impl JoinLink {
    /// A new device's link, with a key and a path that are fresh and random.
    #[must_use]
    pub fn request(key: AuthenticationKey, path: &RelayPath, relay_base: &str) -> Self {
        Self { key, path_id: PATH_ID, relay_url: path.url(relay_base) }
    }

    /// The link's text.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let room = self.relay_url.len() + 2 * FIELD_HEAD;
        let mut relay = WireWriter::with_room(room);
        relay.varint(1, self.path_id.into());
        relay.bytes(3, self.relay_url.as_bytes());
        let mut init = WireWriter::with_room(room + 64);
        init.bytes(2, self.key.expose());
        init.bytes(3, &relay.finish());
        let mut request = WireWriter::with_room(room + 128);
        request.bytes(2, &[0x0a, 0]);
        request.bytes(3, &init.finish());
        request.varint(4, D2D_VERSION);
        let request = request.finish();
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + request.len().div_ceil(3) * 4));
        text.push_str(PREFIX);
        BASE64.encode_string(request.as_slice(), &mut text);
        text
    }

    /// Reads a link's text. White space around it does not count.
    ///
    /// # Errors
    /// If it is not a request to join over a relay. The error repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(LinkError::NotALink)?;
        if encoded.len() > MAX_LINK {
            return Err(LinkError::Malformed);
        }
        // With all its room at once: a buffer that grows leaves copies behind.
        let mut decoded = Zeroizing::new(vec![0; base64::decoded_len_estimate(encoded.len())]);
        let length = BASE64.decode_slice(encoded, &mut decoded).map_err(|_| LinkError::Malformed)?;
        let request = decoded.get(..length).ok_or(LinkError::Malformed)?;
        let (mut is_request, mut d2d_version, mut init) = (false, 0, None);
        for field in WireFields(request) {
            match field? {
                (1, version) if version.varint()? != VERSION => return Err(LinkError::UnknownVersion),
                (2, variant) => {
                    for kind in WireFields(variant.bytes()?) {
                        match kind? {
                            (1, _) => is_request = true,
                            (2, _) => return Err(LinkError::Offer),
                            _ => {}
                        }
                    }
                }
                (3, value) => init = Some(value.bytes()?),
                (4, version) => d2d_version = version.varint()?,
                _ => {}
            }
        }
        let link = Self::from_init(init.filter(|_| is_request).ok_or(LinkError::Malformed)?)?;
        if d2d_version < LEAST_D2D_VERSION {
            return Err(LinkError::OldDevice);
        }
        Ok(link)
    }

    fn from_init(init: &[u8]) -> Result<Self, LinkError> {
        let (mut key, mut relay) = (None, None);
        for field in WireFields(init) {
            match field? {
                (1, version) if version.varint()? != VERSION => return Err(LinkError::UnknownVersion),
                (2, bytes) => {
                    let bytes: [u8; 32] = bytes.bytes()?.try_into().map_err(|_| LinkError::Malformed)?;
                    key = Some(AuthenticationKey::new(&mut Zeroizing::new(bytes)));
                }
                (3, value) => relay = Some(value.bytes()?),
                _ => {}
            }
        }
        let (mut path_id, mut url) = (0, "");
        for field in WireFields(relay.ok_or(LinkError::NoRelay)?) {
            match field? {
                (1, id) => path_id = u32::try_from(id.varint()?).map_err(|_| LinkError::Malformed)?,
                (3, bytes) => url = std::str::from_utf8(bytes.bytes()?).map_err(|_| LinkError::Malformed)?,
                _ => {}
            }
        }
        if url.is_empty() {
            return Err(LinkError::NoRelay);
        }
        Ok(Self { key: key.ok_or(LinkError::Malformed)?, path_id, relay_url: Zeroizing::new(url.to_owned()) })
    }
}

impl fmt::Debug for JoinLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JoinLink([REDACTED])")
    }
}

#[cfg(test)]
mod tests;
