//! Makes tabs of sessions, at the start and later.

use std::sync::Arc;
use std::time::Duration;

use crate::output::Failure;
use crate::profile::{ConnectionOptions, ProfileStore, profile_state};
use crate::record::{RecordFolder, RecordedCommandLine};
use crate::runtime::{HeldLocks, Monitors, SessionParts, SessionSetup, open_profile};
use crate::text::Clean;
use crate::tui::options::DisplayOptions;
use crate::tui::remembered::Remembered;
use crate::tui::settings::{Keeping, Neighbours, Settings};

/// What every tab of this dashboard shares.
#[derive(Debug)]
pub struct TabOpener {
    /// The options that a profile is opened with.
    connection: ConnectionOptions,
    display: DisplayOptions,
    monitors: Monitors,
    record: Option<RecordFolder>,
    /// Keeps other programs out as long as the dashboard runs.
    held: Vec<HeldLocks>,
}

impl TabOpener {
    /// What says of one profile only which connection it has is not for those that are opened later.
    pub fn new(
        connection: &ConnectionOptions,
        display: DisplayOptions,
        monitors: Monitors,
        record: Option<RecordFolder>,
    ) -> Self {
        // The dashboard stands still meanwhile.
        let connection = ConnectionOptions { wait: Duration::ZERO, ..connection.for_any_profile() };
        Self { connection, display, monitors, record, held: Vec::new() }
    }

    /// A profile that is not open yet; its passphrase may be asked for on the terminal.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn profile(&mut self, name: &Clean) -> Result<(Settings, SessionParts), Failure> {
        let profile = open_profile(Some(name.as_str()), &self.connection)?;
        self.tab(SessionSetup::new(profile, self.connection.wait)?)
    }

    /// The settings of a tab, and what its session is started from.
    ///
    /// # Errors
    /// If what happens is to be recorded, and the system gives no thread.
    pub fn tab(&mut self, mut tab: SessionSetup) -> Result<(Settings, SessionParts), Failure> {
        tab.record(self.record.as_ref(), RecordedCommandLine::Dashboard)?;
        let settings = self.settings(&tab);
        let observers = self.monitors.observers(tab.profile(), &tab.session.config().keys);
        self.held.push(tab.held);
        Ok((settings, (tab.session, tab.address, tab.memories, observers)))
    }

    fn settings(&self, tab: &SessionSetup) -> Settings {
        let display = &self.display;
        Settings {
            accepts_any_certificate: tab.accepts_any_certificate,
            keeping: match (&tab.memories.journal, &tab.profile) {
                (Some(_), _) => Keeping::Journal,
                (None, Some(_)) => Keeping::Declined,
                (None, None) => Keeping::Never,
            },
            seen_devices: tab.profile.as_ref().and_then(profile_state).map(|state| state.join("seen-devices")),
            left: if display.remember { Remembered::read() } else { None },
            neighbours: Arc::new(Neighbours { tabs: Vec::new(), profiles: ProfileStore::names_of_user() }),
            metrics: self.monitors.metrics_address(),
            ..display.settings(tab.title.clone(), tab.session.config())
        }
    }
}
