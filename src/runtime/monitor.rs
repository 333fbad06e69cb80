//! What watches sessions besides who shows them: metrics and alerts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::alerts::{Alerts, Attention, Board, Rule, Spotter, Trigger};
use super::clock;
use super::driver::Observer;
use super::metrics::{Meter, Meters, MetricsServer};
use super::outcome::Failure;
use crate::group::Event;
use crate::protocol::{GroupKeys, Millis, PseudonymKey};
use crate::session::{Now, Proxied};

/// Which metrics are served, and which alerts run.
#[derive(Clone, Debug, Default)]
pub struct MonitorOptions {
    /// The metrics, if they are to be served.
    pub metrics: Option<MetricsOptions>,
    /// The alerts.
    pub rules: Vec<Rule>,
}

/// How metrics are served.
#[derive(Clone, Copy, Debug)]
pub struct MetricsOptions {
    /// Where; port 0 takes any free one.
    pub address: SocketAddr,
    /// Whether they tell the devices' labels and ids instead of pseudonyms.
    pub with_labels: bool,
}

/// All that runs besides the sessions; it ends when this is dropped.
#[derive(Debug)]
pub struct Monitors {
    board: Arc<Board>,
    rules: Arc<[Rule]>,
    meters: Option<Arc<Meters>>,
    server: Option<MetricsServer>,
    attention: Arc<Attention>,
    /// Without a rule there is nobody to wake.
    alerts: Option<Alerts>,
}

/// What watches one session.
#[derive(Debug, Default)]
pub struct Monitor {
    meter: Option<Meter>,
    spotter: Option<Spotter>,
}

/// Hands every event on, and lets a [`Monitor`] see it.
#[derive(Debug)]
pub struct Monitored<O> {
    observer: O,
    monitor: Monitor,
}

impl Monitors {
    /// Starts what the options say. If somebody at the terminal is to be told, `telling` wakes who tells them.
    ///
    /// # Errors
    /// If the system does not give the address, a thread or an event loop.
    pub fn start(options: &MonitorOptions, telling: Option<Arc<Notify>>) -> Result<Self, Failure> {
        let told = telling.iter().flat_map(|_| Rule::telling());
        let rules: Arc<[Rule]> = options.rules.iter().cloned().chain(told).collect();
        let board = Arc::new(Board::default());
        let (meters, server) = match options.metrics {
            Some(MetricsOptions { address, with_labels }) => {
                let meters = Arc::new(Meters::new(with_labels, Arc::clone(&board)));
                (Some(Arc::clone(&meters)), Some(MetricsServer::start(address, meters)?))
            }
            None => (None, None),
        };
        let attention = Arc::new(Attention::new(telling.unwrap_or_default()));
        let start = || Alerts::start(Arc::clone(&board), Arc::clone(&rules), Arc::clone(&attention));
        let alerts = (!rules.is_empty()).then(start).transpose().map_err(Failure::Start)?;
        Ok(Self { board, rules, meters, server, attention, alerts })
    }

    /// For one more session, told by the profile's name if that is not empty. Metrics name its devices by pseudonyms that
    /// its group's keys make.
    #[must_use]
    pub fn monitor(&self, profile: &str, keys: &GroupKeys) -> Monitor {
        let spotter =
            self.alerts.as_ref().map(|_| Spotter::new(Arc::clone(&self.board), Arc::clone(&self.rules), profile));
        let meter = self.meters.as_ref().map(|meters| meters.meter(profile, PseudonymKey::of(keys)));
        Monitor { meter, spotter }
    }

    /// What somebody at the terminal is to be told.
    #[must_use]
    pub fn attention(&self) -> Arc<Attention> {
        Arc::clone(&self.attention)
    }

    /// The end, when it comes, waits no longer than this for commands that still run.
    pub fn hurry(&self, within: Duration) {
        if let Some(alerts) = &self.alerts {
            alerts.hurry(within);
        }
    }

    /// Whether somebody waits for a lock that is held for too long.
    #[must_use]
    pub fn watches_the_lock(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.trigger, Trigger::LockStuck(_)))
    }

    /// Where the metrics are, if they are served.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(MetricsServer::address)
    }
}

impl Monitor {
    /// Lets it see what the observer is told.
    #[must_use]
    pub const fn before<O>(self, observer: O) -> Monitored<O> {
        Monitored { observer, monitor: self }
    }
}

impl<O: Observer> Observer for Monitored<O> {
    fn tell(&mut self, at: Millis, event: Event) {
        let now = Now { wall: at, ..clock::precise() };
        if let Some(meter) = &self.monitor.meter {
            meter.take(now, &event);
        }
        if let Some(spotter) = &mut self.monitor.spotter {
            spotter.take(now, &event);
        }
        self.observer.tell(at, event);
    }

    fn proxied(&mut self, proxied: Proxied) {
        self.observer.proxied(proxied);
    }
}
