//! The mediator's side of a join: the first login of a new device, and the way back.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::one_shot::{OneShotEnd, OneShotSession};
use super::session_setup::through;
use crate::group::{DisconnectCause, Event};
use crate::net::{Address, TlsOptions};
use crate::output::Failure;
use crate::profile::{self, ProfileName, ProxySetting, SlotMemory};
use crate::protocol::{CloseCode, DeviceId, ServerGroup, SlotState};
use crate::rendezvous::{JoinInput, LoginFailure};
use crate::session::{Command, Session, SessionConfig, SlotExpectation};
use crate::text::Clean;

/// How long giving up a slot may take.
const GIVE_UP_WITHIN: Duration = Duration::from_secs(9);

/// The device that logs in, and the address of its mediator.
pub struct JoinLogin {
    config: SessionConfig,
    address: Address,
    memory: Option<SlotMemory>,
}

/// What is wanted of whoever is at the mediator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediatorTask {
    /// The join failed.
    GiveUpSlot,
}

/// What came of giving up a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// The mediator says that it is free, or that it never knew it.
    Free,
    /// It could not be reached for that: why.
    Unreached(Clean),
}

impl JoinLogin {
    /// Of a new device.
    ///
    /// # Errors
    /// If the mediator's URL cannot be used: why.
    pub(super) fn new(
        config: SessionConfig,
        mediator: &str,
        server_group: ServerGroup,
        tls: &TlsOptions,
        proxy: Option<&ProxySetting>,
        name: &ProfileName,
    ) -> Result<Self, String> {
        let url = Session::new(config.clone(), profile::fresh_random()).url(mediator, server_group);
        let address = Address::new(&url, tls).map_err(Failure::from);
        let address = address.and_then(|address| through(address, proxy, tls)).map_err(|error| error.to_string())?;
        let mut memory = SlotMemory::read(name, config.device_id, mediator);
        if let Some(memory) = &mut memory {
            memory.set_expiration_policy(config.expiration_policy);
        }
        Ok(Self { config, address, memory })
    }

    /// Of a device that may have a slot, and is to give it up.
    #[must_use]
    pub const fn of_left_over(config: SessionConfig, address: Address) -> Self {
        Self { config, address, memory: None }
    }

    fn start(&self, expects: SlotState) -> Result<(OneShotSession, JoinHandle<()>), Clean> {
        let config = SessionConfig { expects: SlotExpectation::Only(expects), ..self.config.clone() };
        let session = Session::new(config, profile::fresh_random());
        OneShotSession::start(session, self.address.clone(), self.memory.clone())
            .map_err(|error| Clean::new(&error.to_string()))
    }

    /// Gives the slot up, whoever has the group's lock: the device that brought us in may hold it.
    pub async fn give_up(&self) -> GivenUp {
        match self.start(SlotState::Existing) {
            Ok((mut visit, driven)) => {
                let given_up = give_up(&mut visit).await;
                leave(visit, driven).await;
                given_up
            }
            Err(why) => GivenUp::Unreached(why),
        }
    }

    /// Whom the device list shows beside ourselves; [`None`] if the mediator has no slot of ours.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn look(&self) -> Result<Option<usize>, OneShotEnd> {
        let Ok((mut visit, driven)) = self.start(SlotState::Existing) else { return Err(OneShotEnd::TooLate) };
        visit.hurry(GIVE_UP_WITHIN);
        let listed = others(&mut visit, self.config.device_id).await;
        leave(visit, driven).await;
        match listed {
            Ok(others) => Ok(Some(others)),
            Err(end) if is_gone(&end) => Ok(None),
            Err(end) => Err(end),
        }
    }
}

/// Takes the slot and answers; then stays until there is nobody any more who could want it given up.
pub(super) async fn at_mediator(
    login: Box<JoinLogin>,
    mut asked: mpsc::Receiver<MediatorTask>,
    answer: impl Fn(JoinInput) + Send + 'static,
) {
    let (mut visit, driven) = match login.start(SlotState::New) {
        Ok(started) => started,
        Err(why) => {
            answer(JoinInput::LoginFailed { failure: LoginFailure::Unreachable(why), slot_may_be_taken: false });
            return;
        }
    };
    // The machine says how long it may take.
    visit.take_time();
    let asked_early = tokio::select! {
        listed = others(&mut visit, login.config.device_id) => {
            answer(match listed {
                Ok(others) => JoinInput::LoggedIn { others },
                Err(end) => failed(&end),
            });
            asked.recv().await
        }
        asked = asked.recv() => asked,
    };
    if asked_early.is_none() {
        return leave(visit, driven).await;
    }
    let given_up = if visit.is_logged_in() { give_up(&mut visit).await } else { GivenUp::Unreached(Clean::default()) };
    leave(visit, driven).await;
    // The connection may have gone with the login that it was for.
    let given_up = if given_up == GivenUp::Free { given_up } else { login.give_up().await };
    answer(if given_up == GivenUp::Free { JoinInput::Dropped } else { JoinInput::NotDropped });
}

async fn leave(visit: OneShotSession, driven: JoinHandle<()>) {
    visit.ask(Command::Leave);
    drop(visit);
    let _ = tokio::time::timeout(Duration::from_secs(1), driven).await;
}

/// How many devices the list shows beside ourselves.
async fn others(visit: &mut OneShotSession, own: DeviceId) -> Result<usize, OneShotEnd> {
    let listed = visit.until(|event| match event {
        Event::Devices(listed) => Some(listed.keys().filter(|id| **id != own).count()),
        _ => None,
    });
    listed.await
}

async fn give_up(visit: &mut OneShotSession) -> GivenUp {
    visit.hurry(GIVE_UP_WITHIN);
    let mut is_asked = false;
    loop {
        if visit.is_logged_in() && !std::mem::replace(&mut is_asked, visit.is_logged_in()) {
            visit.ask(Command::GiveUpSlot);
        }
        match visit.next().await {
            Ok(_) => {}
            Err(end) if is_gone(&end) => return GivenUp::Free,
            Err(end) => return GivenUp::Unreached(Clean::new(&end.to_string())),
        }
    }
}

/// Whether the mediator has no slot of ours.
fn is_gone(end: &OneShotEnd) -> bool {
    matches!(end, OneShotEnd::Disconnected { cause: DisconnectCause::LeftGroup, .. })
        || end.is_closed_with(CloseCode::DROPPED_BY_DEVICE)
        || end.is_closed_with(CloseCode::SLOT_STATE_MISMATCH)
}

/// What the end of the first login means.
fn failed(end: &OneShotEnd) -> JoinInput {
    let words = || Clean::new(&end.to_string());
    let OneShotEnd::Disconnected { cause, logged_in, .. } = end else {
        return JoinInput::LoginFailed { failure: LoginFailure::Unreachable(words()), slot_may_be_taken: true };
    };
    let (failure, is_before) = match cause {
        DisconnectCause::ClosedByServer { code: CloseCode::DEVICE_LIMIT_REACHED, .. } => {
            (LoginFailure::GroupFull, true)
        }
        // Codes below 4000 say nothing of the login.
        DisconnectCause::ClosedByServer { code, reason, .. } => {
            (LoginFailure::Closed { code: *code, reason: reason.clone() }, code.0 >= 4_000)
        }
        DisconnectCause::Unreachable(_) => (LoginFailure::Unreachable(words()), true),
        _ => (LoginFailure::Unreachable(words()), false),
    };
    JoinInput::LoginFailed { failure, slot_may_be_taken: *logged_in || !is_before }
}
