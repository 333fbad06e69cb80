//! `d2mtop proxy`: carries a chat client's connections to the chat server, over this device's connection to the mediator.
//!
//! One client at a time, each over a connection to the mediator of its own: the chat server could not go on with another
//! client on the same connection.

mod client;
mod client_side;
mod lines;
mod observer;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;

use super::arguments;
use super::connection::open_unattended;
use crate::cli::ProxyArgs;
use crate::net::Address;
use crate::os::acceptor::Acceptor;
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::lines::LineSink;
use crate::output::port_file::write_port;
use crate::output::{Failure, Form, Outcome};
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::{Observers, ProfileState, SessionSetup, drive_keeping};
use crate::session::Session;
use client_side::{ClientSide, finished};
use observer::ProxyObserver;

/// How long the end may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// Listens and serves clients until a signal, or until the mediator refuses this device.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address.
pub fn run(options: &ProxyArgs) -> Result<Outcome, Failure> {
    let connection = arguments::unattended_connection(&options.connection)?;
    let prepared = SessionSetup::new(open_unattended(options.profile.name(), &connection)?)?;
    if prepared.session.config().read_only {
        return Err(Failure::Usage("proxy sends what its client says, so it cannot be --read-only".to_owned()));
    }
    let event_loop = event_loop().map_err(Failure::Start)?;
    let SessionSetup { session, address, held, memories, accepts_any_certificate, .. } = prepared;
    let served = event_loop.block_on(serve(options, session, address, memories, accepts_any_certificate));
    // A name that is still being looked up must not keep us here.
    event_loop.shutdown_background();
    drop(held);
    served
}

async fn serve(
    options: &ProxyArgs,
    session: Session,
    address: Address,
    memories: ProfileState,
    accepts_any_certificate: bool,
) -> Result<Outcome, Failure> {
    // Polled once, so that a signal that comes right after the port file ends us politely.
    let mut terminated = pin!(signals::terminated());
    let early = terminated.as_mut().now_or_never();
    let unavailable = |cause| Failure::Listen { address: options.listen, cause };
    let mut listener = Acceptor::bind(options.listen).await.map_err(unavailable)?;
    let local = listener.local_addr().map_err(unavailable)?;
    if let Some(path) = &options.port_file {
        write_port(path, local.port()).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
    }
    let lines = Arc::new(LineSink::start(Form::of_output(options.json), lines::format).map_err(Failure::Start)?);
    lines::announce(&lines, local, accepts_any_certificate);
    let ProfileState { slot, known: memory, journal } = memories;
    let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
    let (updates, mut arriving) = mpsc::unbounded_channel();
    let observer = ProxyObserver::new(Arc::clone(&lines), updates, session.config().device_id);
    let sink = Observers::new(observer).remembering(slot).map_err(Failure::Start)?;
    let mut clients =
        ClientSide { lines, commands, count: 0, active: None, memory, ending: early.map(|()| Ok(Outcome::Normal)) };
    let mut driven = false;
    {
        let mut driving = pin!(drive_keeping(journal, session, address, receiver, sink));
        while clients.ending.is_none() {
            tokio::select! {
                () = &mut terminated => clients.ending = Some(Ok(Outcome::Normal)),
                () = &mut driving => {
                    driven = true;
                    clients.ending = Some(Ok(Outcome::Normal));
                }
                Some(update) = arriving.recv() => clients.take(update),
                summary = finished(&mut clients.active) => clients.finish(summary.as_ref()),
                accepted = listener.accept() => {
                    if let Ok((stream, peer)) = accepted {
                        clients.accept(stream, peer);
                    }
                }
            }
        }
        let rest = async {
            if !driven {
                driving.await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, async { tokio::join!(clients.leave(), rest) }).await;
    }
    let ClientSide { lines, ending, .. } = clients;
    if let Some(lines) = Arc::into_inner(lines) {
        lines.end().await?;
    }
    ending.unwrap_or(Ok(Outcome::Normal))
}
