//! [`Rendezvous`]: one path, from an open connection to the nomination, and the frames after it.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::failure::RendezvousFailure;
use super::link::{LinkInput, LinkOutput};
use crate::protocol::Millis;
use crate::rendezvous::wire::{
    Auth, AuthHello, AuthenticationKey, CHALLENGE_LENGTH, Emoji, EphemeralSecret, FrameDirection, FrameReader, Hello,
    MAX_FRAME, MAX_HANDSHAKE_FRAME, Plain, RendezvousRole, TransportKeys,
};

/// How long the handshake may take once the other device is there: no person takes part in it.
const HANDSHAKE: Duration = Duration::from_secs(60);
/// After so much silence the relay is asked whether it is there; neither phone does that.
const PING_AFTER: Duration = Duration::from_secs(30);
/// And after so much, it is not.
const SILENCE: Duration = Duration::from_secs(90);

/// What has to be random, and new for every rendezvous.
pub struct Fresh {
    /// Our half of the key exchange.
    pub ephemeral: EphemeralSecret,
    /// What the other side has to send back.
    pub challenge: [u8; CHALLENGE_LENGTH],
}

impl Fresh {
    /// Made of random bytes, which are wiped.
    #[must_use]
    pub fn new(secret: &mut [u8; 32], challenge: [u8; CHALLENGE_LENGTH]) -> Self {
        Self { ephemeral: EphemeralSecret::new(secret), challenge }
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fresh([REDACTED])")
    }
}

/// What a rendezvous wants done, or tells.
#[derive(Debug)]
pub enum Output {
    /// Do this on the connection.
    Link(LinkOutput),
    /// The other device is there, and has the link.
    PeerThere,
    /// The path is nominated: both sides have these.
    Nominated([Emoji; 3]),
    /// A message of the other device.
    Message(Plain),
    /// It is over. Closing the connection is up to whoever decides what the other device is told.
    Failed(RendezvousFailure),
}

enum PathStage {
    /// The connection is not open yet.
    Connecting,
    /// Initiator: nobody is there yet.
    AwaitHello,
    /// Responder: the initiator has to answer.
    AwaitAuthHello,
    /// Initiator: the responder has to prove itself.
    AwaitAuth(Box<TransportKeys>),
    /// Initiator: the existing device has to choose this path.
    AwaitNomination([Emoji; 3]),
    Nominated,
    Ended,
}

/// One path of a rendezvous, of either role.
pub struct Rendezvous {
    role: RendezvousRole,
    key: AuthenticationKey,
    fresh: Fresh,
    stage: PathStage,
    sending: FrameDirection,
    receiving: FrameDirection,
    reader: FrameReader,
    outputs: VecDeque<Output>,
    /// Bytes that came since the nomination.
    received: u64,
    heard_at: Millis,
    pinged: bool,
    handshake_until: Option<Millis>,
}

impl Rendezvous {
    /// Before the connection is open.
    #[must_use]
    pub fn new(role: RendezvousRole, key: AuthenticationKey, path_id: u32, fresh: Fresh) -> Self {
        Self {
            sending: FrameDirection::new(key.frame_key(role), path_id),
            receiving: FrameDirection::new(key.frame_key(role.other()), path_id),
            role,
            key,
            fresh,
            stage: PathStage::Connecting,
            reader: FrameReader::default(),
            outputs: VecDeque::new(),
            received: 0,
            heard_at: Millis(0),
            pinged: false,
            handshake_until: None,
        }
    }

    /// Takes in what happened on the connection.
    pub fn handle(&mut self, now: Millis, input: LinkInput) {
        if matches!(self.stage, PathStage::Ended) {
            return;
        }
        self.heard_at = now;
        self.pinged = false;
        let done = match input {
            LinkInput::Up => {
                self.up(now);
                Ok(())
            }
            LinkInput::Bytes(bytes) => self.bytes(now, bytes),
            LinkInput::Text => Err(RendezvousFailure::Text),
            LinkInput::Alive => Ok(()),
            LinkInput::Down(end) => Err(end.into()),
        };
        if let Err(failure) = done {
            self.fail(failure);
        }
    }

    /// Does what is due.
    pub fn timer(&mut self, now: Millis) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.handshake_until.is_some_and(|until| now >= until) {
            self.fail(RendezvousFailure::HandshakeSilent);
        } else if now >= self.heard_at.after(SILENCE) {
            self.fail(RendezvousFailure::RelaySilent);
        } else if !self.pinged {
            self.pinged = true;
            self.link(LinkOutput::Ping);
        }
    }

    /// When [`Self::timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        if matches!(self.stage, PathStage::Connecting | PathStage::Ended) {
            return None;
        }
        let link = self.heard_at.after(if self.pinged { SILENCE } else { PING_AFTER });
        Some(self.handshake_until.map_or(link, |until| until.min(link)))
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Sends a message, once nominated.
    pub fn send(&mut self, plain: &[u8]) {
        if !matches!(self.stage, PathStage::Ended) {
            // Numbers do not run out at a handful of messages, nor do ours reach the limit of a length.
            if let Some(frame) = self.sending.seal(plain) {
                self.link(LinkOutput::Send(frame));
            }
        }
    }

    /// Takes nothing in any more, and forgets what came.
    pub fn end(&mut self) {
        self.stage = PathStage::Ended;
        self.outputs.retain(|output| matches!(output, Output::Link(_)));
    }

    /// How many bytes came since the nomination, unfinished frames included.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    fn up(&mut self, now: Millis) {
        match (&self.stage, self.role) {
            (PathStage::Connecting, RendezvousRole::Initiator) => self.stage = PathStage::AwaitHello,
            // The initiator was there before it showed the link.
            (PathStage::Connecting, RendezvousRole::Responder) => {
                let hello = Hello { challenge: self.fresh.challenge, ephemeral: self.fresh.ephemeral.public() };
                self.send(&hello.encode());
                self.handshake_until = Some(now.after(HANDSHAKE));
                self.stage = PathStage::AwaitAuthHello;
            }
            _ => {}
        }
    }

    fn bytes(&mut self, now: Millis, mut bytes: Bytes) -> Result<(), RendezvousFailure> {
        if matches!(self.stage, PathStage::Connecting) {
            return Ok(());
        }
        if matches!(self.stage, PathStage::AwaitHello) && self.handshake_until.is_none() {
            self.handshake_until = Some(now.after(HANDSHAKE));
        }
        loop {
            let (limit, before) = (self.limit(), bytes.len());
            let sealed = self.reader.next_box(&mut bytes, limit)?;
            if matches!(self.stage, PathStage::Nominated) {
                let taken = before.saturating_sub(bytes.len());
                self.received = self.received.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
            }
            let Some(sealed) = sealed else { return Ok(()) };
            // Nothing of a frame is looked at before this.
            let plain = self.receiving.open(sealed)?;
            self.message(plain)?;
        }
    }

    /// A frame that comes after the nomination may come in one message with it.
    const fn limit(&self) -> usize {
        match self.stage {
            PathStage::Nominated => MAX_FRAME,
            _ => MAX_HANDSHAKE_FRAME,
        }
    }

    fn message(&mut self, plain: Plain) -> Result<(), RendezvousFailure> {
        match std::mem::replace(&mut self.stage, PathStage::Ended) {
            PathStage::AwaitHello => {
                let hello = Hello::decode(&plain)?;
                let keys = TransportKeys::agree(&self.key, &self.fresh.ephemeral, &hello.ephemeral)?;
                self.stage = PathStage::AwaitAuth(Box::new(keys));
                self.outputs.push_back(Output::PeerThere);
                let answer = AuthHello {
                    response: hello.challenge,
                    challenge: self.fresh.challenge,
                    ephemeral: self.fresh.ephemeral.public(),
                };
                self.send(&answer.encode());
            }
            PathStage::AwaitAuthHello => {
                let answer = AuthHello::decode(&plain)?;
                self.check(answer.response)?;
                let keys = TransportKeys::agree(&self.key, &self.fresh.ephemeral, &answer.ephemeral)?;
                self.stage = PathStage::Nominated;
                self.handshake_until = None;
                self.send(&Auth { response: answer.challenge }.encode());
                let emoji = self.switch_keys(keys);
                // An empty message; two, because phones do not send them as one either.
                self.send(&[]);
                self.outputs.extend([Output::PeerThere, Output::Nominated(emoji)]);
            }
            PathStage::AwaitAuth(keys) => {
                self.check(Auth::decode(&plain)?.response)?;
                let emoji = self.switch_keys(*keys);
                self.stage = PathStage::AwaitNomination(emoji);
            }
            PathStage::AwaitNomination(emoji) => {
                if !plain.is_empty() {
                    return Err(RendezvousFailure::NotNominated);
                }
                self.stage = PathStage::Nominated;
                self.handshake_until = None;
                self.outputs.push_back(Output::Nominated(emoji));
            }
            PathStage::Nominated => {
                self.stage = PathStage::Nominated;
                self.outputs.push_back(Output::Message(plain));
            }
            PathStage::Connecting | PathStage::Ended => {}
        }
        Ok(())
    }

    fn check(&self, response: [u8; CHALLENGE_LENGTH]) -> Result<(), RendezvousFailure> {
        if response == self.fresh.challenge { Ok(()) } else { Err(RendezvousFailure::WrongResponse) }
    }

    fn switch_keys(&mut self, keys: TransportKeys) -> [Emoji; 3] {
        let emoji = keys.emoji();
        let (sending, receiving) = keys.into_sending_and_receiving(self.role);
        self.sending.switch_key(sending);
        self.receiving.switch_key(receiving);
        emoji
    }

    fn link(&mut self, output: LinkOutput) {
        self.outputs.push_back(Output::Link(output));
    }

    fn fail(&mut self, failure: RendezvousFailure) {
        self.stage = PathStage::Ended;
        self.reader = FrameReader::default();
        self.outputs.push_back(Output::Failed(failure));
    }
}

impl fmt::Debug for Rendezvous {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rendezvous").field("role", &self.role).finish_non_exhaustive()
    }
}
