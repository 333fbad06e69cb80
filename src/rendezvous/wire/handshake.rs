//! The three messages of the handshake.

use prost::Message as _;

use crate::protocol::DecodeError;
use crate::protocol::proto::d2d_rendezvous::handshake::{rid_to_rrd, rrd_to_rid};

/// The bytes of a challenge, and of the answer, which is the challenge itself: the box around it is the proof.
pub const CHALLENGE_LENGTH: usize = 16;

type ChallengeBytes = [u8; CHALLENGE_LENGTH];

/// First, from the responder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// 16 random bytes that the other side has to return.
    pub challenge: ChallengeBytes,
    /// The public half of its ephemeral key.
    pub ephemeral: [u8; 32],
}

/// Second, from the initiator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthHello {
    /// The challenge that came.
    pub response: ChallengeBytes,
    /// 16 random bytes that the other side has to return.
    pub challenge: ChallengeBytes,
    /// The public half of its ephemeral key.
    pub ephemeral: [u8; 32],
}

/// Third, from the responder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The challenge that came.
    pub response: ChallengeBytes,
}

fn fixed<const N: usize>(bytes: &[u8], field: &'static str) -> Result<[u8; N], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::WrongLength(field))
}

impl Hello {
    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let etk = self.ephemeral.to_vec().into();
        rrd_to_rid::Hello { challenge: self.challenge.to_vec().into(), etk }.encode_to_vec()
    }

    /// Reads the message.
    ///
    /// # Errors
    /// If it is not this message, or a field has another length.
    pub fn decode(plain: &[u8]) -> Result<Self, DecodeError> {
        let hello = rrd_to_rid::Hello::decode(plain).map_err(|_| DecodeError::Malformed("Hello"))?;
        Ok(Self { challenge: fixed(&hello.challenge, "challenge")?, ephemeral: fixed(&hello.etk, "etk")? })
    }
}

impl AuthHello {
    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let etk = self.ephemeral.to_vec().into();
        let (response, challenge) = (self.response.to_vec().into(), self.challenge.to_vec().into());
        rid_to_rrd::AuthHello { response, challenge, etk }.encode_to_vec()
    }

    /// Reads the message.
    ///
    /// # Errors
    /// If it is not this message, or a field has another length.
    pub fn decode(plain: &[u8]) -> Result<Self, DecodeError> {
        let hello = rid_to_rrd::AuthHello::decode(plain).map_err(|_| DecodeError::Malformed("AuthHello"))?;
        Ok(Self {
            response: fixed(&hello.response, "response")?,
            challenge: fixed(&hello.challenge, "challenge")?,
            ephemeral: fixed(&hello.etk, "etk")?,
        })
    }
}

impl Auth {
    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        rrd_to_rid::Auth { response: self.response.to_vec().into() }.encode_to_vec()
    }

    /// Reads the message.
    ///
    /// # Errors
    /// If it is not this message, or a field has another length.
    pub fn decode(plain: &[u8]) -> Result<Self, DecodeError> {
        let auth = rrd_to_rid::Auth::decode(plain).map_err(|_| DecodeError::Malformed("Auth"))?;
        Ok(Self { response: fixed(&auth.response, "response")? })
    }
}
