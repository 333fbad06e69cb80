//! What the user wants of the dashboard.

use std::sync::Arc;

use super::preferences::Preferences;
use super::settings::{Keeping, Settings};
use super::theme::{Colour, Glyphs, Palette, TERMINAL};
use crate::alerts::AttentionOptions;
use crate::os::terminal;
use crate::output::times::Zone;
use crate::record::RecordFolder;
use crate::runtime::MonitorOptions;
use crate::session::{LeaderPolicy, SessionConfig};
use crate::text::Clean;

/// Everything about the dashboard that is not about a connection.
#[derive(Clone, Debug)]
pub struct DashboardOptions {
    /// How it is drawn.
    pub display: DisplayOptions,
    /// How somebody at the terminal is told.
    pub attention: AttentionOptions,
    /// Metrics and alerts.
    pub monitor: MonitorOptions,
    /// Where what happens is recorded, if it is.
    pub record: Option<RecordFolder>,
}

/// How the dashboard is drawn, and which keys it takes.
#[derive(Clone, Debug)]
pub struct DisplayOptions {
    /// Which characters frames and marks are made of; [`None`]: those that the terminal has.
    pub glyphs: Option<Glyphs>,
    /// The colours; without a palette the terminal is asked for its background.
    pub theme: Option<&'static Palette>,
    /// What the configuration says.
    pub preferences: Arc<Preferences>,
    /// Whether the screen is as it was left.
    pub remember: bool,
    /// Whether the mouse does something.
    pub mouse: bool,
    /// In which time zone times are shown.
    pub zone: Zone,
    /// How many messages the feed keeps in memory.
    pub feed_rows: usize,
}

impl DisplayOptions {
    /// Which characters frames and marks are made of, as the user wants it or else the terminal can show it.
    #[must_use]
    pub fn glyphs(&self) -> Glyphs {
        let possible = || if terminal::only_ascii().is_some() { Glyphs::Ascii } else { Glyphs::Unicode };
        self.glyphs.unwrap_or_else(possible)
    }

    /// What the screen of a session is drawn by, as far as this and the session say.
    pub(super) fn settings(&self, title: Clean, session: &SessionConfig) -> Settings {
        Settings {
            title,
            identity: session.identity.clone(),
            dialect: session.keys.dialect(),
            keys: Some(Arc::clone(&session.keys)),
            is_recording: false,
            read_only: session.read_only,
            stay_leader: session.leader_policy == LeaderPolicy::Stay,
            presence: session.presence,
            accepts_any_certificate: false,
            keeping: Keeping::Never,
            glyphs: self.glyphs(),
            is_gnu_screen: terminal::is_gnu_screen(),
            colour: Colour::of_stdout(),
            palette: self.theme.unwrap_or(&TERMINAL),
            seen_devices: None,
            preferences: Arc::clone(&self.preferences),
            left: None,
            neighbours: Arc::default(),
            zone: self.zone,
            metrics: None,
        }
    }
}
