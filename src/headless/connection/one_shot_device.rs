//! [`OneShotDevice`]: makes the logins of a command, one or several, each for one purpose.

use super::open_unattended;
use crate::cli::ConnectionArgs;
use crate::headless::arguments;
use crate::output::Failure;
use crate::output::words::remark;
use crate::profile::{DeviceLock, Profile};
use crate::protocol::{DeviceId, ExhaustedPolicy};
use crate::runtime::{ANY_CERTIFICATE, OneShotSession, run_one_shot, session_setup};
use crate::session::{LeaderPolicy, Presence, SlotExpectation};

/// A device that logs in for one purpose. No other device loses a slot or a message to it.
pub(in crate::headless) struct OneShotDevice {
    profile: Profile,
    _device_lock: Option<DeviceLock>,
}

impl OneShotDevice {
    /// Reads the options, and makes sure that no other program is this device.
    pub(in crate::headless) fn new(name: Option<&str>, options: &ConnectionArgs) -> Result<Self, Failure> {
        let mut profile = open_unattended(name, &arguments::unattended_connection(options)?)?;
        profile.session.exhausted_policy = ExhaustedPolicy::Reject;
        if profile.accept_any_certificate {
            remark(ANY_CERTIFICATE);
        }
        let claim = DeviceLock::take(profile.session.keys.device_group_id(), profile.session.device_id)?;
        Ok(Self { profile, _device_lock: claim })
    }

    pub(in crate::headless) const fn own(&self) -> DeviceId {
        self.profile.session.device_id
    }

    pub(in crate::headless) const fn profile(&mut self) -> &mut Profile {
        &mut self.profile
    }

    /// Fails before anything is done if the session may not change the group.
    pub(in crate::headless) fn require_writable(&self, not_done: &str) -> Result<(), Failure> {
        if self.profile.session.read_only {
            return Err(Failure::Usage(format!("{not_done}: this is a read-only session (--read-only)")));
        }
        Ok(())
    }

    /// A session of a moment: it goes on even if it is made leader.
    pub(in crate::headless) fn run_one_shot<T>(
        &mut self,
        purpose: impl AsyncFnOnce(&mut OneShotSession) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.profile.session.presence = Presence::Stay;
        self.profile.session.leader_policy = LeaderPolicy::Stay;
        self.run_session(purpose)
    }

    /// A session with the policies of the profile.
    pub(in crate::headless) fn run_session<T>(
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
