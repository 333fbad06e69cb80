//! Who pays the visits of a command: one login or several, each for one purpose.

use super::arguments;
use crate::cli::ConnectionArgs;
use crate::output::Failure;
use crate::output::words::remark;
use crate::profile::{ConnectionOptions, DeviceLock, Profile};
use crate::protocol::{DeviceId, ExhaustedPolicy};
use crate::runtime::{ANY_CERTIFICATE, OneShotSession, run_one_shot, session_setup};
use crate::session::{LeaderPolicy, Presence, SlotExpectation};

/// A device that comes for one purpose: nobody loses a slot or a message to it.
pub(super) struct OneShotDevice {
    profile: Profile,
    _device_lock: Option<DeviceLock>,
}

impl OneShotDevice {
    /// Reads the options, and makes sure that no other program is this device.
    pub(super) fn new(name: Option<&str>, options: &ConnectionArgs) -> Result<Self, Failure> {
        Self::of(name, &arguments::unattended_connection(options)?)
    }

    /// The same with options that the command has added to.
    pub(super) fn of(name: Option<&str>, options: &ConnectionOptions) -> Result<Self, Failure> {
        let mut profile = super::open_unattended(name, options)?;
        profile.session.exhausted_policy = ExhaustedPolicy::Reject;
        if profile.accept_any_certificate {
            remark(ANY_CERTIFICATE);
        }
        let claim = DeviceLock::take(profile.session.keys.device_group_id(), profile.session.device_id)?;
        Ok(Self { profile, _device_lock: claim })
    }

    pub(super) const fn own(&self) -> DeviceId {
        self.profile.session.device_id
    }

    pub(super) const fn profile(&mut self) -> &mut Profile {
        &mut self.profile
    }

    /// Who would change the group finds out before anything is done whether it may.
    pub(super) fn require_writable(&self, not_done: &str) -> Result<(), Failure> {
        if self.profile.session.read_only {
            return Err(Failure::Usage(format!("{not_done}: this is a read-only session (--read-only)")));
        }
        Ok(())
    }

    /// A visit that is over in a moment, for which being promoted to leader meanwhile is no reason to break it off.
    pub(super) fn run_one_shot<T>(
        &mut self,
        purpose: impl AsyncFnOnce(&mut OneShotSession) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.profile.session.presence = Presence::Stay;
        self.profile.session.leader_policy = LeaderPolicy::Stay;
        self.visit(purpose)
    }

    /// A visit as the profile has it.
    pub(super) fn visit<T>(
        &mut self,
        purpose: impl AsyncFnOnce(&mut OneShotSession) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (session, address) = session_setup::session(&self.profile)?;
        let served = run_one_shot(session, address, self.profile.memory.clone(), purpose)??;
        // There was a login, so there is a slot.
        self.profile.session.expects = SlotExpectation::after_login(self.profile.session.expiration_policy);
        Ok(served)
    }
}
