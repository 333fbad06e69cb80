//! What the user wants of the dashboard.

use super::format::Zone;
use super::screen::alarm::QuietHours;
use super::theme::Glyphs;
use crate::runtime::MonitorOptions;

/// Everything about the dashboard that is not about a connection.
#[derive(Clone, Debug)]
pub struct DashboardOptions {
    /// How it is drawn.
    pub display: DisplayOptions,
    /// How somebody at the terminal is told.
    pub attention: AttentionOptions,
    /// Metrics and alerts.
    pub monitor: MonitorOptions,
}

/// How the dashboard is drawn.
#[derive(Clone, Copy, Debug)]
pub struct DisplayOptions {
    /// Which characters frames and marks are made of.
    pub glyphs: Glyphs,
    /// In which time zone times are shown.
    pub zone: Zone,
    /// How many messages the feed keeps in memory.
    pub feed_rows: usize,
}

/// How somebody at the terminal is told of what alerts know.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionOptions {
    /// Whether the bell rings.
    pub bell: bool,
    /// Whether the terminal is asked to notify.
    pub notify: bool,
    /// When neither is done.
    pub quiet_hours: Option<QuietHours>,
}
