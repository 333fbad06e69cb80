//! `profile remove --leave-group`: our own device leaves before the profile goes.

use super::failure;
use crate::output::Failure;
use crate::profile::{ConnectionOptions, DeviceLock, Profile, ProfileName};
use crate::protocol::{ExhaustedPolicy, SlotState};
use crate::runtime::leave_group::{Departure, Farewell, leave_group, who_stays};
use crate::runtime::{clock, session_setup};
use crate::session::{Confirmed, Presence, SlotExpectation};

/// A device that may leave: who stays is known.
pub(super) struct Leaving {
    /// Holds the profile, so that no other program opens it meanwhile.
    profile: Profile,
    name: ProfileName,
    /// [`None`] if the server has no slot of ours.
    farewell: Option<Farewell>,
    _device_lock: Option<DeviceLock>,
}

impl Leaving {
    /// Logs in for a moment, to see who stays.
    pub(super) fn look(name: &ProfileName) -> Result<Self, Failure> {
        let mut profile = Profile::from_options(Some(name.as_str()), &ConnectionOptions::default()).map_err(failure)?;
        let config = &mut profile.session;
        // Only who expects a slot is told that there is none. Nobody else's is taken.
        config.expects = SlotExpectation::Only(SlotState::Existing);
        config.exhausted_policy = ExhaustedPolicy::Reject;
        config.presence = Presence::Stay;
        if config.read_only {
            let why = "not left: the profile says read_only = true, and leaving changes the group".to_owned();
            return Err(Failure::NotLeft { name: name.clone(), why, refused: true });
        }
        let claim = DeviceLock::take(config.keys.device_group_id(), config.device_id)?;
        let (session, address) = session_setup::session(&profile)?;
        let farewell = match who_stays(session, address)? {
            Ok(farewell) => Some(farewell),
            Err(departure) if departure.is_gone() => None,
            Err(departure) => return Err(not_left(name, &departure)),
        };
        if let (Some(_), Some(memory)) = (&farewell, &mut profile.memory) {
            memory.registered(clock::now());
            if let Err(error) = memory.write() {
                tracing::warn!("cannot remember the slot: {error}");
            }
        }
        Ok(Self { profile, name: name.clone(), farewell, _device_lock: claim })
    }

    /// What leaving means.
    pub(super) fn words(&self) -> String {
        match &self.farewell {
            Some(farewell) => format!("This device leaves the group for good. {farewell}"),
            None => Departure::AlreadyGone.to_string(),
        }
    }

    /// Leaves, once a person has agreed.
    pub(super) fn leave(&self, agreed: Confirmed<()>) -> Result<Departure, Failure> {
        if self.farewell.is_none() {
            return Ok(Departure::AlreadyGone);
        }
        let (session, address) = session_setup::session(&self.profile)?;
        let departure = leave_group(session, address, agreed)?;
        if departure.is_gone() { Ok(departure) } else { Err(not_left(&self.name, &departure)) }
    }
}

fn not_left(name: &ProfileName, departure: &Departure) -> Failure {
    let refused = matches!(departure, Departure::Refused(_));
    Failure::NotLeft { name: name.clone(), why: departure.to_string(), refused }
}
