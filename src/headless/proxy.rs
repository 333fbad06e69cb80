//! `d2mtop proxy`: carries a chat client's connections to the chat server, over this device's connection to the mediator.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::json;

use super::arguments;
use crate::cli::ProxyArgs;
use crate::net::Address;
use crate::os::acceptor::Acceptor;
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::LineSink;
use crate::output::ndjson::{self, NamesInLines};
use crate::output::port_file;
use crate::output::sentences::Form;
use crate::output::times::Zone;
use crate::protocol::Millis;
use crate::record::RecordedCommandLine;
use crate::runtime::chat_proxy::{ChatProxy, ProxyLine};
use crate::runtime::{ANY_CERTIFICATE, ProfileState, SessionSetup};
use crate::session::Session;
use crate::text::Clean;

/// Listens and carries until a signal ends it, or until the mediator does not want this device any more.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address.
pub fn run(options: &ProxyArgs) -> Result<Outcome, Failure> {
    let connection = arguments::unattended_connection(&options.connection)?;
    let mut prepared =
        SessionSetup::new(super::open_unattended(options.profile.name(), &connection)?, connection.wait)?;
    if prepared.session.config().read_only {
        return Err(Failure::Usage("proxy sends what its client says, so it cannot be --read-only".to_owned()));
    }
    prepared.record(arguments::recording(&options.record)?.as_ref(), RecordedCommandLine::Proxy)?;
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
    let unavailable = |cause| Failure::Listen { address: Clean::new(&options.listen.to_string()), cause };
    let listener = Acceptor::bind(options.listen).await.map_err(unavailable)?;
    let local = listener.local_addr().map_err(unavailable)?;
    if let Some(path) = &options.port_file {
        port_file::write_port(path, local.port()).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
    }
    let form = Form::of_output(options.json, NamesInLines::LeftOut, Zone::Local);
    let lines = Arc::new(LineSink::start(form, write).map_err(Failure::Start)?);
    announce(&lines, local, accepts_any_certificate);
    let end = async {
        if early.is_none() {
            terminated.await;
        }
    };
    let ended = ChatProxy { session, address, memories, lines: Arc::clone(&lines) }.run(listener, end).await;
    if let Some(lines) = Arc::into_inner(lines) {
        lines.end().await?;
    }
    ended
}

fn write(form: &mut Form, output: &mut Vec<u8>, at: Millis, told: ProxyLine) -> io::Result<()> {
    match told {
        ProxyLine::Event(event) => {
            form.learn(&event);
            form.event(output, at, &event)
        }
        ProxyLine::Ours(event, fields) => {
            let line = ndjson::line(at, event, fields);
            form.learn_line(&line);
            form.line(output, &line)
        }
    }
}

fn announce(lines: &LineSink<ProxyLine>, local: SocketAddr, accepts_any_certificate: bool) {
    let warn = |warning: &str, words: &str| {
        lines.write(ProxyLine::Ours("warning", json!({ "warning": warning, "words": words })));
    };
    if accepts_any_certificate {
        warn("any_certificate_accepted", ANY_CERTIFICATE);
    }
    if !local.ip().is_loopback() {
        warn("not_loopback", "who reaches this address can talk to the chat server as this device");
    }
    lines.write(ProxyLine::Ours("listening", json!({ "address": local.to_string(), "port": local.port() })));
}
