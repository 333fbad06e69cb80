//! Metrics: what the sessions' events add up to, as a page that Prometheus reads.
//!
//! ```text
//! Event ─> Ledger (plain integers, under a lock held for a batch) ─ copied at a scrape ─> families ─> page ─> server
//! ```

mod families;
mod histogram;
mod ledger;
mod mediator;
mod page;
mod seats;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use crate::group::Event;
use crate::os::clock;
use crate::os::event_loop::event_loop;
use crate::protocol::PseudonymKey;
use crate::session::Now;
use ledger::Ledger;
pub use mediator::MediatorMeter;
use page::SessionCopy;
pub use server::{MetricsEndpoint, ServedPage};

/// How many alerts ended so, by rule and outcome.
pub type AlertOutcomes = BTreeMap<(&'static str, &'static str), u64>;

/// Why the metrics cannot be served.
#[derive(Debug)]
pub enum MetricsError {
    /// The system does not give the address.
    Listen {
        address: SocketAddr,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The system gives no event loop or thread.
    Start(io::Error),
}

/// The numbers of one session.
#[derive(Clone, Debug)]
pub struct Meter(Arc<Mutex<Ledger>>);

impl Meter {
    /// Counts an event.
    pub fn take(&self, now: Now, event: &Event) {
        self.ledger().take(now, event);
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The meters of all sessions, by profile.
pub struct Meters {
    sessions: Mutex<Vec<(String, Meter)>>,
    with_labels: bool,
    alerts: Box<dyn Fn() -> AlertOutcomes + Send + Sync>,
}

impl fmt::Debug for Meters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Meters").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

impl Meters {
    /// None yet; `alerts` is asked at each scrape what became of alerts.
    #[must_use]
    pub fn new(with_labels: bool, alerts: impl Fn() -> AlertOutcomes + Send + Sync + 'static) -> Self {
        Self { sessions: Mutex::new(Vec::new()), with_labels, alerts: Box::new(alerts) }
    }

    /// A meter for one more session; its numbers carry the profile's name, if that is not empty, and devices go by the
    /// pseudonyms that the key makes. The next session of a profile counts on from where the last one ended: each series is
    /// there once.
    #[must_use]
    pub fn meter(&self, profile: &str, key: PseudonymKey) -> Meter {
        let mut sessions = self.sessions();
        if let Some((_, meter)) = sessions.iter().find(|(name, _)| name == profile) {
            meter.ledger().begin_anew(key);
            return meter.clone();
        }
        let meter = Meter(Arc::new(Mutex::new(Ledger::new(key))));
        sessions.push((profile.to_owned(), meter.clone()));
        meter
    }

    /// The page at that time.
    #[must_use]
    pub fn page(self: &Arc<Self>, now: Now) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape { meters: Arc::clone(self), now }));
        let mut page = String::new();
        // Writing into a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut page, &registry);
        page
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<(String, Meter)>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Scrape {
    meters: Arc<Meters>,
    now: Now,
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let copy = |(profile, meter): &(String, Meter)| SessionCopy {
            profile: profile.clone(),
            ledger: meter.ledger().clone(),
        };
        let sessions = self.meters.sessions().iter().map(copy).collect();
        families::write(encoder, sessions, &(self.meters.alerts)(), self.meters.with_labels, self.now)
    }
}

/// Serves the page on a thread of its own until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Takes the address and begins to answer.
    ///
    /// # Errors
    /// If the system does not give the address, or no thread.
    pub fn start(address: SocketAddr, meters: Arc<Meters>) -> Result<Self, MetricsError> {
        let unavailable = |cause| MetricsError::Listen { address, cause };
        let server = event_loop().map_err(MetricsError::Start)?;
        let endpoint = server.block_on(MetricsEndpoint::bind(address)).map_err(unavailable)?;
        let address = endpoint.local_addr().map_err(unavailable)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || {
                let stopped = async {
                    let _ = stopped.await;
                };
                let page = move |path: String| {
                    let page = (path == "/metrics").then(|| ServedPage::Metrics(meters.page(clock::both().into())));
                    std::future::ready(page)
                };
                server.block_on(endpoint.run(stopped, page));
            })
            .map_err(MetricsError::Start)?;
        tracing::info!("metrics at http://{address}/metrics");
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address with the port that the system gave.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
