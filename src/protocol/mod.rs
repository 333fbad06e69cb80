//! The device-to-mediator wire, both directions and both dialects. Pure: bytes in, values out.
//!
//! [`ClientMessage`] and [`ServerMessage`] are what one WebSocket binary message carries: a four-byte container header
//! (type and three zero bytes) and a payload. [`Dialect`] decides the URL field, the key schedule and the numbering of the
//! device-to-device contents in [`d2d`]; nothing outside this room asks which it is.

pub mod challenge;
pub mod chat;
pub mod close;
pub mod container;
pub mod d2d;
pub mod dialect;
pub mod ids;
pub mod keys;
pub mod message;
pub mod nonce_fingerprint;
pub mod pin;
pub mod pseudonym;
pub mod sealed;
pub mod url;

pub use challenge::{Challenge, ChallengeResponse};
pub use chat::{CHAT_SERVER_LOGIN, ChatFrameError, ChatFrames, MAX_CHAT_FRAME};
pub use close::{CloseCode, ReconnectClass};
pub use container::{DecodeError, MAX_CONTAINER, MAX_ENVELOPE_PLAIN, MAX_ENVELOPE_SEALED};
pub use d2d::{Composer, DeviceInfo, Envelope, SharedDeviceData, TransactionScope};
pub use dialect::Dialect;
pub use ids::{DeviceId, MessageId, Millis, ReflectId, ReflectedId};
pub use keys::{GroupKeys, GroupSecret};
pub use message::{
    Activity, ClientHello, ClientMessage, DeviceEntry, ExhaustedPolicy, ExpirationPolicy, Reflect, Reflected,
    ReflectedHeader, ServerHello, ServerInfo, ServerMessage, SlotState, acknowledgements,
};
pub use nonce_fingerprint::NonceFingerprinter;
pub use pin::{NotAPin, SpkiPin};
pub use pseudonym::{Pseudonym, PseudonymKey};
pub use sealed::{Nonce, OpenError, Sealed};
pub use url::{ClientUrlInfo, DeviceGroupId, ServerGroup};

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
    /// Device-to-device contents, the seed's numbering.
    pub mod d2d_seed {
        include!(concat!(env!("OUT_DIR"), "/d2d_seed.rs"));
    }
    /// Values synchronised between devices.
    pub mod d2d_sync {
        include!(concat!(env!("OUT_DIR"), "/d2d_sync.rs"));
    }
    /// The file that Threema Desktop keeps its keys in.
    pub mod keystorage {
        include!(concat!(env!("OUT_DIR"), "/keystorage.rs"));
    }
    /// Device-to-mediator payloads, superset of both dialects.
    pub mod d2m {
        include!(concat!(env!("OUT_DIR"), "/d2m.rs"));
    }
}

#[cfg(test)]
mod tests;
