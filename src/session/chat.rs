//! Carrying a chat client's frames: who has one can lead, as it fetches what comes from the chat server.
//!
//! A connection carries one client. What the chat server has been told by one is nothing that the next could go on with,
//! so a connection that has carried frames is given up together with its client, and a new one is made.

use bytes::Bytes;

use super::{LeaderPolicy, Output, Phase, Session};
use crate::group::{DisconnectCause, NextStep, Refusal};
use crate::protocol::{ClientMessage, MAX_CHAT_FRAME, Millis};

/// Whether a chat client is there whose frames we carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ChatClient {
    #[default]
    Absent,
    /// The chat server has heard nothing of it on this connection.
    Silent,
    /// Frames of it were sent on this connection.
    Heard,
}

impl Session {
    pub(super) fn has_chat_client(&self) -> bool {
        self.chat_client != ChatClient::Absent
    }

    /// Until when somebody needs the connection, as far as one can tell.
    pub(super) fn attended_until(&self) -> Millis {
        if self.has_chat_client() { Millis(u64::MAX) } else { self.attended_until }
    }

    /// A chat client is there: from now on a promotion is kept, and a visit goes on.
    pub(super) fn begin_proxy(&mut self, now: Millis) {
        if self.config.read_only {
            return self.refuse(Refusal::ReadOnly);
        }
        self.chat_client = ChatClient::Silent;
        if let Some(online) = self.online() {
            online.leave_by = None;
        }
        // We stayed away for want of a chat client. After a failure the backoff counts all the same.
        if self.failures == 0 && matches!(self.phase, Phase::Waiting { until: Some(_) }) {
            self.connect(now);
        }
    }

    /// A frame of the chat client. What is left of one whose connection has ended goes nowhere.
    pub(super) fn proxy(&mut self, frame: Bytes) {
        if !self.has_chat_client() {
            return;
        }
        if frame.len() > MAX_CHAT_FRAME {
            return self.refuse(Refusal::TooLarge);
        }
        if self.online().is_some() {
            self.chat_client = ChatClient::Heard;
            self.send(&ClientMessage::Proxy(frame));
        }
    }

    /// The chat client has gone: its connection goes, too, and a leader gives the role up as ever.
    pub(super) fn end_proxy(&mut self, now: Millis) {
        let client = std::mem::take(&mut self.chat_client);
        if client == ChatClient::Absent {
            return;
        }
        let stays = self.config.leader_policy == LeaderPolicy::Stay;
        let Some(online) = self.online() else { return };
        if online.leader && !stays {
            self.give_role_up(now);
        } else if client == ChatClient::Heard {
            self.failures = 0;
            let at = now.after(self.config.timing.backoff.delay(1, &mut self.random));
            self.leave(DisconnectCause::ChatClientLeft, NextStep::RetryAt { at, attempt: 1 });
        }
    }

    /// A frame of the chat server.
    pub(super) fn on_proxy(&mut self, frame: Bytes) {
        if self.has_chat_client() {
            self.outputs.push_back(Output::Proxy(frame));
        }
    }
}
