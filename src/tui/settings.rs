//! What the command line and the profile say about how the dashboard looks and behaves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::output::times::Zone;
use crate::protocol::{Dialect, GroupKeys};
use crate::session::Presence;
use crate::text::Clean;
use crate::tui::preferences::Preferences;
use crate::tui::remembered::Remembered;
use crate::tui::theme::{Colour, Glyphs, Palette};

/// What does not change while the dashboard runs.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "switches of the command line, which do not depend on each other")]
pub struct Settings {
    /// Which group this is, as the user calls it; may be empty.
    pub title: Clean,
    /// Whose group it is, if that is known.
    pub identity: Option<Clean>,
    /// Which protocol is spoken.
    pub dialect: Dialect,
    /// What opens an envelope when the user wants to see all of it.
    pub keys: Option<Arc<GroupKeys>>,
    /// Whether it is a recording, which keys stop and step through.
    pub is_recording: bool,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Whether the leader role is kept, at the cost of the group's incoming messages.
    pub stay_leader: bool,
    /// When to be connected.
    pub presence: Presence,
    /// Whether nothing of the mediator's certificate is checked: a banner says so all the time.
    pub accepts_any_certificate: bool,
    /// Whether received messages are kept: the header says so where they could be and are not.
    pub keeping: Keeping,
    /// Which characters frames and marks are made of.
    pub glyphs: Glyphs,
    /// Whether the terminal prints long escape sequences over what it shows.
    pub is_gnu_screen: bool,
    /// Which colours are used.
    pub colour: Colour,
    /// The colour of each role.
    pub palette: &'static Palette,
    /// Where the order is kept in which devices were seen first, which gives them their colours.
    pub seen_devices: Option<PathBuf>,
    /// What the configuration says.
    pub preferences: Arc<Preferences>,
    /// How the screen was left, if that is remembered.
    pub left: Option<Remembered>,
    /// What else there is, beside this group.
    pub neighbours: Arc<Neighbours>,
    /// In which time zone times are shown.
    pub zone: Zone,
    /// Where the metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
}

/// What else there is, beside a group.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// What is open, by the titles of the tabs.
    pub tabs: Vec<Clean>,
    /// The user's profiles by name, open or not.
    pub profiles: Vec<Clean>,
}

/// Whether what a session receives outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing could keep it: the session is not of a profile.
    Never,
    /// There is a journal.
    Journal,
    /// There could be a journal, and the user wants none.
    Declined,
}
