//! When to be there, and when to go: giving the leader role up, visits, and leaving for good.

use std::time::Duration;

use super::config::{LeaderPolicy, Presence};
use super::online::Online;
use super::{Phase, Session, SessionOutput};
use crate::group::{DisconnectCause, Event, NextStep};
use crate::protocol::{CloseCode, Millis};

/// Longer than any message is on its way.
const ON_THE_WAY: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn on_promoted(&mut self, now: Millis) {
        let stays = self.config.leader_policy == LeaderPolicy::Stay || self.serves_chat_client();
        let grace = self.config.timing.leave_grace;
        let Some(online) = self.online() else { return };
        online.leader = true;
        if !stays {
            online.leave_by = Some(now.after(grace));
        }
        self.emit(Event::Promoted);
        self.leave_if_promoted(now);
    }

    /// Gives the role up once nothing is left to be finished: a drop half done; messages not yet acknowledged, which
    /// would otherwise come again at every return and pile up; and the device list, which who is alone would never see.
    pub(super) fn leave_if_promoted(&mut self, now: Millis) {
        let ready = |online: &mut Online| {
            online.leave_by.is_some()
                && online.pending_commit.is_empty()
                && online.awaited_lists.is_empty()
                && !online.lock.is_dropping()
        };
        if self.online().is_some_and(ready) {
            self.give_role_up(now);
        }
    }

    pub(super) fn give_role_up(&mut self, now: Millis) {
        let company = self.online().is_some_and(|online| online.company);
        // With company the wait starts over: somebody else can lead now. But not again and again, or a server that likes
        // us best would make us leader every minute.
        self.promotions_in_company = if company { self.promotions_in_company.saturating_add(1) } else { 0 };
        self.promotions = if company { self.promotions_in_company } else { self.promotions.saturating_add(1) };
        let wait = self.config.timing.role_wait(self.promotions);
        let back_at = now.after(match self.config.presence {
            Presence::Stay => wait,
            Presence::Visit(interval) => wait.max(interval),
        });
        self.emit(Event::RoleGivenUp { back_at, promotions_in_a_row: self.promotions });
        self.failures = 0;
        self.leave(DisconnectCause::LeaderRole, NextStep::RetryAt { at: back_at, attempt: 1 });
    }

    pub(super) fn visit_is_over(&self, now: Millis) -> bool {
        let Phase::Online(online) = &self.phase else { return false };
        online.visit_ends_at(&self.config, self.attended_until()).is_some_and(|at| now >= at)
    }

    /// The visit was not promoted: another device leads, and the next visit comes in its time.
    pub(super) fn end_visit(&mut self, now: Millis) {
        let Presence::Visit(interval) = self.config.presence else { return };
        (self.promotions, self.promotions_in_company) = (0, 0);
        self.failures = 0;
        // A promotion may have been on its way when we left; the next one must not come within the minute all the same.
        let at = now.after(interval.max(self.config.timing.role_wait_first + ON_THE_WAY));
        self.leave(DisconnectCause::VisitOver, NextStep::RetryAt { at, attempt: 1 });
    }

    /// The server confirmed, in one way or another, that our slot is gone as we asked: the session is over.
    pub(super) fn left_group(&mut self) {
        self.own_drop_sent = false;
        let own = self.config.device_id;
        self.emit(Event::DeviceDropped(own));
        self.release_for_good();
        self.outputs.push_back(SessionOutput::Close(CloseCode::NORMAL));
        self.disconnected(DisconnectCause::LeftGroup, NextStep::End);
    }
}
