//! What the command line and the profile say about how the dashboard looks and behaves.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::protocol::{Dialect, GroupKeys};
use crate::session::Presence;
use crate::text::Clean;
use crate::tui::format::Zone;
use crate::tui::theme::{Colour, Glyphs};

/// What does not change while the dashboard runs.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "switches of the command line, which do not depend on each other")]
pub struct Settings {
    /// Which group this is, as the user calls it; may be empty.
    pub title: Clean,
    /// Which protocol is spoken.
    pub dialect: Dialect,
    /// What opens an envelope when the user wants to see all of it.
    pub keys: Option<Arc<GroupKeys>>,
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
    /// Which colours are used.
    pub colour: Colour,
    /// In which time zone times are shown.
    pub zone: Zone,
    /// Where the metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
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
