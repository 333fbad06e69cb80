//! `--metrics`: the page for Prometheus, and how it goes for load balancers.

use std::net::SocketAddr;

use crate::metrics::{MediatorMeter, MetricsEndpoint, ServedPage};
use crate::net::Inspector;
use crate::output::Failure;
use crate::text::Clean;

/// Takes the address and begins to answer, as long as the event loop runs; where.
///
/// # Errors
/// If the system does not give the address.
pub(super) async fn serve(address: SocketAddr, meter: MediatorMeter, inside: Inspector) -> Result<SocketAddr, Failure> {
    let unavailable = |cause| Failure::Listen { address: Clean::new(&address.to_string()), cause };
    let endpoint = MetricsEndpoint::bind(address).await.map_err(unavailable)?;
    let address = endpoint.local_addr().map_err(unavailable)?;
    tokio::spawn(endpoint.run(std::future::pending::<()>(), move |path| page(path, meter.clone(), inside.clone())));
    Ok(address)
}

async fn page(path: String, meter: MediatorMeter, inside: Inspector) -> Option<ServedPage> {
    match path.as_str() {
        "/metrics" => {
            let ready = inside.is_ready().await;
            Some(ServedPage::Metrics(meter.page(inside.figures().await.unwrap_or_default(), ready)))
        }
        "/health" => Some(ServedPage::State(true, "ok")),
        "/ready" if inside.is_ready().await => Some(ServedPage::State(true, "ready")),
        "/ready" => Some(ServedPage::State(false, "not ready")),
        _ => None,
    }
}
