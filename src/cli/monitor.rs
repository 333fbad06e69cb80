//! Options about metrics and alerts.

use std::net::SocketAddr;

use clap::{ArgGroup, Args};

/// What watches a session besides who shows it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Metrics and alerts")]
pub struct MonitorArgs {
    /// Serve metrics for Prometheus at http://ADDRESS:PORT/metrics, such as 127.0.0.1:9464; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Tell the devices' labels and ids in the metrics; otherwise they have pseudonyms
    #[arg(long, requires = "metrics")]
    pub metrics_labels: bool,
    /// Serve the metrics at an address that others on the network can reach
    #[arg(long, requires = "metrics")]
    pub metrics_allow_remote: bool,
    /// Run COMMAND, without a shell and with the event as JSON on its standard input, when this happens: new-device,
    /// device-dropped, device-info-changed, replay, undecryptable, promoted, lock-stuck=DURATION, lost, close=CODE,
    /// clock-skew, journal-failed. Repeatable
    #[arg(long, value_name = "EVENT=COMMAND")]
    pub on: Vec<String>,
}

/// How somebody at the terminal is told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Display", group = ArgGroup::new("attention").multiple(true))]
pub struct AttentionArgs {
    /// Ring the terminal's bell when something happens that --on knows of
    #[arg(long, group = "attention")]
    pub bell: bool,
    /// Show it as a notification of the desktop, too, through terminals that can (OSC 9)
    #[arg(long, group = "attention")]
    pub notify: bool,
    /// Neither ring nor notify between these times of the day, such as 22:00-07:00
    #[arg(long, value_name = "FROM-TO", requires = "attention")]
    pub quiet_hours: Option<String>,
}
