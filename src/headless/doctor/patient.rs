//! Who is examined: a profile's device, with the locks that keep other processes from being it meanwhile.

use std::time::Duration;

use super::login;
use crate::headless::one_shot_device::{Turn, come_back};
use crate::net::{Address, TlsOptions};
use crate::output::Failure;
use crate::profile::{
    ConnectionOptions, ConnectionSettings, DeviceLock, Profile, ProfileError, ProfileLock, SlotMemory, VisitorSlot,
};
use crate::runtime::{claim_device, session_setup};
use crate::session::Session;

/// What the way to the group is examined with.
pub(super) struct Patient {
    pub(super) address: Address,
    /// How the mediator has to prove who it is.
    pub(super) tls: TlsOptions,
    /// Missing if there is no key.
    pub(super) session: Option<Session>,
    /// Missing if this device is in use, or this machine cannot tell.
    _device_lock: Option<DeviceLock>,
    /// Whether a login would cut another process off.
    pub(super) in_use: bool,
    /// Whether a login would join a group that this device was dropped from.
    pub(super) was_dropped: bool,
    /// What is known of the profile's slot; a login may have made one.
    pub(super) memory: Option<SlotMemory>,
    /// Missing if it is no profile, or open elsewhere.
    _lock: Option<ProfileLock>,
    /// Where a connection without a profile comes back to.
    _slot: Option<VisitorSlot>,
}

impl Patient {
    /// [`None`] if the address cannot be told without a key.
    pub(super) fn new(
        options: &ConnectionOptions,
        settings: ConnectionSettings,
        profile: Result<Profile, ProfileError>,
    ) -> Result<Option<Self>, Failure> {
        let Ok(mut profile) = profile else {
            let ConnectionSettings { base_url, trust_roots, pins, accept_any_certificate, proxy, .. } = settings;
            let tls = TlsOptions { trust_roots, pins, accept_any_certificate };
            let address = if base_url.is_empty() || base_url.contains('{') {
                None
            } else {
                Some(session_setup::through(Address::new(&base_url, &tls)?, proxy.as_ref(), &tls)?)
            };
            return Ok(address.map(|address| Self {
                address,
                tls,
                session: None,
                _device_lock: None,
                in_use: false,
                was_dropped: false,
                memory: None,
                _lock: None,
                _slot: None,
            }));
        };
        let tls = session_setup::tls(&profile);
        let slot = come_back(&mut profile, options, Turn::Short);
        let claim = claim_device(&profile.session, Duration::ZERO);
        let in_use = slot.is_err() || claim.is_err() || profile.open_elsewhere;
        let was_dropped = crate::headless::was_dropped(options, profile.memory.as_ref());
        let profile = login::harmless(profile);
        let (session, address) = session_setup::session(&profile)?;
        Ok(Some(Self {
            address,
            tls,
            session: Some(session),
            _device_lock: claim.ok().flatten(),
            in_use,
            was_dropped,
            memory: profile.memory,
            _lock: profile.lock,
            _slot: slot.ok().flatten(),
        }))
    }
}
