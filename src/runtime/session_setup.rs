//! A profile becomes a session and the address that it connects to.

use std::sync::Arc;
use std::time::Duration;

use super::clock;
use super::kept_names::KeptNames;
use super::known_devices_store::KnownDevicesStore;
use super::open_profile::claim_device;
use crate::journal::{self, Conversations, Journal, JournalHandle, Retention, Synchronous};
use crate::net::{Address, ProxyChoice, TlsOptions};
use crate::output::Failure;
use crate::output::connecting::explain;
use crate::profile::{
    self, DeviceLock, KeptConversations, NamesFile, Profile, ProfileLock, ProfileName, ProxySetting, SlotMemory,
    known_devices,
};
use crate::protocol::PseudonymKey;
use crate::record::{RecordFolder, RecordedCommandLine, SessionRecorder, SessionSubject};
use crate::session::Session;
use crate::text::Clean;

/// What is said all the time where [`SessionSetup::accepts_any_certificate`].
pub const ANY_CERTIFICATE: &str = "UNSAFE: any certificate is accepted; anyone in between can be the mediator";

/// What is said where this device is alone in its group: with another key or in another dialect that looks healthy.
pub const ANOTHER_GROUP: &str =
    "if there should be others, the key, the server group or the dialect is another group's";

/// A session, ready to be run.
pub struct SessionSetup {
    pub session: Session,
    /// Where it connects to.
    pub address: Address,
    /// The profile, if it is one.
    pub profile: Option<ProfileName>,
    /// What to call the group.
    pub title: Clean,
    /// Whether nothing of the mediator's certificate is checked; whoever shows the session must say so all the time.
    pub accepts_any_certificate: bool,
    /// Which demo it is, if it is one.
    pub demo_seed: Option<u64>,
    /// Kept as long as the session runs.
    pub held: HeldLocks,
    /// What is kept from one run to the next; nothing without a profile.
    pub memories: ProfileState,
}

/// Keeps other programs out as long as a session runs.
#[derive(Debug, Default)]
pub struct HeldLocks {
    /// Of the device; missing if this machine has no place for claims.
    pub claim: Option<DeviceLock>,
    /// Of the profile, if it is one.
    pub profile: Option<ProfileLock>,
}

/// What is kept: from one run to the next, and of this one.
#[derive(Debug, Default)]
pub struct ProfileState {
    /// What is known of our slot.
    pub slot: Option<SlotMemory>,
    /// Which devices are known.
    pub known: Option<KnownDevicesStore>,
    /// What was received.
    pub journal: Option<JournalHandle>,
    /// What conversations are called, if that is kept.
    pub names: Option<KeptNames>,
    /// What happens in this run, if that is recorded.
    pub recorder: Option<SessionRecorder>,
}

/// How the mediator of a profile has to prove who it is.
#[must_use]
pub fn tls(profile: &Profile) -> TlsOptions {
    TlsOptions {
        trust_roots: profile.trust_roots.clone(),
        pins: profile.pins.clone(),
        accept_any_certificate: profile.accept_any_certificate,
    }
}

/// The session of a profile, and where it connects to.
///
/// # Errors
/// If the mediator's URL or the file of trust roots cannot be used.
pub fn session(profile: &Profile) -> Result<(Session, Address), Failure> {
    let session = Session::new(profile.session.clone(), profile::fresh_random());
    let url = session.url(&profile.base_url, profile.server_group.clone());
    let tls = tls(profile);
    let address = through(Address::new(&url, &tls)?, profile.proxy.as_ref(), &tls)?;
    Ok((session, address))
}

/// The address by way of the proxy that is said, or that the environment says; its failures tell what to do.
///
/// # Errors
/// If the proxy cannot be used.
pub fn through(address: Address, proxy: Option<&ProxySetting>, tls: &TlsOptions) -> Result<Address, Failure> {
    let choice = proxy.map_or(Ok(ProxyChoice::Environment), |setting| setting.expose().parse());
    let choice = choice.map_err(|error| Failure::Usage(format!("--proxy, or proxy in the profile: {error}")))?;
    Ok(address.explained_by(explain).through(&choice, tls, |name| std::env::var(name).ok())?)
}

/// The session, going on from what the profile's journal has.
fn with_journal(session: Session, profile: &Profile) -> Result<(Session, Option<JournalHandle>), Failure> {
    let Some(settings) = &profile.journal else { return Ok((session, None)) };
    let options = journal::Options {
        conversations: match settings.conversations {
            KeptConversations::Hashed => Conversations::Hashed(PseudonymKey::of(&session.config().keys)),
            KeptConversations::Plain => Conversations::Plain,
            KeptConversations::None => Conversations::None,
        },
        retention: Retention { age: settings.age, rows: settings.rows },
        synchronous: Synchronous::default(),
    };
    let opened = Journal::open(&settings.path, options, clock::now())?;
    let expected = opened.expected.iter().map(|message| (message.id, message.fingerprint));
    let session = session.continuing(opened.fingerprinter, opened.nonces, expected);
    let set_aside = opened.set_aside.map(|path| Clean::new(&path.to_string_lossy()));
    let journal = JournalHandle::start(opened.journal, set_aside).map_err(Failure::Start)?;
    Ok((session, Some(journal)))
}

impl SessionSetup {
    /// Prepares the session of a profile. Another process that is this device is waited for at most so long.
    ///
    /// # Errors
    /// If the mediator's URL or the file of trust roots cannot be used, or another process is this device: the server
    /// would close that one's connection.
    pub fn new(profile: Profile, wait: Duration) -> Result<Self, Failure> {
        let of_profile = |cause| match &profile.name {
            Some(name) => Failure::OfProfile { name: name.clone(), cause: Box::new(cause) },
            None => cause,
        };
        let (session, address) = session(&profile).map_err(of_profile)?;
        let claim = claim_device(session.config(), wait).map_err(|error| of_profile(error.into()))?;
        let (session, journal) = with_journal(session, &profile).map_err(of_profile)?;
        let title = match &profile.name {
            Some(name) => Clean::new(name.as_str()),
            None => Clean::new(&address.authority()),
        };
        let known = profile.name.as_ref().and_then(known_devices::path);
        // A list that cannot be read is as good as none: the next one is the new baseline.
        let known = known.and_then(|path| match KnownDevicesStore::open(path) {
            Ok(memory) => Some(memory),
            Err(error) => {
                tracing::warn!("{error}");
                None
            }
        });
        let names = profile.name.as_ref().and_then(NamesFile::of).filter(|_| profile.memory.is_some());
        let names = names.filter(NamesFile::is_there).and_then(|file| KeptNames::open(file, &session.config().keys));
        let session = session.knowing(known.as_ref().and_then(|memory| memory.known().cloned()));
        Ok(Self {
            session,
            address,
            profile: profile.name,
            title,
            accepts_any_certificate: profile.accept_any_certificate,
            demo_seed: None,
            held: HeldLocks { claim, profile: profile.lock },
            memories: ProfileState { slot: profile.memory, known, journal, names, recorder: None },
        })
    }

    /// The session of the demo, of which nothing is kept.
    #[must_use]
    pub fn of_demo(session: Session, address: Address, seed: u64) -> Self {
        Self {
            session,
            address,
            profile: None,
            title: Clean::literal("demo"),
            accepts_any_certificate: false,
            demo_seed: Some(seed),
            held: HeldLocks::default(),
            memories: ProfileState::default(),
        }
    }

    /// Has what happens recorded, if there is a folder for that.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn record(&mut self, folder: Option<&RecordFolder>, command: RecordedCommandLine) -> Result<(), Failure> {
        let Some(folder) = folder else { return Ok(()) };
        let subject = SessionSubject {
            title: self.title.clone(),
            host: self.address.authority(),
            accepts_any_certificate: self.accepts_any_certificate,
            demo_seed: self.demo_seed,
            command,
            names: self.memories.names.as_ref().map(|names| names.names().clone()).unwrap_or_default(),
        };
        let keys = Arc::clone(&self.session.config().keys);
        self.memories.recorder = Some(SessionRecorder::start(folder, keys, subject).map_err(Failure::Start)?);
        Ok(())
    }

    /// The profile's name; empty if it is none.
    #[must_use]
    pub fn profile(&self) -> &str {
        self.profile.as_ref().map_or("", ProfileName::as_str)
    }
}
