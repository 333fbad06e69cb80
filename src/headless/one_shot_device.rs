//! Who pays the visits of a command: one login or several, each for one purpose.

use std::time::Duration;

use super::arguments;
use crate::cli::ConnectionArgs;
use crate::output::Failure;
use crate::output::words::remark;
use crate::profile::{ConnectionOptions, DeviceInUse, DeviceLock, NoVisitorSlot, Profile, VisitLength, VisitorSlot};
use crate::protocol::{DeviceId, ExhaustedPolicy};
use crate::runtime::{ANY_CERTIFICATE, OneShotSession, claim_device, clock, run_one_shot, session_setup};
use crate::session::{LeaderPolicy, Presence, SlotExpectation};

/// A device that comes for one purpose: nobody loses a slot or a message to it.
pub(super) struct OneShotDevice {
    profile: Profile,
    _slot: Option<VisitorSlot>,
    _device_lock: Option<DeviceLock>,
}

impl OneShotDevice {
    /// Reads the options, and makes sure that no other program is this device.
    pub(super) fn new(name: Option<&str>, options: &ConnectionArgs, turn: Turn) -> Result<Self, Failure> {
        Self::of(name, &arguments::unattended_connection(options)?, turn)
    }

    /// The same with options that the command has added to.
    pub(super) fn of(name: Option<&str>, options: &ConnectionOptions, turn: Turn) -> Result<Self, Failure> {
        let mut profile = super::open_unattended(name, options)?;
        let slot = come_back(&mut profile, options, turn)?;
        profile.session.exhausted_policy = ExhaustedPolicy::Reject;
        if profile.accept_any_certificate {
            remark(ANY_CERTIFICATE);
        }
        let claim = claim_device(&profile.session, options.wait)?;
        Ok(Self { profile, _slot: slot, _device_lock: claim })
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

/// How long a visit waits for others of this machine before it takes an id of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// It is over in a moment, as all are that it waits for.
    Short,
    /// It stays, or waits for a person, and waits for others that do so this long.
    Long(Duration),
}

/// How long a visit waits at most: others are over in a moment, or should not be waited for.
pub(super) const MOST_PATIENCE: Duration = Duration::from_mins(1);

impl Turn {
    /// A long one only if it is so.
    pub(super) const fn long_if(is_long: bool) -> Self {
        if is_long { Self::Long(Duration::ZERO) } else { Self::Short }
    }
}

/// Who has no profile, and says no id, comes back as the device that was there before. Where others have its slot all the
/// time, the visit is made with an id of its own: [`None`].
///
/// # Errors
/// If others have the slot longer than the options say that it is waited for.
pub(super) fn come_back(
    profile: &mut Profile,
    options: &ConnectionOptions,
    turn: Turn,
) -> Result<Option<VisitorSlot>, DeviceInUse> {
    if profile.name.is_some() || options.device_id.is_some() || options.expects.is_some() {
        return Ok(None);
    }
    let keys = &profile.session.keys;
    let take =
        |visit, patience| VisitorSlot::take(&profile.base_url, keys.dialect(), keys.device_group_id(), visit, patience);
    let (visit, usual) = match turn {
        Turn::Short => (VisitLength::Short, MOST_PATIENCE),
        Turn::Long(patience) => (VisitLength::Long, patience.min(MOST_PATIENCE)),
    };
    let is_asked_to_wait = !options.wait.is_zero();
    let patience = if is_asked_to_wait { options.wait } else { usual };
    let slot = match take(visit, Duration::ZERO) {
        Err(NoVisitorSlot::Taken) if !patience.is_zero() => {
            // Short ones are over in a moment.
            if visit == VisitLength::Long {
                remark("another d2mtop of yours is in this group without a profile; waiting for it");
            }
            take(visit, patience)
        }
        taken => taken,
    };
    let slot = match slot {
        Ok(slot) => slot,
        Err(NoVisitorSlot::Taken) if is_asked_to_wait => return Err(DeviceInUse { process: None }),
        Err(NoVisitorSlot::Taken | NoVisitorSlot::NoPlace) => return Ok(None),
    };
    profile.session.device_id = slot.device;
    profile.session.expects = slot.memory.expects(clock::now());
    profile.memory = Some(slot.memory.clone());
    Ok(Some(slot))
}
