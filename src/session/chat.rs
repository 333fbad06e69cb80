//! Carrying a chat client's frames: who has one can lead, as it fetches what comes from the chat server.
//!
//! A connection carries one client. What the chat server has been told by one is nothing that the next could go on with,
//! so a connection that has carried frames is given up together with its client, and a new one is made.

use bytes::Bytes;

use super::{ChatClientId, LeaderPolicy, Phase, ProxyOutput, Session, SessionOutput};
use crate::group::{DisconnectCause, NextStep, Refusal};
use crate::protocol::{ClientMessage, CloseCode, MAX_CHAT_FRAME, Millis};

/// Whether a chat client is there whose frames we carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ChatClient {
    #[default]
    Absent,
    /// It waits for a login.
    Waiting(ChatClientId),
    /// It is served; the chat server has heard nothing of it on this connection.
    Silent,
    /// Frames of it were sent on this connection.
    Heard,
}

impl Session {
    pub(super) const fn serves_chat_client(&self) -> bool {
        matches!(self.chat_client, ChatClient::Silent | ChatClient::Heard)
    }

    /// Whether a connection that ends so was of use to a chat client.
    pub(super) fn has_served(&self, cause: &DisconnectCause) -> bool {
        let in_vain = matches!(cause, DisconnectCause::ClosedByServer { code: CloseCode::CHAT_UNREACHABLE, .. });
        self.chat_client == ChatClient::Heard && !in_vain
    }

    /// Until when somebody needs the connection, as far as one can tell.
    pub(super) fn attended_until(&self) -> Millis {
        if self.serves_chat_client() { Millis(u64::MAX) } else { self.attended_until }
    }

    /// A chat client is there, which makes a connection of use.
    pub(super) fn begin_proxy(&mut self, now: Millis, client: ChatClientId) {
        if self.config.read_only {
            return self.refuse(Refusal::ReadOnly);
        }
        self.chat_client = ChatClient::Waiting(client);
        self.serve_chat_client();
        // We stayed away for want of a chat client. After a failure the backoff counts all the same.
        if self.failures == 0 && matches!(self.phase, Phase::Waiting { until: Some(_) }) {
            self.connect(now);
        }
    }

    /// Serves the client that waits once there is a login: from now on a promotion is kept, and a visit goes on. Only
    /// here is it known which connection a client gets, and whether that is about to be left.
    pub(super) fn serve_chat_client(&mut self) {
        let ChatClient::Waiting(client) = self.chat_client else { return };
        let Some(online) = self.online() else { return };
        online.leave_by = None;
        self.chat_client = ChatClient::Silent;
        self.outputs.push_back(SessionOutput::Proxy(ProxyOutput::Begins(client)));
    }

    /// Whoever was served on a connection that is over has to begin anew.
    pub(super) fn cut_chat_client_off(&mut self) {
        if self.serves_chat_client() {
            self.chat_client = ChatClient::Absent;
            self.outputs.push_back(SessionOutput::Proxy(ProxyOutput::Ends));
        }
    }

    /// A frame of the chat client. What is left of one whose connection has ended goes nowhere.
    pub(super) fn proxy(&mut self, frame: Bytes) {
        if !self.serves_chat_client() {
            return;
        }
        if frame.len() > MAX_CHAT_FRAME {
            return self.refuse(Refusal::TooLarge);
        }
        self.chat_client = ChatClient::Heard;
        // A login that is of use to somebody is none of those in a row that only took the role away from others.
        (self.promotions, self.promotions_in_company) = (0, 0);
        self.send(&ClientMessage::Proxy(frame));
    }

    /// The chat client has gone: its connection goes, too, and a leader gives the role up as ever.
    pub(super) fn end_proxy(&mut self, now: Millis) {
        let was_served = self.serves_chat_client();
        let client = std::mem::take(&mut self.chat_client);
        let stays = self.config.leader_policy == LeaderPolicy::Stay;
        let Some(online) = self.online().filter(|_| was_served) else { return };
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
        if self.serves_chat_client() {
            self.outputs.push_back(SessionOutput::Proxy(ProxyOutput::Frame(frame)));
        }
    }
}
