//! Messages out of the reflection queue: opened, handed on, and acknowledged once they are durable.

use super::receipt::Receipt;
use super::{Phase, Session, SessionOutput};
use crate::group::ReflectedMessage;
use crate::protocol::{Millis, Reflected, ReflectedId, acknowledgements};

impl Session {
    /// Reads a message out of the queue; [`None`] if it was handed on already on this connection.
    pub(super) fn receive(&mut self, now: Millis, reflected: &Reflected) -> Option<ReflectedMessage> {
        let nonce = reflected.envelope.nonce();
        let (content, unknown_fields) = self.reader.read(&reflected.envelope, &self.config.keys);
        let mut redelivered = self.received.contains(reflected.id);
        let Phase::Online(online) = &mut self.phase else { return None };
        if !reflected.ephemeral {
            match online.received.take(reflected.id) {
                Receipt::First => {}
                Receipt::Again => {
                    self.ignored("a message came twice on one connection; it is acknowledged once");
                    return None;
                }
                Receipt::Unknown => {
                    self.ignored(
                        "a message that may have come before on this connection, which has too many gaps to tell; unless \
                         it was acknowledged, it comes again on the next connection",
                    );
                    return None;
                }
            }
            if self.takes_messages {
                online.pending_commit.push_back(reflected.id);
            }
        }
        redelivered |= self.earlier.is_redelivery(reflected.id, nonce, &self.nonces);
        let known_nonce = nonce.is_some_and(|nonce| self.nonces.repeats(nonce));
        // The same id around another nonce is another message.
        redelivered &= !reflected.ephemeral && (known_nonce || nonce.is_none());
        Some(ReflectedMessage {
            id: reflected.id,
            stored_at: reflected.timestamp,
            received_at: now,
            size: u32::try_from(reflected.envelope.len()).unwrap_or(u32::MAX),
            header: reflected.header,
            ephemeral: reflected.ephemeral,
            redelivered,
            repeated_nonce: known_nonce && !redelivered,
            nonce,
            content,
            unknown_fields,
            envelope: reflected.envelope.clone(),
        })
    }

    /// A device speaks that the list does not know, or has as gone: the list is out of date. It may be the only thing that
    /// device ever says, so what comes too soon after a list is followed later.
    pub(super) fn refresh_for(&mut self, messages: &[ReflectedMessage]) {
        // What has waited may be by devices that have left since.
        if self.online().is_none_or(|online| online.dry_at.is_none()) {
            return;
        }
        for author in messages.iter().filter_map(|message| message.content.as_ref().ok()?.author) {
            self.refresh_if_missing(author);
        }
    }

    pub(super) fn hand_on(&mut self, batch: &mut Vec<ReflectedMessage>) {
        if !batch.is_empty() {
            let messages = std::mem::take(batch);
            self.refresh_for(&messages);
            if !self.takes_messages {
                return;
            }
            if let Some(online) = self.online() {
                online.told_at = online.heard_at;
            }
            self.outputs.push_back(SessionOutput::Reflected { connection: self.connection, messages });
        }
    }

    pub(super) fn on_durable(&mut self, now: Millis, connection: u64, count: usize) {
        if connection != self.connection {
            return;
        }
        let Some(online) = self.online() else { return };
        let count = count.min(online.pending_commit.len());
        let durable: Vec<ReflectedId> = online.pending_commit.drain(..count).collect();
        self.outputs.extend(acknowledgements(&durable).map(SessionOutput::Send));
        self.unflushed.extend(durable);
        self.leave_if_promoted(now);
    }
}
