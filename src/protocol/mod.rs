//! The device-to-mediator wire, both directions and both dialects. Pure: bytes in, values out.
//!
//! [`ClientMessage`] and [`ServerMessage`] are what one WebSocket binary message carries: a four-byte container header
//! (type and three zero bytes) and a payload. [`Dialect`] decides the URL field, the key schedule and the numbering of the
//! device-to-device contents in [`d2d`]; nothing outside this room asks which it is.
//!
//! [`GroupKeys`] are derived from the group's one secret, [`Sealed`] is what they open, an [`Envelope`] is what devices
//! tell each other, and a [`CloseCode`] says why a server ended a connection. Times are [`Millis`]: Unix time in
//! milliseconds.
//!
//! ```
//! use d2mtop::protocol::d2d::{ContentKind, MessageDraft};
//! use d2mtop::protocol::{Composer, DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Sealed};
//!
//! let secret = GroupSecret::from_hex(&"2a".repeat(32))?;
//! let keys = GroupKeys::derive(Dialect::Dgk, &secret);
//! let draft = MessageDraft::text(MessageId(1), Millis(1_700_000_000_000), "hello");
//! let envelope = Composer::new(Dialect::Dgk, DeviceId(7)).incoming("ECHOECHO", draft, Nonce([1; 24]));
//!
//! // A nonce must be fresh and random; this one is neither.
//! let sealed = Sealed::seal(&envelope, &keys, Nonce([2; 24]));
//! let summary = sealed.open(&keys)?.summary();
//! assert_eq!((summary.kind, summary.author), (ContentKind::IncomingMessage, Some(DeviceId(7))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod challenge;
mod chat;
mod close;
mod container;
pub mod d2d;
mod dialect;
pub mod ids;
mod keys;
mod message;
mod nonce_fingerprint;
mod pin;
mod pseudonym;
pub mod sealed;
mod slot;
mod state_key;
mod url;

pub use challenge::{Challenge, ChallengeResponse};
pub use chat::{CHAT_SERVER_LOGIN, ChatFrameError, ChatFrames, MAX_CHAT_FRAME};
pub use close::{CloseCode, ReconnectClass};
pub use container::{DecodeError, MAX_CONTAINER, MAX_ENVELOPE_PLAIN, MAX_ENVELOPE_SEALED};
pub use d2d::{Composer, DeviceForm, DeviceInfo, Envelope, SharedDeviceData, TransactionScope};
pub use dialect::Dialect;
pub use ids::{DeviceId, MessageId, Millis, ReflectId, ReflectedId};
pub use keys::{GroupKeys, GroupSecret, KEY_LENGTH, NotAKey, SealKey};
pub use message::{
    ClientHello, ClientMessage, DeviceEntry, Reflect, Reflected, ReflectedHeader, ServerHello, ServerInfo,
    ServerMessage, acknowledgements,
};
pub use nonce_fingerprint::{FINGERPRINT_KEY_LENGTH, NonceFingerprinter};
pub use pin::{NotAPin, SpkiPin};
pub use pseudonym::{Pseudonym, PseudonymKey};
pub use sealed::{Nonce, OpenError, Sealed};
pub use slot::{DeviceActivity, ExhaustedPolicy, ExpirationPolicy, SlotState};
pub use state_key::StateKey;
pub use url::{ClientUrlInfo, DeviceGroupId, ServerGroup, ServerGroupError};

/// Generated from `proto/*.proto`: what a [`Composer`] takes for synchronised values.
#[allow(clippy::all, clippy::pedantic, missing_docs, reason = "generated code")]
pub mod proto {
    /// Value types shared by the other files.
    pub mod common {
        include!(concat!(env!("OUT_DIR"), "/common.rs"));
    }
    /// Bodies of end-to-end messages that are protobuf.
    pub mod csp_e2e {
        include!(concat!(env!("OUT_DIR"), "/csp_e2e.rs"));
    }
    /// Device-to-device contents, today's numbering.
    pub mod d2d {
        include!(concat!(env!("OUT_DIR"), "/d2d.rs"));
    }
    /// What a device of the group tells a new one.
    pub mod d2d_join {
        include!(concat!(env!("OUT_DIR"), "/d2d_join.rs"));
    }
    /// How two devices find each other and agree on keys.
    pub mod d2d_rendezvous {
        include!(concat!(env!("OUT_DIR"), "/d2d_rendezvous.rs"));
    }
    /// Device-to-device contents, the seed's numbering.
    pub mod d2d_seed {
        include!(concat!(env!("OUT_DIR"), "/d2d_seed.rs"));
    }
    /// Values synchronised between devices.
    pub mod d2d_sync {
        include!(concat!(env!("OUT_DIR"), "/d2d_sync.rs"));
    }
    /// The file that Threema Desktop keeps its keys in.
    #[cfg(feature = "app")]
    pub(crate) mod keystorage {
        include!(concat!(env!("OUT_DIR"), "/keystorage.rs"));
    }
    /// What a join link carries.
    pub mod url {
        include!(concat!(env!("OUT_DIR"), "/url.rs"));
    }
    /// Device-to-mediator payloads, superset of both dialects.
    pub mod d2m {
        include!(concat!(env!("OUT_DIR"), "/d2m.rs"));
    }
}

#[cfg(test)]
mod tests;
