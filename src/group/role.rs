//! Who serves the chat server. Incoming messages reach the group through its leader only.

use super::disconnect::DisconnectCause;
use crate::protocol::Millis;

/// This device's role in the group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRole {
    state: RoleState,
    promotions_in_a_row: u32,
}

/// This device's role at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleState {
    /// Not known, as after a login until some time has passed.
    #[default]
    Unknown,
    /// The group's incoming messages come through this device.
    Leader {
        /// When the promotion came.
        since: Millis,
    },
    /// Another device leads.
    Follower {
        /// Since when that is known.
        since: Millis,
    },
    /// Was promoted, and left so that another device leads.
    GivenUp {
        /// When the role was given up.
        since: Millis,
        /// When it will be back.
        back_at: Millis,
    },
}

impl OwnRole {
    /// This device's role at the moment.
    #[must_use]
    pub const fn state(&self) -> RoleState {
        self.state
    }

    /// How many times in a row a return ended in promotion: nobody else is there to lead.
    #[must_use]
    pub const fn promotions_in_a_row(&self) -> u32 {
        self.promotions_in_a_row
    }

    pub(super) const fn promoted(&mut self, at: Millis) {
        self.state = RoleState::Leader { since: at };
    }

    pub(super) const fn given_up(&mut self, at: Millis, back_at: Millis, promotions_in_a_row: u32) {
        self.state = RoleState::GivenUp { since: at, back_at };
        self.promotions_in_a_row = promotions_in_a_row;
    }

    pub(super) const fn following(&mut self, at: Millis) {
        self.state = RoleState::Follower { since: at };
        self.promotions_in_a_row = 0;
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shift = |time: &mut Millis| *time = time.offset_by(by);
        match &mut self.state {
            RoleState::Unknown => {}
            RoleState::Leader { since } | RoleState::Follower { since } => shift(since),
            RoleState::GivenUp { since, back_at } => [since, back_at].into_iter().for_each(shift),
        }
    }

    /// The role belongs to a connection.
    pub(super) const fn logged_in(&mut self) {
        self.state = RoleState::Unknown;
    }

    /// Who has given it up is back when that was told; after any other end, what comes next is another matter.
    pub(super) fn disconnected(&mut self, cause: &DisconnectCause) {
        if *cause != DisconnectCause::LeaderRole {
            self.state = RoleState::Unknown;
        }
    }
}
