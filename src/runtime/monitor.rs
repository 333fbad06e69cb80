//! What watches sessions besides who shows them: metrics and alerts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::observers::{AlertObserver, MetricsObserver, Observer};
use crate::alerts::{AlertQueue, Alerts, Attention, Encoder, EventMatcher, Rule, Trigger};
use crate::metrics::{Meters, MetricsError, MetricsServer};
use crate::output::ndjson::NamesInLines;
use crate::output::{Failure, ndjson};
use crate::protocol::{GroupKeys, PseudonymKey};
use crate::text::Clean;

/// Which metrics are served, and which alerts run.
#[derive(Clone, Debug, Default)]
pub struct MonitorOptions {
    /// The metrics, if they are to be served.
    pub metrics: Option<MetricsOptions>,
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

/// What commands of `--on` read on their standard input.
const ALERT_LINES: Encoder = Encoder {
    event: |at, event| ndjson::lines(at, event, NamesInLines::LeftOut).into_iter().next().unwrap_or_default(),
    message: |at, message| ndjson::reflected_line(at, message, NamesInLines::LeftOut),
    lock_stuck: ndjson::lock_stuck,
};

/// All that runs besides the sessions; it ends when this is dropped.
#[derive(Debug)]
pub struct Monitors {
    alert_queue: Arc<AlertQueue>,
    rules: Arc<[Rule]>,
    meters: Option<Arc<Meters>>,
    server: Option<MetricsServer>,
    attention: Arc<Attention>,
    /// Without a rule there is nobody to wake.
    alerts: Option<Alerts>,
}

impl Monitors {
    /// Starts what the options say. If somebody at the terminal is to be told, `telling` wakes who tells them.
    ///
    /// # Errors
    /// If the system does not give the address, a thread or an event loop.
    pub fn start(options: &MonitorOptions, telling: Option<Arc<Notify>>) -> Result<Self, Failure> {
        let told = telling.iter().flat_map(|_| Rule::telling());
        let rules: Arc<[Rule]> = options.rules.iter().cloned().chain(told).collect();
        let alert_queue = Arc::new(AlertQueue::new(ALERT_LINES));
        let (meters, server) = match options.metrics {
            Some(MetricsOptions { address, with_labels }) => {
                let counted = Arc::clone(&alert_queue);
                let meters = Arc::new(Meters::new(with_labels, move || counted.outcomes()));
                let server = MetricsServer::start(address, Arc::clone(&meters)).map_err(unserved)?;
                (Some(meters), Some(server))
            }
            None => (None, None),
        };
        let attention = Arc::new(Attention::new(telling.unwrap_or_default()));
        let start = || Alerts::start(Arc::clone(&alert_queue), Arc::clone(&rules), Arc::clone(&attention));
        let alerts = (!rules.is_empty()).then(start).transpose().map_err(Failure::Start)?;
        Ok(Self { alert_queue, rules, meters, server, attention, alerts })
    }

    /// Who watches one more session, told by the profile's name if that is not empty. Metrics name its devices by pseudonyms
    /// that its group's keys make.
    #[must_use]
    pub fn observers(&self, profile: &str, keys: &GroupKeys) -> Vec<Box<dyn Observer>> {
        let meter = self.meters.as_ref().map(|meters| meters.meter(profile, PseudonymKey::of(keys)));
        let matcher = self
            .alerts
            .as_ref()
            .map(|_| EventMatcher::new(Arc::clone(&self.alert_queue), Arc::clone(&self.rules), profile));
        let mut observers: Vec<Box<dyn Observer>> = Vec::new();
        observers.extend(meter.map(|meter| Box::new(MetricsObserver(meter)) as Box<dyn Observer>));
        observers.extend(matcher.map(|matcher| Box::new(AlertObserver(matcher)) as Box<dyn Observer>));
        observers
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

fn unserved(error: MetricsError) -> Failure {
    match error {
        MetricsError::Listen { address, cause } => Failure::Listen { address: Clean::new(&address.to_string()), cause },
        MetricsError::Start(cause) => Failure::Start(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{Event, JournalState};
    use crate::protocol::Millis;

    #[test]
    fn commands_read_the_lines_that_watch_prints() {
        let failed = Event::Journal(JournalState::Failed(Clean::literal("the disk is full")));
        let line = (ALERT_LINES.event)(Millis(1), &failed);
        assert_eq!((&line["event"], &line["state"]), (&"journal".into(), &"failed".into()));
    }
}
