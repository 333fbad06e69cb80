//! The end of a connection: its cause, and the next step.

use std::time::Duration;

use super::{LinkEnd, Phase, Session, SessionOutput, SlotExpectation};
use crate::group::{DisconnectCause, Event, NextStep};
use crate::protocol::{CloseCode, Millis, ReconnectClass, SlotState};
use crate::text::Clean;

impl Session {
    /// What is not acknowledged is sent again on the next connection.
    pub(super) fn on_redeliver(&mut self, now: Millis, connection: u64) {
        if connection == self.connection && matches!(self.phase, Phase::Online(_)) {
            let next = NextStep::RetryAt { at: now, attempt: 1 };
            self.leave(DisconnectCause::JournalCaughtUp, next);
        }
    }

    pub(super) fn server_error(&mut self, now: Millis, what: &str) {
        self.outputs.push_back(SessionOutput::Close(CloseCode::PROTOCOL_ERROR));
        self.retry(now, DisconnectCause::ServerProtocolError(Clean::new(what)));
    }

    pub(super) fn on_link_down(&mut self, now: Millis, end: LinkEnd) {
        if matches!(self.phase, Phase::Idle | Phase::Waiting { .. } | Phase::Ended) {
            return;
        }
        match end {
            LinkEnd::Unreachable(why) => self.retry(now, DisconnectCause::Unreachable(why)),
            LinkEnd::Busy { why, retry_after } => {
                self.retry_after(now, DisconnectCause::Unreachable(why), retry_after);
            }
            LinkEnd::Broken(how) => self.retry(now, DisconnectCause::Broken(how)),
            LinkEnd::Closed { code: CloseCode::DROPPED_BY_DEVICE | CloseCode::SLOT_STATE_MISMATCH, .. }
                if self.own_drop_sent =>
            {
                self.left_group();
            }
            LinkEnd::Closed { code, reason } => {
                let cause = DisconnectCause::ClosedByServer { code, reason, expected: self.expects.state() };
                if let (CloseCode::SLOT_STATE_MISMATCH, SlotExpectation::First(state), false) =
                    (code, self.expects, self.slot_state_refused)
                {
                    self.expects = SlotExpectation::First(state.other());
                    // At once: the server is there, and has said what it expects.
                    let attempt = self.failures + 1;
                    self.disconnected(cause, NextStep::RetryAt { at: now, attempt });
                    self.slot_state_refused = true;
                } else if code.reconnect_class() == ReconnectClass::UserInteraction {
                    self.disconnected(cause, NextStep::WaitForUser);
                } else {
                    self.retry(now, cause);
                }
            }
        }
    }

    /// Ends the connection and comes back after the backoff.
    pub(super) fn retry(&mut self, now: Millis, cause: DisconnectCause) {
        self.retry_after(now, cause, Duration::ZERO);
    }

    /// The same, but not before the mediator wants to be asked again.
    fn retry_after(&mut self, now: Millis, cause: DisconnectCause, at_least: Duration) {
        let stable_after = self.config.timing.stable_after;
        let was_stable = matches!(&self.phase, Phase::Online(online) if now.since(online.since) >= stable_after);
        if was_stable || self.has_served(&cause) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let backoff = self.config.timing.backoff.delay(self.failures, &mut self.random);
        let at = now.after(backoff.max(at_least));
        self.disconnected(cause, NextStep::RetryAt { at, attempt: self.failures + 1 });
    }

    pub(super) fn disconnected(&mut self, cause: DisconnectCause, next: NextStep) {
        let phase = match next {
            NextStep::RetryAt { at, .. } => Phase::Waiting { until: Some(at) },
            NextStep::WaitForUser => Phase::Waiting { until: None },
            NextStep::End => Phase::Ended,
        };
        match std::mem::replace(&mut self.phase, phase) {
            Phase::Online(online) => {
                let is_told = matches!(cause, DisconnectCause::ClosedByServer { .. });
                if online.heard_at > online.told_at && !is_told {
                    self.emit(Event::LastHeard { at: online.heard_at });
                }
                self.received.merge(online.received.known());
                self.lose_lock(&online.lock, &cause);
                self.cut_chat_client_off();
            }
            // A close tells that the server did not register us; silence does not.
            Phase::Handshaking { greeted: true, .. }
                if self.expects == SlotExpectation::Only(SlotState::New)
                    && !matches!(cause, DisconnectCause::ClosedByServer { .. }) =>
            {
                self.expects = SlotExpectation::First(SlotState::New);
            }
            _ => {}
        }
        // What became of the slot meanwhile, nobody knows.
        self.slot_state_refused = false;
        self.emit(Event::Disconnected { cause, next });
    }

    /// Leaves politely: commits a lock that is only held, closes, and says what comes next.
    pub(super) fn leave(&mut self, cause: DisconnectCause, next: NextStep) {
        if self.is_over() {
            return;
        }
        if let (Phase::Waiting { .. }, NextStep::End) = (&self.phase, next) {
            // There is no connection that could end; why there is none was told.
            self.phase = Phase::Ended;
            return;
        }
        self.release_before_leaving();
        if !matches!(self.phase, Phase::Idle | Phase::Waiting { .. }) {
            self.outputs.push_back(SessionOutput::Close(CloseCode::NORMAL));
        }
        self.disconnected(cause, next);
    }
}
